import type { FullPipe, Timer } from "./types.ts";

/** What a writable pipe takes without blocking: PIPE_BUF, see poll(2). */
const PIECE = 4096;
/** Milliseconds without room in the pipe. */
const QUIET = 1;
/** So many times in a row: one alone may be a timer that was late itself and so came before the pipe's turn. */
const QUIET_TIMES = 3;

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
		let quiet = 0;
		os.setWriteHandler(writeEnd, () => {
			quiet = 0;
			os.write(writeEnd, piece, 0, PIECE);
		});
		const wait = () => {
			quiet++;
			if (quiet <= QUIET_TIMES) {
				after(QUIET, wait);
				return;
			}
			os.setWriteHandler(writeEnd, null);
			resolve(pipe);
		};
		wait();
	});
}
