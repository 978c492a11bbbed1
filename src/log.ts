import { oneLine } from "./lib/printable.ts";
import type { LogLevel } from "./model/config.ts";
import type { Platform } from "./platform/types.ts";

const RANK: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };
/** Messages that differ in numbers only are counted together for this many milliseconds. */
const PERIOD = 60_000;
/** Kinds of messages that are remembered. */
const REMEMBERED = 64;

/**
 * The daemon's log: one line an entry. Information goes to standard output and the rest to standard error, because procd logs
 * the first as `daemon.info` and the second as `daemon.err` (procd, service/instance.c).
 */
export interface Log {
	(level: LogLevel, text: string): void;
	/** Entries below this level are dropped. */
	level: LogLevel;
}

/**
 * A log that no program can flood: of messages that differ in numbers only, `burst` a minute are printed and the others
 * counted.
 * @param burst messages of a kind
 */
export function createLog(platform: Platform, level: LogLevel = "info", burst = 5): Log {
	const kinds = new Map<string, { since: number; printed: number; dropped: number }>();
	const print = (severity: LogLevel, text: string) => {
		const stream = RANK[severity] >= RANK.info ? "stdout" : "stderr";
		const time = platform.isTerminal(stream)
			? `${new Date(platform.now().wall).toISOString().slice(11, 23)} `
			: "";
		const prefix = severity === "info" ? "" : `${severity}: `;
		platform.print(stream, `${time}${prefix}${oneLine(text)}\n`);
	};

	const log = (severity: LogLevel, text: string) => {
		if (RANK[severity] > RANK[log.level]) return;
		const now = platform.now().monotonic;
		const key = text.replace(/\d+/g, "#").slice(0, 200);
		const kind = kinds.get(key);
		if (!kind || now - kind.since >= PERIOD) {
			if (kind && kind.dropped > 0) print(severity, `(${kind.dropped} similar messages suppressed)`);
			kinds.delete(key);
			kinds.set(key, { since: now, printed: 1, dropped: 0 });
			const oldest = kinds.keys().next().value;
			if (kinds.size > REMEMBERED && oldest !== undefined) kinds.delete(oldest);
		} else if (kind.printed >= burst) {
			kind.dropped++;
			return;
		} else {
			kind.printed++;
		}
		print(severity, text);
	};
	log.level = level;
	return log;
}
