/**
 * The narrow waist: everything the daemon may ask of the machine it runs on. Two implementations,
 * `quickjs.ts` and `node.ts`, pass the same contract suite (test/contract); nothing outside `platform/`
 * imports `std`, `os` or `node:*`.
 */

/** One moment, on both clocks, read together. The pure core gets its time only through this. */
export interface Instant {
	/** Milliseconds on a clock that never jumps; only differences mean something. */
	readonly monotonic: number;
	/** Milliseconds since 1970-01-01T00:00Z, as the router believes (wrong until NTP has answered). */
	readonly wall: number;
}

/** A timer that has not fired yet. Cancelling one that has fired does nothing. */
export interface Timer {
	cancel(): void;
}

/** How a child process ended: by its own exit code, or by a signal's number. */
export type ExitStatus = { readonly code: number } | { readonly signal: number };

export interface SpawnOptions {
	/** Program and arguments, searched in PATH; never seen by a shell. */
	readonly argv: readonly [string, ...string[]];
	/** Whether the child gets a pipe as standard input; otherwise it reads /dev/null. */
	readonly stdin?: boolean;
	/** Called with each chunk of standard output as it comes; absent: output goes to /dev/null. */
	readonly onStdout?: (chunk: Uint8Array) => void;
	/** Standard output goes into this pipe: the child waits as soon as it writes. Instead of `onStdout`. */
	readonly stdout?: FullPipe;
	/** The same as `onStdout` for standard error. */
	readonly onStderr?: (chunk: Uint8Array) => void;
	/**
	 * Called exactly once, after the process has ended and all its piped output was delivered; what others that it has started
	 * still hold open is waited for a few seconds at most, and after SIGKILL not at all. A program that cannot be executed
	 * (missing, not executable) is `{ code: 127 }`.
	 */
	readonly onExit: (status: ExitStatus) => void;
	/** What the table needs: it may have the descriptors that are kept free for that. */
	readonly urgent?: boolean;
	/** Bytes that are read of its output at a time, default 65,536: others wait while they are dealt with. */
	readonly piece?: number;
}

/** A running child process. */
export interface Child {
	readonly pid: number;
	/**
	 * Queues bytes for standard input, in order; they are written in pieces of at most 4096 bytes whenever the pipe
	 * has room, so a child that does not read never blocks the daemon. Does nothing after the child has
	 * closed its input.
	 */
	write(data: Uint8Array | string): void;
	/** Bytes accepted by `write` that the child's pipe has not taken yet. */
	readonly pendingBytes: number;
	/** Calls back, once, as soon as `pendingBytes` is 0 (at the next turn if it is already). */
	onDrain(callback: () => void): void;
	/** Ends standard input once everything queued has been written. */
	closeStdin(): void;
	/** Sends a signal; does nothing when the process has ended. */
	kill(signal: SignalName): void;
}

export type SignalName = "SIGHUP" | "SIGINT" | "SIGTERM" | "SIGKILL" | "SIGUSR1" | "SIGSTOP" | "SIGCONT";

/** A file operation that failed: `operation: path: reason`, e.g. `open: /etc/x: No such file or directory`. */
export class FileError extends Error {
	constructor(
		readonly operation: string,
		readonly path: string,
		/** The operating system's words, e.g. `No space left on device`. */
		readonly reason: string,
		/** Whether the reason is that the file or a directory above it does not exist. */
		readonly missing: boolean,
	) {
		super(`${operation}: ${path}: ${reason}`);
		this.name = "FileError";
	}
}

/** A FIFO where a file should be; `/dev/stdin` is one that somebody writes. @returns why it is not opened */
export function fifoInPlace(files: Pick<Files, "status">, path: string): FileError | undefined {
	if (path.startsWith("/dev/") || files.status(path)?.kind !== "fifo") return undefined;
	return new FileError("read", path, "Is a FIFO, not a file", false);
}

/** Milliseconds that `Platform.writeFifo` waits for room in a full FIFO, and what it says then. */
export const FIFO_PATIENCE = 2000;
export const FIFO_FULL = "full, nobody reads it";

export interface FileStatus {
	readonly kind: "file" | "directory" | "fifo" | "socket" | "other";
	readonly inode: number;
	/** Bytes. */
	readonly size: number;
	/** Last modification, milliseconds since 1970. */
	readonly modified: number;
}

/** Synchronous file access: the daemon's files are small and on tmpfs or flash. */
export interface Files {
	/**
	 * The whole file as UTF-8 text (invalid bytes become U+FFFD). Works for /proc, whose files have no size.
	 * @throws FileError, also for a directory, a file over `limit` bytes (default 1 MiB), and a FIFO outside /dev, which would have to
	 * be waited for
	 */
	read(path: string, limit?: number): string;
	/**
	 * Replaces the file in one step: written beside it, as `NAME.new`, and renamed over it. Readers see the old text or the new.
	 * What has that name already goes: a link there is never followed.
	 * @param options.mode permission bits, default 0o644
	 * @param options.durable it is on the disk before it gets its name: after a power cut it is the old text or the new
	 * @param text in pieces where the whole would cost memory, of text or of bytes that are written as they are
	 * @throws FileError; the old file is then untouched and nothing is left beside it
	 */
	replace(
		path: string,
		text: string | Iterable<string | Uint8Array>,
		options?: { mode?: number; durable?: boolean },
	): void;
	/** Adds to the end, creating the file, in place of a symbolic link or a FIFO too. @throws FileError */
	append(path: string, text: string): void;
	/** Lines in a file (newlines, to be exact); reads it in pieces. @throws FileError */
	countLines(path: string): number;
	/**
	 * Takes the first lines off a file, in one step as `replace` does, copying in pieces: a long file costs no memory.
	 * @throws FileError; the file is then untouched
	 */
	dropLines(path: string, count: number): void;
	/** What is there (following links), or undefined when nothing is or it cannot be looked at. */
	status(path: string): FileStatus | undefined;
	/** Names in a directory, without `.` and `..`, sorted. @throws FileError */
	list(path: string): string[];
	/** Creates a directory and those above it (mode 0755); one that exists is fine. @throws FileError */
	makeDirectory(path: string): void;
	/** Gives a file another name, in the same directory, in place of what has it. @throws FileError */
	rename(path: string, to: string): void;
	/** Removes a file; one that does not exist is fine. @throws FileError */
	remove(path: string): void;
	/** Where a symbolic link points, or undefined. For /proc/PID/exe and the like. */
	readLink(path: string): string | undefined;
}

/** An open FIFO that this process reads. */
export interface FifoReader {
	close(): void;
}

/**
 * A pipe that is full and that nobody reads: whoever writes into it waits, without using the processor. When this
 * process closes it or ends, in whatever way, all of them get SIGPIPE.
 */
export interface FullPipe {
	/** Descriptor of the end that is written to. */
	readonly descriptor: number;
	close(): void;
}

export interface Platform {
	/** `quickjs` or `node`, with the version where the engine tells it. */
	readonly engine: string;
	/** This process's id. */
	readonly pid: number;
	/** Child processes that run now. */
	readonly childCount: number;
	now(): Instant;
	/** Calls back once after `milliseconds` on the monotonic clock, never before. */
	after(milliseconds: number, callback: () => void): Timer;
	spawn(options: SpawnOptions): Child;
	/** Makes a full pipe; takes some milliseconds. */
	openFullPipe(): Promise<FullPipe>;
	/** Handles a signal instead of its default action. SIGPIPE is always survived. */
	onSignal(signal: SignalName, handler: () => void): void;
	/** Whether a process with this id exists. */
	processExists(pid: number): boolean;
	/** Sends a signal to a process that is not a child; does nothing when there is none. */
	kill(pid: number, signal: SignalName): void;
	readonly files: Files;
	/**
	 * Reads a FIFO that exists already, for ever: opened so that writers coming and going never end it.
	 * @throws FileError
	 */
	openFifo(path: string, onChunk: (chunk: Uint8Array) => void): FifoReader;
	/**
	 * Writes one message (under PIPE_BUF, 4096 bytes) into a FIFO that somebody reads; a full one is waited for, 2 s at most.
	 * Rejects with a FileError.
	 */
	writeFifo(path: string, text: string): Promise<void>;
	/** Writes to standard output or standard error, completely. */
	print(stream: "stdout" | "stderr", text: string): void;
	/** Whether that stream is a terminal. */
	isTerminal(stream: "stdout" | "stderr"): boolean;
	environment(name: string): string | undefined;
	/** Sets a variable for this process and for all children that it starts from now on. */
	setEnvironment(name: string, value: string): void;
	/** The command line after the program's own name. */
	readonly args: readonly string[];
	/** Ends this process at once, and the children that it has. */
	exit(code: number): never;
	/** Uniform in [0, 1); for jitter, not for secrets. */
	random(): number;
}
