import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { Hopeless, until } from "./wait.ts";

/** How a process ended; one of the two is null. */
export interface Ended {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
}

export interface RunResult {
	/** Exit code; 128 + n when signal n ended the program, as a shell would say. */
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

export interface RunOptions {
	readonly stdin?: string;
	/** Return a failure (exit code other than 0) instead of throwing it. */
	readonly allowFailure?: boolean;
	/** Milliseconds before the program is killed and the call fails, default 30,000. */
	readonly timeout?: number;
}

export interface StartOptions {
	/** What messages call the process. */
	readonly name: string;
	/**
	 * Goes before whatever else the machine does (nice -10, where that is allowed): for BIRD and FRR, whose BFD takes a
	 * second without the processor for a dead neighbor. A busy machine is to be slow, not to play an outage of its own.
	 */
	readonly urgent?: boolean;
	/** Added to the usual environment. */
	readonly env?: Readonly<Record<string, string>>;
	/** Called with each line of standard output and standard error. */
	readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
}

const environment = {
	PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	HOME: "/root",
	LC_ALL: "C.UTF-8",
};

const rememberedLines = 2000;

/** A program running on a host of the lab. */
export class Process {
	readonly pid: number;
	/** Resolves once it has ended and all its output was read. */
	readonly ended: Promise<Ended>;
	/** The last 2,000 lines it printed, standard output and standard error as they came. */
	readonly lines: string[] = [];

	constructor(
		readonly name: string,
		private readonly child: ChildProcess,
		onLine: StartOptions["onLine"],
	) {
		this.pid = child.pid ?? -1;
		for (const stream of ["stdout", "stderr"] as const) {
			eachLine(child, stream, (line) => {
				this.lines.push(line);
				if (this.lines.length > rememberedLines) this.lines.shift();
				onLine?.(line, stream);
			});
		}
		this.ended = new Promise((resolve) => {
			child.on("close", (code, signal) => resolve({ code, signal }));
		});
		child.on("error", (error) => this.lines.push(error.message));
	}

	get running(): boolean {
		return this.child.exitCode === null && this.child.signalCode === null;
	}

	/** Sends a signal; does nothing when the process has ended. */
	kill(signal: NodeJS.Signals): void {
		this.child.kill(signal);
	}

	/** Sends a signal and waits for the end. After `timeout` ms (default 5,000) it is killed and the call fails. */
	async end(signal: NodeJS.Signals, timeout = 5000): Promise<Ended> {
		this.kill(signal);
		let late = false;
		const timer = setTimeout(() => {
			late = true;
			this.kill("SIGKILL");
		}, timeout);
		const ended = await this.ended;
		clearTimeout(timer);
		if (late) throw new Error(`${this.name}: still running ${timeout} ms after ${signal}\n${this.tail()}`);
		return ended;
	}

	/** @throws Hopeless with the last lines of output when it is not running; for probes that wait for it */
	mustRun(): void {
		if (!this.running) throw new Hopeless(`${this.name} has ended:\n${this.tail()}`);
	}

	/** Waits until it has printed a line that matches. @throws Error when it ends without, or after `timeout` ms */
	async says(pattern: RegExp, timeout = 10_000): Promise<void> {
		const probe = () => {
			if (this.lines.some((line) => pattern.test(line))) return true;
			this.mustRun();
			return this.tail();
		};
		await until(`${this.name} to print ${pattern}`, probe, { holds: (seen) => seen === true, timeout });
	}

	/** The last lines of output, for messages. */
	tail(count = 20): string {
		return this.lines.slice(-count).join("\n");
	}
}

function eachLine(child: ChildProcess, stream: "stdout" | "stderr", onLine: (line: string) => void): void {
	let rest = "";
	const source = child[stream];
	source?.setEncoding("utf8");
	source?.on("data", (chunk: string) => {
		const lines = (rest + chunk).split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) onLine(line);
	});
	source?.on("end", () => {
		if (rest !== "") onLine(rest);
	});
}

/** Starts a program with a session of its own, so that Ctrl-C at the terminal reaches only the lab's owner. */
export function startProcess(argv: readonly string[], options: StartOptions): Process {
	const [program = "", ...args] = argv;
	const child = spawn(program, args, {
		detached: true,
		env: { ...environment, ...options.env },
		stdio: ["ignore", "pipe", "pipe"],
	});
	return new Process(options.name, child, options.onLine);
}

/**
 * Runs a program to its end.
 * @param what names the program in errors
 * @throws Error with the exit code and standard error, unless failure is allowed; always when it takes too long
 */
export function runProcess(
	what: string,
	argv: readonly string[],
	options: RunOptions = {},
): Promise<RunResult> {
	const { timeout = 30_000 } = options;
	const [program = "", ...args] = argv;
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, { detached: true, env: environment, stdio: "pipe" });
		let stdout = "";
		let stderr = "";
		let late = false;
		const timer = setTimeout(() => {
			late = true;
			child.kill("SIGKILL");
		}, timeout);
		child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
			stdout += chunk;
		});
		child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
			stderr += chunk;
		});
		child.stdin.on("error", () => undefined); // a program may end before it has read everything
		child.stdin.end(options.stdin ?? "");
		child.on("error", reject);
		child.on("close", (exit, signal) => {
			clearTimeout(timer);
			const code = exit ?? 128 + signalNumber(signal);
			if (late) reject(new Error(`${what}: no end after ${timeout} ms`));
			else if (code !== 0 && options.allowFailure !== true) {
				reject(new Error(`${what}: exit ${code}: ${(stderr || stdout).trim()}`));
			} else resolve({ code, stdout, stderr });
		});
	});
}

function signalNumber(signal: NodeJS.Signals | null): number {
	return signal === null ? 0 : (constants.signals[signal] ?? 0);
}
