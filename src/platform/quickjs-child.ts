import { encodeUtf8 } from "../lib/utf8.ts";
import type { Children, Reserve } from "./quickjs-children.ts";
import { type Listening, listen } from "./quickjs-pipe.ts";
import type { Child, ExitStatus, SignalName, SpawnOptions, Timer } from "./types.ts";

/** What a write to a pipe takes without blocking once it is said to be writable: PIPE_BUF, see poll(2). */
const WRITE_PIECE = 4096;
const READ_PIECE = 65_536;
/** QuickJS waits with select(2), which knows no descriptor from 1024 on, and writes beyond its set for one. */
const MOST_DESCRIPTORS = 1000;
/** Milliseconds between looks at a process that has closed its output and not ended yet. */
const REAP_DELAYS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

/** What a child needs of the platform that starts it. */
export interface ChildContext {
	readonly os: QuickJsOs;
	readonly signals: Record<SignalName, number>;
	/** An open descriptor of /dev/null. */
	readonly devNull: number;
	readonly reserve: Reserve;
	readonly children: Children;
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
	/** Its outputs that are open. */
	private readonly outputs = new Set<Listening>();
	private ended: ExitStatus | undefined;
	private told = false;
	private reaping = false;

	constructor(
		private readonly context: ChildContext,
		private readonly options: SpawnOptions,
	) {
		const os = context.os;
		this.os = os;
		const started = options.urgent ? context.reserve.lend(() => this.start()) : this.start();
		this.pid = started.pid;
		context.children.add(this);
		this.readFrom(started.stderr, options.onStderr);
		if (started.stdout !== undefined) this.readFrom(started.stdout, options.onStdout);
		this.stdin = started.stdin;
	}

	/** Starts the process. @returns this side's ends of its pipes */
	private start() {
		const { os, options, context } = this;
		const opened: number[] = [];
		const pipe = (): [number, number] => {
			const pair = os.pipe();
			if (pair) opened.push(...pair);
			if (!pair || Math.max(...pair) > MOST_DESCRIPTORS)
				throw new Error(`${options.argv[0]}: no file descriptor left for a pipe`);
			return pair;
		};
		try {
			const stdin = options.stdin ? pipe() : undefined;
			const stdout = options.onStdout ? pipe() : undefined;
			const stderr = pipe();
			const pid = os.exec(options.argv, {
				block: false,
				stdin: stdin?.[0] ?? context.devNull,
				stdout: options.stdout?.descriptor ?? stdout?.[1] ?? context.devNull,
				stderr: stderr[1],
			});
			for (const fd of [stdin?.[0], stdout?.[1], stderr[1]]) if (fd !== undefined) os.close(fd);
			return { pid, stdin: stdin?.[1], stdout: stdout?.[0], stderr: stderr[0] };
		} catch (error) {
			// No descriptor or no process is left: what was taken goes back.
			for (const fd of opened) os.close(fd);
			throw error;
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
		if (this.ended) return;
		this.os.kill(this.pid, this.context.signals[signal]);
		// Whom it has started may hold its output for ever.
		if (signal === "SIGKILL") this.context.after(0, () => this.reap(0));
	}

	/** Whether it has ended, though its output has not: then what comes until the next look is all. */
	look(): void {
		if (this.ended) this.finish();
		else this.wait();
	}

	private readFrom(fd: number, onChunk: ((chunk: Uint8Array) => void) | undefined): void {
		const piece = Math.min(this.options.piece ?? READ_PIECE, READ_PIECE);
		const output = listen(this.os, fd, () => {
			const count = this.os.read(fd, readBuffer, 0, piece);
			if (count > 0) {
				onChunk?.(new Uint8Array(readBuffer.slice(0, count)));
				return;
			}
			output.close();
			this.outputs.delete(output);
			if (this.outputs.size === 0) this.reap(0);
		});
		this.outputs.add(output);
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
		if (this.queued > 0) {
			// Behind the others, as after a read.
			this.stopWriting();
			this.awaitRoom();
			return;
		}
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

	/** Waits for the process's end. */
	private reap(attempt: number): void {
		if (attempt === 0) {
			if (this.reaping) return;
			this.reaping = true;
		}
		if (this.ended || this.wait()) {
			this.finish();
			return;
		}
		const delay = REAP_DELAYS[Math.min(attempt, REAP_DELAYS.length - 1)] ?? 1000;
		this.context.after(delay, () => this.reap(attempt + 1));
	}

	/** @returns whether it has ended */
	private wait(): boolean {
		const [pid, status] = this.os.waitpid(this.pid, this.os.WNOHANG);
		if (pid === 0) return false;
		// Whoever has this process's children reaped elsewhere (SIGCHLD ignored, say) leaves no word of how it ended: no success.
		if (pid < 0) {
			this.ended = { code: 126 };
			return true;
		}
		const signal = status & 0x7f;
		this.ended = signal === 0 ? { code: (status >> 8) & 0xff } : { signal };
		return true;
	}

	private finish(): void {
		if (this.told || !this.ended) return;
		this.told = true;
		for (const output of this.outputs) output.close();
		this.outputs.clear();
		this.dropStdin();
		this.context.children.remove(this);
		this.context.reserve.fill();
		this.options.onExit(this.ended);
	}
}
