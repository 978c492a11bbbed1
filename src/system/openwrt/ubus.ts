import type { Backoff } from "../../lib/backoff.ts";
import { LineSplitter } from "../../lib/lines.ts";
import { describeExit, runToEnd, type Supervised, supervise } from "../../platform/supervise.ts";
import type { Platform } from "../../platform/types.ts";
import {
	type JsonObject,
	parseComplaint,
	parseEvent,
	parseReply,
	type UbusEvent,
} from "./service-messages.ts";

/** Seconds that ubus lets a command take; its `-t`. */
const TIMEOUT = 5;
/** Milliseconds more until it is killed: its own limit does not cover connecting to a stopped ubusd. */
const GRACE = 1000;
/** Bytes of a reply; ubusd itself takes no message over 1 MiB. */
const LIMIT = 1 << 20;
/** Before another try to attach to an object that is not there; whoever learns that it came restarts the stream. */
const BACKOFF: Backoff = { first: 100, longest: 7000, lasting: 60_000 };

/** @property reason one line, e.g. `ubus call service list: Not found` */
export type UbusResult<Value> =
	| { readonly ok: true; readonly value: Value }
	| { readonly ok: false; readonly reason: string };

export interface StreamOptions {
	readonly onEvent: (event: UbusEvent) => void;
	/** A process was started; it may still find that what it wants is not there. */
	readonly onStart?: () => void;
	/** The process ended and is started again after `delay` ms. */
	readonly onEnd?: (end: { reason: string; delay: number }) => void;
	/** A line that ubus does not print; called for the first one of each run. */
	readonly onGarbage?: (text: string) => void;
}

/** A long-lived `ubus` that prints what happens. It neither ends nor attaches again when ubusd or the object goes. */
export interface UbusStream {
	start(): void;
	stop(): void;
	/** Attaches anew, at once: what it was attached to is no longer there. */
	restart(): void;
}

/** OpenWrt's message bus through its command line, without a shell. */
export interface Ubus {
	/** @param message arguments by name; @returns the reply, empty where the method answers nothing */
	call(path: string, method: string, message?: JsonObject): Promise<UbusResult<JsonObject>>;
	/** Notifications of objects. */
	subscribe(paths: readonly [string, ...string[]], options: StreamOptions): UbusStream;
	/** Broadcast events. @param patterns types, or their beginning with `*` */
	listen(patterns: readonly [string, ...string[]], options: StreamOptions): UbusStream;
}

export function createUbus(platform: Platform): Ubus {
	/** @param words what errors call the command */
	const run = async <Value>(
		words: string,
		args: readonly string[],
		parse: (text: string) => Value | undefined,
	): Promise<UbusResult<Value>> => {
		const argv = ["ubus", "-t", String(TIMEOUT), ...args] as const;
		const { status, stdout, complaint, timedOut } = await runToEnd(platform, argv, {
			timeout: TIMEOUT * 1000 + GRACE,
			limit: LIMIT,
		});
		const fails = (why: string): UbusResult<Value> => ({ ok: false, reason: `${words}: ${why}` });
		if (timedOut) return fails(`no answer in ${TIMEOUT} s`);
		if ("code" in status && status.code === 127) return { ok: false, reason: describeExit(["ubus"], status) };
		if (!("code" in status && status.code === 0)) {
			const why = parseComplaint(complaint);
			return why === "" ? { ok: false, reason: describeExit([words], status) } : fails(why.slice(0, 200));
		}
		const value = parse(stdout);
		return value === undefined ? fails(`not an answer: ${excerpt(stdout)}`) : { ok: true, value };
	};

	return {
		call: (path, method, message) =>
			run(
				`ubus call ${path} ${method}`,
				["call", path, method, ...(message ? [JSON.stringify(message)] : [])],
				parseReply,
			),
		subscribe: (paths, options) => stream(platform, ["ubus", "subscribe", ...paths], options),
		listen: (patterns, options) => stream(platform, ["ubus", "listen", ...patterns], options),
	};
}

function stream(
	platform: Platform,
	argv: readonly ["ubus", ...string[]],
	options: StreamOptions,
): UbusStream {
	let splitter = new LineSplitter(() => {});
	let complained = false;

	const receive = (text: string, truncated: boolean) => {
		const event = truncated ? undefined : parseEvent(text);
		if (event) return options.onEvent(event);
		if (complained) return;
		complained = true;
		options.onGarbage?.(truncated ? "a line over 64 kB" : excerpt(text));
	};

	const process: Supervised = supervise(platform, {
		argv,
		backoff: BACKOFF,
		onStdout: (chunk) => splitter.push(chunk),
		onStart: () => {
			complained = false;
			splitter = new LineSplitter((line) => receive(line.text, line.truncated));
			options.onStart?.();
		},
		onEnd: (reason, delay) => {
			const complaint = /: exit \d+: (.*)$/.exec(reason)?.[1];
			const words = complaint === undefined ? reason : `${argv.join(" ")}: ${parseComplaint(complaint)}`;
			options.onEnd?.({ reason: words, delay });
		},
	});
	return {
		start: process.start,
		stop: process.stop,
		restart() {
			// It is attached to something dead, and holds nothing: there is no reason to ask it.
			process.child?.kill("SIGKILL");
			process.stop();
			process.start();
		},
	};
}

/** The first line, short and printable. */
function excerpt(text: string): string {
	const line = text.trimStart().split("\n", 1)[0] ?? "";
	return `"${line.slice(0, 80).replace(/[^\x20-\x7e]/g, "?")}"`;
}
