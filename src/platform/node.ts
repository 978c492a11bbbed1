import { openFullPipe } from "./node-pipe.ts";
import type {
	Child,
	ExitStatus,
	FifoReader,
	FileStatus,
	Files,
	Instant,
	Platform,
	SignalName,
	SpawnOptions,
	Timer,
} from "./types.ts";
import { FileError } from "./types.ts";

// Imported on demand: the one bundle also runs under qjs, which has none of these.
type ChildProcessModule = typeof import("node:child_process");
type FsModule = typeof import("node:fs");

/** The platform under Node.js: for tests and for trying the command line on a workstation. */
export async function createPlatform(): Promise<Platform> {
	const childProcess = await import("node:child_process");
	const fs = await import("node:fs");
	const net = await import("node:net");
	const os = await import("node:os");
	const process = (await import("node:process")).default;
	process.on("SIGPIPE", () => {});

	return {
		engine: `node ${process.version.slice(1)}`,
		pid: process.pid,
		args: process.argv.slice(2),
		now: (): Instant => ({ monotonic: performance.now(), wall: Date.now() }),
		after(milliseconds, callback): Timer {
			const due = performance.now() + milliseconds;
			// Node's timers may fire up to 1 ms early.
			const fire = () => {
				if (performance.now() < due) timer = setTimeout(fire, 1);
				else callback();
			};
			let timer = setTimeout(fire, Math.max(0, milliseconds));
			return { cancel: () => clearTimeout(timer) };
		},
		spawn: (options) => new NodeChild(childProcess, os.constants.signals, options),
		openFullPipe,
		onSignal: (signal: SignalName, handler) => void process.on(signal, handler),
		processExists(pid) {
			try {
				process.kill(pid, 0);
				return true;
			} catch (error) {
				return (error as NodeJS.ErrnoException).code === "EPERM";
			}
		},
		kill(pid, signal) {
			if (pid <= 0) return;
			try {
				process.kill(pid, signal);
			} catch {
				// There is none, or it is not ours to end.
			}
		},
		files: new NodeFiles(fs),
		openFifo(path, onChunk): FifoReader {
			const fd = attempt("open", path, () =>
				fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK),
			);
			const socket = new net.Socket({ fd, readable: true, writable: false });
			socket.on("data", (chunk: Buffer) => onChunk(new Uint8Array(chunk)));
			return { close: () => void socket.destroy() };
		},
		writeFifo(path, text) {
			attempt("write", path, () => {
				const fd = fs.openSync(path, fs.constants.O_RDWR);
				try {
					fs.writeSync(fd, text);
				} finally {
					fs.closeSync(fd);
				}
			});
		},
		print: (stream, text) => fs.writeSync(stream === "stdout" ? 1 : 2, text),
		isTerminal: (stream) => process[stream].isTTY === true,
		environment: (name) => process.env[name],
		setEnvironment: (name, value) => {
			process.env[name] = value;
		},
		exit: (code) => process.exit(code),
		random: Math.random,
	};
}

class NodeChild implements Child {
	readonly pid: number;
	private readonly process: ReturnType<ChildProcessModule["spawn"]>;
	private ended = false;
	private queued = 0;
	private drained: (() => void)[] = [];

	constructor(childProcess: ChildProcessModule, signals: Record<string, number>, options: SpawnOptions) {
		const [program, ...args] = options.argv;
		this.process = childProcess.spawn(program, args, {
			stdio: [
				options.stdin ? "pipe" : "ignore",
				options.stdout?.descriptor ?? (options.onStdout ? "pipe" : "ignore"),
				options.onStderr ? "pipe" : "ignore",
			],
		});
		this.pid = this.process.pid ?? 0;
		const exit = (status: ExitStatus) => {
			if (this.ended) return;
			this.ended = true;
			options.onExit(status);
		};
		this.process.stdout?.on("data", (chunk: Buffer) => options.onStdout?.(new Uint8Array(chunk)));
		this.process.stderr?.on("data", (chunk: Buffer) => options.onStderr?.(new Uint8Array(chunk)));
		this.process.stdin?.on("error", () => this.settle(this.queued));
		this.process.on("error", () => exit({ code: 127 }));
		this.process.on("close", (code, signal) =>
			exit(signal === null ? { code: code ?? 127 } : { signal: signals[signal] ?? 0 }),
		);
	}

	write(data: Uint8Array | string): void {
		const stdin = this.process.stdin;
		if (!stdin || stdin.destroyed || stdin.writableEnded) return;
		const bytes = Buffer.from(data);
		this.queued += bytes.length;
		stdin.write(bytes, () => this.settle(bytes.length));
	}

	get pendingBytes(): number {
		return this.queued;
	}

	onDrain(callback: () => void): void {
		this.drained.push(callback);
		if (this.queued === 0) setTimeout(() => this.settle(0), 0);
	}

	closeStdin(): void {
		this.process.stdin?.end();
	}

	kill(signal: SignalName): void {
		if (!this.ended) this.process.kill(signal);
	}

	private settle(bytes: number): void {
		this.queued = Math.max(0, this.queued - bytes);
		if (this.queued > 0) return;
		const callbacks = this.drained;
		this.drained = [];
		for (const callback of callbacks) callback();
	}
}

class NodeFiles implements Files {
	constructor(private readonly fs: FsModule) {}

	read(path: string, limit = 1 << 20): string {
		return attempt("read", path, () => {
			const fd = this.fs.openSync(path, "r");
			try {
				const whole = Buffer.alloc(limit + 1);
				let length = 0;
				for (;;) {
					const count = this.fs.readSync(fd, whole, length, whole.length - length, null);
					if (count === 0) return whole.toString("utf8", 0, length);
					length += count;
					if (length > limit) throw new FileError("read", path, `larger than ${limit} bytes`, false);
				}
			} finally {
				this.fs.closeSync(fd);
			}
		});
	}

	replace(path: string, text: string, mode = 0o644): void {
		const beside = `${path}.new`;
		try {
			attempt("write", path, () => this.fs.writeFileSync(beside, text, { mode }));
			attempt("rename", path, () => this.fs.renameSync(beside, path));
		} catch (error) {
			this.fs.rmSync(beside, { force: true });
			throw error;
		}
	}

	append(path: string, text: string): void {
		attempt("write", path, () => this.fs.appendFileSync(path, text));
	}

	countLines(path: string): number {
		return attempt("read", path, () => this.fs.readFileSync(path, "latin1").split("\n").length - 1);
	}

	dropLines(path: string, count: number): void {
		const text = attempt("read", path, () => this.fs.readFileSync(path, "utf8"));
		this.replace(path, text.split("\n").slice(count).join("\n"));
	}

	status(path: string): FileStatus | undefined {
		try {
			const stat = this.fs.statSync(path);
			const kind = stat.isFile()
				? "file"
				: stat.isDirectory()
					? "directory"
					: stat.isFIFO()
						? "fifo"
						: stat.isSocket()
							? "socket"
							: "other";
			return { kind, inode: stat.ino, size: stat.size, modified: Math.floor(stat.mtimeMs) };
		} catch {
			return undefined;
		}
	}

	list(path: string): string[] {
		return attempt("list", path, () => this.fs.readdirSync(path).sort());
	}

	makeDirectory(path: string): void {
		attempt("mkdir", path, () => this.fs.mkdirSync(path, { recursive: true, mode: 0o755 }));
	}

	remove(path: string): void {
		attempt("remove", path, () => this.fs.rmSync(path, { force: true }));
	}

	readLink(path: string): string | undefined {
		try {
			return this.fs.readlinkSync(path);
		} catch {
			return undefined;
		}
	}
}

/** Runs a file operation and turns Node's error into the platform's. */
function attempt<Result>(operation: string, path: string, action: () => Result): Result {
	try {
		return action();
	} catch (error) {
		if (error instanceof FileError) throw error;
		const { code, message } = error as NodeJS.ErrnoException;
		// Node's text is `ENOENT: no such file or directory, open '/x'`; the C library's starts with a capital.
		const words = /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
		if (code === "EISDIR") throw new FileError(operation, path, "Is a directory", false);
		const reason = words.charAt(0).toUpperCase() + words.slice(1);
		throw new FileError(operation, path, reason, code === "ENOENT" || code === "ENOTDIR");
	}
}
