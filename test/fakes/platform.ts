import { decodeUtf8, encodeUtf8 } from "../../src/lib/utf8.ts";
import type {
	Child,
	ExitStatus,
	FifoReader,
	FullPipe,
	Instant,
	Platform,
	SignalName,
	SpawnOptions,
	Timer,
} from "../../src/platform/types.ts";
import { FileError } from "../../src/platform/types.ts";
import { FakeFiles } from "./files.ts";

/** Plays the program that was started: writes, reads and ends through the child. */
export type Script = (child: FakeChild) => void;

/** A process that exists only here. What it prints arrives in the order of the calls, never inside them. */
export class FakeChild implements Child {
	/** All that was written to its standard input. */
	written = "";
	stdinClosed = false;
	readonly signals: SignalName[] = [];
	ended = false;
	/** Whether SIGTERM and SIGKILL end it, as they do by default. */
	mortal = true;
	private readonly readers: ((text: string) => void)[] = [];
	private readonly closers: (() => void)[] = [];

	constructor(
		readonly pid: number,
		readonly argv: readonly string[],
		private readonly options: SpawnOptions,
		private readonly soon: (task: () => void) => void,
	) {}

	write(data: Uint8Array | string): void {
		const text = typeof data === "string" ? data : decodeUtf8(data);
		if (this.ended || this.stdinClosed || !this.options.stdin) return;
		this.written += text;
		this.soon(() => {
			for (const reader of this.readers) reader(text);
		});
	}

	get pendingBytes(): number {
		return 0;
	}

	onDrain(callback: () => void): void {
		this.soon(callback);
	}

	closeStdin(): void {
		if (this.stdinClosed) return;
		this.stdinClosed = true;
		this.soon(() => {
			for (const closer of this.closers) closer();
		});
	}

	kill(signal: SignalName): void {
		if (this.ended) return;
		this.signals.push(signal);
		if (this.mortal && signal === "SIGKILL") this.end({ signal: 9 });
		if (this.mortal && signal === "SIGTERM") this.end({ signal: 15 });
	}

	/** For scripts: called with each text that is written to the child. */
	onWritten(reader: (text: string) => void): void {
		this.readers.push(reader);
	}

	/** For scripts: called when its standard input has ended. */
	onStdinEnd(closer: () => void): void {
		this.closers.push(closer);
	}

	/** The child prints. */
	out(data: string | Uint8Array): void {
		if (this.ended) return;
		const chunk = typeof data === "string" ? encodeUtf8(data) : data;
		this.soon(() => this.options.onStdout?.(chunk));
	}

	/** The child complains. */
	err(text: string): void {
		if (!this.ended) this.soon(() => this.options.onStderr?.(encodeUtf8(text)));
	}

	/** The child ends; only the first call counts. */
	end(status: ExitStatus | number): void {
		if (this.ended) return;
		this.ended = true;
		this.soon(() => this.options.onExit(typeof status === "number" ? { code: status } : status));
	}
}

/** What `exit` throws, since it cannot return. */
export class Exited extends Error {
	constructor(readonly code: number) {
		super(`exit ${code}`);
	}
}

interface PendingTimer {
	readonly at: number;
	readonly callback: () => void;
}

/**
 * A platform without a machine: time passes when the test says so, processes are scripts, files are in memory.
 * Callbacks come from `advance` and `settle` alone, as on the real platforms they come from the event loop alone.
 */
export class FakePlatform implements Platform {
	readonly engine = "fake";
	readonly pid = 4242;
	readonly args: readonly string[] = [];
	/** All processes started, in order, those that have ended among them. */
	readonly children: FakeChild[] = [];
	readonly printed = { stdout: "", stderr: "" };
	readonly files: FakeFiles;
	/** Processes that run now. */
	get childCount(): number {
		return this.children.filter((child) => !child.ended).length;
	}
	/** Signals that were sent to processes that are not children. */
	readonly killed: { pid: number; signal: SignalName }[] = [];
	/** What `random` returns. */
	chance = 0;
	private monotonic = 1000;
	private wall = Date.UTC(2026, 10, 24, 3, 0, 0);
	private tasks: (() => void)[] = [];
	private timers: PendingTimer[] = [];
	private readonly scripts = new Map<string, Script>();
	private readonly handlers = new Map<SignalName, () => void>();
	private readonly fifos = new Map<string, ((chunk: Uint8Array) => void)[]>();
	private readonly variables = new Map<string, string>();
	private readonly processes = new Set<number>();

	constructor() {
		this.files = new FakeFiles(() => this.wall);
	}

	/** How a program behaves from now on; a program without a script is not installed: exit 127. */
	program(name: string, script: Script | undefined): void {
		if (script) this.scripts.set(name, script);
		else this.scripts.delete(name);
	}

	/** Processes of this program that run now. */
	running(name: string): FakeChild[] {
		return this.children.filter((child) => child.argv[0] === name && !child.ended);
	}

	/** Lets time pass: timers fire in order, each at its own time, and everything due is delivered. */
	advance(milliseconds: number): void {
		const end = this.monotonic + milliseconds;
		for (;;) {
			this.runTasks();
			const next = this.timers.reduce<PendingTimer | undefined>(
				(first, timer) => (first && first.at <= timer.at ? first : timer),
				undefined,
			);
			if (!next || next.at > end) break;
			this.timers = this.timers.filter((timer) => timer !== next);
			this.pass(next.at - this.monotonic);
			next.callback();
		}
		this.pass(end - this.monotonic);
	}

	/** Delivers what is due now, and lets promises go on, until nothing moves. */
	async settle(): Promise<void> {
		for (let quiet = 0; quiet < 10; quiet++) {
			if (this.tasks.length > 0) quiet = 0;
			this.advance(0);
			await Promise.resolve();
		}
	}

	/** Sets the wall clock, as NTP does; the monotonic clock does not notice. */
	setWall(milliseconds: number): void {
		this.wall = milliseconds;
	}

	readonly setEnvironment = (name: string, value: string): void => {
		this.variables.set(name, value);
	};

	readonly kill = (pid: number, signal: SignalName): void => {
		this.killed.push({ pid, signal });
	};

	/** Makes `processExists` say yes for a process that is not a child. */
	setProcess(pid: number, exists: boolean): void {
		if (exists) this.processes.add(pid);
		else this.processes.delete(pid);
	}

	/** This process gets a signal. */
	raise(signal: SignalName): void {
		this.tasks.push(() => this.handlers.get(signal)?.());
	}

	now(): Instant {
		return { monotonic: this.monotonic, wall: this.wall };
	}

	after(milliseconds: number, callback: () => void): Timer {
		const timer = { at: this.monotonic + Math.max(milliseconds, 0), callback };
		this.timers.push(timer);
		return {
			cancel: () => {
				this.timers = this.timers.filter((each) => each !== timer);
			},
		};
	}

	/** How many timers wait: a thing that was stopped leaves none. */
	get pendingTimers(): number {
		return this.timers.length;
	}

	spawn(options: SpawnOptions): FakeChild {
		const pid = 5000 + this.children.length;
		const child = new FakeChild(pid, options.argv, options, (task) => this.tasks.push(task));
		this.children.push(child);
		const script = this.scripts.get(options.argv[0]);
		this.tasks.push(() => (script ? script(child) : child.end(127)));
		return child;
	}

	openFullPipe(): Promise<FullPipe> {
		return Promise.resolve({ descriptor: -1, close: () => {} });
	}

	onSignal(signal: SignalName, handler: () => void): void {
		this.handlers.set(signal, handler);
	}

	processExists(pid: number): boolean {
		return this.processes.has(pid) || this.children.some((child) => child.pid === pid && !child.ended);
	}

	openFifo(path: string, onChunk: (chunk: Uint8Array) => void): FifoReader {
		if (this.files.status(path)?.kind !== "fifo")
			throw new FileError("open", path, "No such file or directory", true);
		const readers = this.fifos.get(path) ?? [];
		readers.push(onChunk);
		this.fifos.set(path, readers);
		return { close: () => readers.splice(readers.indexOf(onChunk), 1) };
	}

	async writeFifo(path: string, text: string): Promise<void> {
		const readers = this.fifos.get(path);
		if (!readers) throw new FileError("write", path, "No such device or address", false);
		this.tasks.push(() => {
			for (const reader of readers) reader(encodeUtf8(text));
		});
	}

	print(stream: "stdout" | "stderr", text: string): void {
		this.printed[stream] += text;
	}

	isTerminal(): boolean {
		return false;
	}

	environment(name: string): string | undefined {
		return this.variables.get(name);
	}

	exit(code: number): never {
		throw new Exited(code);
	}

	random(): number {
		return this.chance;
	}

	private runTasks(): void {
		for (let task = this.tasks.shift(); task; task = this.tasks.shift()) task();
	}

	private pass(milliseconds: number): void {
		this.monotonic += milliseconds;
		this.wall += milliseconds;
	}
}
