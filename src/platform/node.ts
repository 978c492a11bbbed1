import { attempt, NodeFiles } from "./node-files.ts";
import { openFullPipe } from "./node-pipe.ts";
import type {
	Child,
	ExitStatus,
	FifoReader,
	Instant,
	Platform,
	SignalName,
	SpawnOptions,
	Timer,
} from "./types.ts";
import { FIFO_FULL, FIFO_PATIENCE, FileError } from "./types.ts";

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
		get childCount() {
			return NodeChild.count;
		},
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
		async writeFifo(path, text) {
			const until = performance.now() + FIFO_PATIENCE;
			const { O_RDWR, O_NONBLOCK } = fs.constants;
			const fd = attempt("open", path, () => fs.openSync(path, O_RDWR | O_NONBLOCK));
			try {
				while (!attempt("write", path, () => writeAtOnce(fs, fd, text))) {
					if (performance.now() >= until) throw new FileError("write", path, FIFO_FULL, false);
					await new Promise((resolve) => setTimeout(resolve, 50));
				}
			} finally {
				fs.closeSync(fd);
			}
		},
		print: (stream, text) => fs.writeSync(stream === "stdout" ? 1 : 2, text),
		isTerminal: (stream) => process[stream].isTTY === true,
		environment: (name) => process.env[name],
		setEnvironment: (name, value) => {
			process.env[name] = value;
		},
		exit(code) {
			NodeChild.endAll();
			return process.exit(code);
		},
		random: Math.random,
	};
}

/** @returns whether the FIFO had room */
function writeAtOnce(fs: FsModule, fd: number, text: string): boolean {
	try {
		fs.writeSync(fd, text);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
		throw error;
	}
}

/** Milliseconds for which the output of a child that has ended may stay open. */
const HELD_OPEN = 5000;

class NodeChild implements Child {
	private static readonly running = new Set<NodeChild>();
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
			NodeChild.running.delete(this);
			options.onExit(status);
		};
		NodeChild.running.add(this);
		// What others still hold open is waited for no longer than under QuickJS.
		this.process.once("exit", () => setTimeout(() => this.dropOutputs(), HELD_OPEN).unref());
		this.process.stdout?.on("data", (chunk: Buffer) => options.onStdout?.(new Uint8Array(chunk)));
		this.process.stderr?.on("data", (chunk: Buffer) => options.onStderr?.(new Uint8Array(chunk)));
		this.process.stdin?.on("error", () => this.settle(this.queued));
		this.process.on("error", () => exit({ code: 127 }));
		this.process.on("close", (code, signal) =>
			exit(signal === null ? { code: code ?? 127 } : { signal: signals[signal] ?? 0 }),
		);
	}

	/** How many run. */
	static get count(): number {
		return NodeChild.running.size;
	}

	static endAll(): void {
		for (const child of NodeChild.running) child.kill("SIGKILL");
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
		if (this.ended) return;
		this.process.kill(signal);
		// Whom it has started may hold its output for ever.
		if (signal !== "SIGKILL") return;
		this.process.once("exit", () => this.dropOutputs());
	}

	private dropOutputs(): void {
		this.process.stdout?.destroy();
		this.process.stderr?.destroy();
	}

	private settle(bytes: number): void {
		this.queued = Math.max(0, this.queued - bytes);
		if (this.queued > 0) return;
		const callbacks = this.drained;
		this.drained = [];
		for (const callback of callbacks) callback();
	}
}
