import type { FullPipe, Timer } from "./types.ts";

/** A descriptor that is read. */
export interface Listening {
	/** Closes the descriptor. */
	close(): void;
}

/**
 * Has a handler called whenever a descriptor can be read. QuickJS serves the first one that is ready, in the order in which
 * their handlers were set: who was served goes to the end, or a busy one would keep all later ones waiting for ever.
 */
export function listen(os: QuickJsOs, fd: number, handle: () => void): Listening {
	let open = true;
	const serve = () => {
		os.setReadHandler(fd, null);
		try {
			handle();
		} finally {
			// Deaf for ever is worse than whatever was thrown.
			if (open) os.setReadHandler(fd, serve);
		}
	};
	os.setReadHandler(fd, serve);
	return {
		close() {
			if (!open) return;
			open = false;
			// The handler goes first: one left on a closed descriptor burns a whole core.
			os.setReadHandler(fd, null);
			os.close(fd);
		},
	};
}

/** What a writable pipe takes without blocking: PIPE_BUF, see poll(2). */
const PIECE = 4096;
/**
 * Bytes that a pipe takes at least (pipe(7): 16 pages, and none is smaller than this makes them), except that of a user
 * without privileges who has many.
 */
const USUAL = 65_536;
/** Milliseconds between looks at whether the pipe has had room. */
const CHECK_PERIOD = 1;
/**
 * This many looks in a row without room and it is full. One alone tells nothing, since expired timers come before
 * descriptors, and under load a timer may be expired as soon as it is set; below the usual size, more have to.
 */
const CHECKS = { usual: 3, small: 50 } as const;

/**
 * Fills a pipe without O_NONBLOCK, which QuickJS cannot set: as long as poll(2) tells of room, one piece is written.
 * @throws Error when no descriptor is left
 */
export function openFullPipe(
	os: QuickJsOs,
	after: (milliseconds: number, callback: () => void) => Timer,
): Promise<FullPipe> {
	const pair = os.pipe();
	if (!pair) throw new Error("no file descriptor left for a pipe");
	const [readEnd, writeEnd] = pair;
	const piece = new ArrayBuffer(PIECE);
	const pipe: FullPipe = {
		descriptor: writeEnd,
		close() {
			os.setWriteHandler(writeEnd, null);
			os.close(writeEnd);
			os.close(readEnd);
		},
	};
	return new Promise((resolve) => {
		let written = 0;
		let quiet = 0;
		os.setWriteHandler(writeEnd, () => {
			quiet = 0;
			written += Math.max(0, os.write(writeEnd, piece, 0, PIECE));
		});
		const check = () => {
			if (quiet++ < (written >= USUAL ? CHECKS.usual : CHECKS.small)) {
				after(CHECK_PERIOD, check);
				return;
			}
			os.setWriteHandler(writeEnd, null);
			resolve(pipe);
		};
		check();
	});
}
