import { type Backoff, retryDelay } from "../lib/backoff.ts";
import { concatenate, LineSplitter } from "../lib/lines.ts";
import { decodeUtf8 } from "../lib/utf8.ts";
import type { Child, ExitStatus, Platform, Timer } from "./types.ts";

export interface SuperviseOptions {
	readonly argv: readonly [string, ...string[]];
	readonly stdin?: boolean;
	/** The table needs it; see `SpawnOptions`. */
	readonly urgent?: boolean;
	readonly backoff: Backoff;
	readonly onStdout: (chunk: Uint8Array) => void;
	/** A process was started. */
	readonly onStart: (child: Child) => void;
	/**
	 * The process ended though nobody stopped it, and is started again after `delay` ms.
	 * @param reason e.g. `nft: not found`, `nft monitor: exit 1: Operation not permitted`
	 */
	readonly onEnd: (reason: string, delay: number) => void;
}

/** A process that is started again whenever it ends. */
export interface Supervised {
	start(): void;
	/** Ends the process for good. */
	stop(): void;
	/**
	 * Ends the process and starts another one; `onEnd` is called with this reason.
	 * @param pause milliseconds until the other one is started; absent: as after any end
	 */
	replace(reason: string, pause?: number): void;
	readonly child: Child | undefined;
}

/** A run of this many milliseconds counts as a success: the next delay is the first again. */
const STABLE_RUN = 30_000;

/** Keeps one long-lived child process running, with backoff and jitter between its runs. */
export function supervise(platform: Platform, options: SuperviseOptions): Supervised {
	let child: Child | undefined;
	let timer: Timer | undefined;
	let failures = 0;
	let running = false;
	let startedAt = 0;

	const launch = () => {
		timer = undefined;
		startedAt = platform.now().monotonic;
		let lastWords = "";
		const errors = new LineSplitter((line) => {
			lastWords = line.text.slice(0, 200);
		}, 1024);
		let started: Child;
		try {
			started = platform.spawn({
				argv: options.argv,
				stdin: options.stdin ?? false,
				urgent: options.urgent ?? false,
				onStdout: (chunk) => {
					if (child === started) options.onStdout(chunk);
				},
				onStderr: (chunk) => errors.push(chunk),
				onExit: (status) => {
					if (child === started) ended(describeExit(options.argv, status, lastWords));
				},
			});
		} catch (error) {
			ended(`${options.argv.join(" ")}: ${error instanceof Error ? error.message : String(error)}`);
			return;
		}
		child = started;
		options.onStart(started);
	};

	const ended = (reason: string, pause?: number) => {
		child = undefined;
		failures = platform.now().monotonic - startedAt >= STABLE_RUN ? 1 : failures + 1;
		const delay = pause ?? retryDelay(options.backoff, failures, platform.random());
		timer = platform.after(delay, launch);
		options.onEnd(reason, delay);
	};

	return {
		get child() {
			return child;
		},
		start() {
			if (running) return;
			running = true;
			launch();
		},
		stop() {
			running = false;
			timer?.cancel();
			const last = child;
			child = undefined;
			last?.kill("SIGTERM");
		},
		replace(reason, pause) {
			if (!child) return;
			const last = child;
			child = undefined;
			last.kill("SIGKILL");
			ended(reason, pause);
		},
	};
}

/** One line about how a program ended, e.g. `nft -f -: exit 1: Operation not permitted`. */
export function describeExit(argv: readonly string[], status: ExitStatus, lastWords = ""): string {
	const words = lastWords.trim() === "" ? "" : `: ${lastWords.trim()}`;
	if ("signal" in status) return `${argv.join(" ")}: ended by signal ${status.signal}${words}`;
	if (status.code === 127) return `${argv[0] ?? ""}: not found`;
	return `${argv.join(" ")}: exit ${status.code}${words}`;
}

/**
 * Short-lived children that run at a time, and all children together from which on only one of them does: the table's own are
 * started beside them.
 */
const AT_A_TIME = { short: 2, all: 7 } as const;
/** Milliseconds that a child waits for its turn; then what it was for has changed. */
const TURN_PATIENCE = 15_000;

interface Turns {
	running: number;
	readonly waiting: { readonly start: () => void; readonly timer: Timer }[];
}

const turns = new WeakMap<Platform, Turns>();

/**
 * Starts something that runs a short-lived child when few others run. Hundreds of peers are hundreds of questions: asked at once
 * they would leave no process and no descriptor for anything else.
 * @param task calls back when the child has ended
 * @param options.isWanted asked when its turn comes, if it had to wait
 * @param options.onLeftOut in place of the task, when it has waited for too long, or is no longer wanted
 */
export function inTurn(
	platform: Platform,
	task: (done: () => void) => void,
	options: {
		readonly urgent?: boolean;
		readonly isWanted?: () => boolean;
		readonly onLeftOut: (complaint: string) => void;
	},
): void {
	if (options.urgent) {
		task(() => {});
		return;
	}
	const known: Turns = turns.get(platform) ?? { running: 0, waiting: [] };
	turns.set(platform, known);
	const mayStart = () =>
		known.running === 0 || (known.running < AT_A_TIME.short && platform.childCount < AT_A_TIME.all);
	const start = () => {
		known.running++;
		task(() => {
			known.running--;
			while (known.waiting.length > 0 && mayStart()) {
				const next = known.waiting.shift();
				next?.timer.cancel();
				next?.start();
			}
		});
	};
	if (known.waiting.length === 0 && mayStart()) {
		start();
		return;
	}
	const timer = platform.after(TURN_PATIENCE, () => {
		known.waiting.splice(known.waiting.indexOf(entry), 1);
		options.onLeftOut(`no turn within ${TURN_PATIENCE / 1000} s: too many processes were wanted`);
	});
	const entry = {
		start: () => (options.isWanted?.() === false ? options.onLeftOut("no longer wanted") : start()),
		timer,
	};
	known.waiting.push(entry);
}

/** What a short-lived program printed and how it ended. */
export interface Completed {
	readonly status: ExitStatus;
	readonly stdout: string;
	/** First line of standard error. */
	readonly complaint: string;
	readonly timedOut: boolean;
}

/**
 * Runs a program to its end, without blocking.
 * @param options.input what it reads; absent: /dev/null
 * @param options.timeout milliseconds until it is killed
 * @param options.limit bytes of output that are kept, default 1 MiB; the rest is dropped
 * @param options.onStart gets the process id as soon as it runs
 * @param options.urgent the table needs it: it waits for no turn
 * @param options.isWanted asked when it has waited for its turn
 * @returns never a rejection: a process that cannot be started is exit status 126 with the reason as complaint
 */
export function runToEnd(
	platform: Platform,
	argv: readonly [string, ...string[]],
	options: {
		input?: string;
		timeout: number;
		limit?: number;
		onStart?: (pid: number) => void;
		urgent?: boolean;
		isWanted?: () => boolean;
	},
): Promise<Completed> {
	return new Promise((resolve) => {
		inTurn(
			platform,
			(done) =>
				runNow(platform, argv, options, (completed) => {
					done();
					resolve(completed);
				}),
			{
				urgent: options.urgent === true,
				...(options.isWanted ? { isWanted: options.isWanted } : {}),
				onLeftOut: (complaint) => resolve({ status: { code: 126 }, stdout: "", complaint, timedOut: false }),
			},
		);
	});
}

function runNow(
	platform: Platform,
	argv: readonly [string, ...string[]],
	options: Parameters<typeof runToEnd>[2],
	resolve: (completed: Completed) => void,
): void {
	const pieces: Uint8Array[] = [];
	let kept = 0;
	let complaint = "";
	let timedOut = false;
	const errors = new LineSplitter((line) => {
		complaint ||= line.text;
	}, 1024);
	let child: Child;
	try {
		child = platform.spawn({
			argv,
			stdin: options.input !== undefined,
			urgent: options.urgent === true,
			onStdout: (chunk) => {
				kept += chunk.length;
				if (kept <= (options.limit ?? 1 << 20)) pieces.push(chunk);
			},
			onStderr: (chunk) => errors.push(chunk),
			onExit: (status) => {
				timer.cancel();
				resolve({ status, stdout: decodeUtf8(concatenate(pieces)), complaint, timedOut });
			},
		});
	} catch (error) {
		complaint = error instanceof Error ? error.message : String(error);
		resolve({ status: { code: 126 }, stdout: "", complaint, timedOut });
		return;
	}
	options.onStart?.(child.pid);
	if (options.input !== undefined) {
		child.write(options.input);
		child.closeStdin();
	}
	const timer = platform.after(options.timeout, () => {
		timedOut = true;
		child.kill("SIGKILL");
	});
}
