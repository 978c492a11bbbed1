import { encodeUtf8 } from "../lib/utf8.ts";
import type { Child, SignalName, SpawnOptions, Timer } from "./types.ts";

/** What a write to a pipe takes without blocking once it is said to be writable: PIPE_BUF, see poll(2). */
const WRITE_PIECE = 4096;
const READ_PIECE = 65_536;
/** Milliseconds between looks at a process that has closed its output and not ended yet. */
const REAP_DELAYS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

/** What a child needs of the platform that starts it. */
export interface ChildContext {
	readonly os: QuickJsOs;
	readonly signals: Record<SignalName, number>;
	/** An open descriptor of /dev/null. */
	readonly devNull: number;
	after(milliseconds: number, callback: () => void): Timer;
}

/** One buffer for all children: a read is copied out of it before anything else can run. */
const readBuffer = new ArrayBuffer(READ_PIECE);

/**
 * A child process over `os.exec`. Its end is noticed by the end of its output, not by SIGCHLD: QuickJS may hold a
 * signal back until the next wake-up. So standard error is always a pipe, read and thrown away if nobody wants it.
 */
export class QuickJsChild implements Child {
	readonly pid: number;
	private readonly os: QuickJsOs;
	private stdin: number | undefined;
	private queue: Uint8Array[] = [];
	private queued = 0;
	private closing = false;
	private writing = false;
	private drained: (() => void)[] = [];
	private openOutputs = 0;
	private ended = false;

	constructor(
		private readonly context: ChildContext,
		private readonly options: SpawnOptions,
	) {
		const os = context.os;
		this.os = os;
		const opened: number[] = [];
		const pipe = (): [number, number] => {
			const pair = os.pipe();
			if (!pair) throw new Error(`${options.argv[0]}: no file descriptor left for a pipe`);
			opened.push(...pair);
			return pair;
		};
		let stdin: [number, number] | undefined;
		let stdout: [number, number] | undefined;
		let stderr: [number, number];
		try {
			stdin = options.stdin ? pipe() : undefined;
			stdout = options.onStdout ? pipe() : undefined;
			stderr = pipe();
			this.pid = os.exec(options.argv, {
				block: false,
				stdin: stdin?.[0] ?? context.devNull,
				stdout: options.stdout?.descriptor ?? stdout?.[1] ?? context.devNull,
				stderr: stderr[1],
			});
		} catch (error) {
			// No descriptor or no process is left: what was taken goes back.
			for (const fd of opened) os.close(fd);
			throw error;
		}
		os.close(stderr[1]);
		this.readFrom(stderr[0], options.onStderr);
		if (stdout) {
			os.close(stdout[1]);
			this.readFrom(stdout[0], options.onStdout);
		}
		if (stdin) {
			os.close(stdin[0]);
			this.stdin = stdin[1];
		}
	}

	write(data: Uint8Array | string): void {
		if (this.stdin === undefined || this.closing) return;
		const bytes = typeof data === "string" ? encodeUtf8(data) : data.slice();
		if (bytes.length === 0) return;
		this.queue.push(bytes);
		this.queued += bytes.length;
		this.awaitRoom();
	}

	get pendingBytes(): number {
		return this.queued;
	}

	onDrain(callback: () => void): void {
		this.drained.push(callback);
		if (this.queued === 0) this.context.after(0, () => this.settle());
	}

	closeStdin(): void {
		this.closing = true;
		if (this.queued === 0) this.dropStdin();
	}

	kill(signal: SignalName): void {
		if (!this.ended) this.os.kill(this.pid, this.context.signals[signal]);
	}

	private readFrom(fd: number, onChunk: ((chunk: Uint8Array) => void) | undefined): void {
		this.openOutputs++;
		this.os.setReadHandler(fd, () => {
			const count = this.os.read(fd, readBuffer, 0, READ_PIECE);
			if (count > 0) {
				onChunk?.(new Uint8Array(readBuffer.slice(0, count)));
				return;
			}
			// The handler goes first: one left on a closed descriptor burns a whole core.
			this.os.setReadHandler(fd, null);
			this.os.close(fd);
			this.openOutputs--;
			if (this.openOutputs === 0) this.reap(0);
		});
	}

	private awaitRoom(): void {
		if (this.writing || this.stdin === undefined) return;
		this.writing = true;
		this.os.setWriteHandler(this.stdin, () => this.writePiece());
	}

	private writePiece(): void {
		const first = this.queue[0];
		if (this.stdin === undefined || !first) return;
		const count = this.os.write(
			this.stdin,
			first.buffer as ArrayBuffer,
			first.byteOffset,
			Math.min(first.length, WRITE_PIECE),
		);
		if (count < 0) {
			this.dropStdin();
			return;
		}
		this.queued -= count;
		if (count < first.length) this.queue[0] = first.subarray(count);
		else this.queue.shift();
		if (this.queued > 0) return;
		this.stopWriting();
		if (this.closing) this.dropStdin();
		this.settle();
	}

	private stopWriting(): void {
		if (this.writing && this.stdin !== undefined) this.os.setWriteHandler(this.stdin, null);
		this.writing = false;
	}

	private dropStdin(): void {
		if (this.stdin === undefined) return;
		this.stopWriting();
		this.os.close(this.stdin);
		this.stdin = undefined;
		this.queue = [];
		this.queued = 0;
		this.settle();
	}

	private settle(): void {
		const callbacks = this.drained;
		this.drained = [];
		for (const callback of callbacks) callback();
	}

	private reap(attempt: number): void {
		const [pid, status] = this.os.waitpid(this.pid, this.os.WNOHANG);
		if (pid === 0) {
			const delay = REAP_DELAYS[Math.min(attempt, REAP_DELAYS.length - 1)] ?? 1000;
			this.context.after(delay, () => this.reap(attempt + 1));
			return;
		}
		this.ended = true;
		this.dropStdin();
		const signal = status & 0x7f;
		this.options.onExit(signal === 0 ? { code: (status >> 8) & 0xff } : { signal });
	}
}
