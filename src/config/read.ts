import { parseUci } from "../lib/uci.ts";
import type { Config } from "../model/config.ts";
import type { Settings } from "../model/settings.ts";
import type { Files } from "../platform/types.ts";
import { FileError } from "../platform/types.ts";
import { DEFAULT_CONFIG_PATH, defaultConfig, parseConfig } from "./load.ts";

/** Bytes of a configuration file; what the parser takes. */
const LIMIT = 1 << 20;

/** Where the daemon keeps the last configuration that could be used, with its passwords. On flash: seldom written. */
export const LAST_GOOD = "/etc/bgpwarden/last-good";
export const USING_LAST_GOOD = `using the last good configuration (${LAST_GOOD})`;
/** A file that is lost, or that a full flash has emptied, is no wish for the defaults. */
const START_OVER = "to start over with the defaults, write this line into it: config bgpwarden 'main'";

/** @returns the configuration and its text, or one line for each thing that is wrong with the file or in it; see `Mistakes` */
export function readConfiguration(
	files: Files,
	path: string,
): { config: Config; text: string } | { errors: string[]; unread?: true } {
	try {
		const text = files.read(path, LIMIT);
		const read = parseConfig(text, path);
		if ("errors" in read) return read;
		const parsed = parseUci(text);
		if ("sections" in parsed && parsed.sections.length === 0)
			return { errors: [`${path}: empty (${START_OVER})`] };
		return { config: read.config, text };
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return { errors: [`${path}: ${error.reason}${error.missing ? ` (${START_OVER})` : ""}`], unread: true };
	}
}

/** Lines that the sections of a file's peers begin on, in the order of `Config.peers`. The file must be a valid one. */
export function peerLines(files: Files, path: string): number[] {
	const parsed = parseUci(files.read(path, LIMIT));
	return "errors" in parsed
		? []
		: parsed.sections.flatMap(({ type, line }) => (type === "peer" ? [line] : []));
}

/** What the daemon uses although the file has mistakes: a router is protected all the same. */
export interface Mistakes {
	/** One line each. */
	readonly errors: readonly string[];
	/** What is used, as a clause. */
	readonly instead: string;
	/** There is no configuration that could be used: these are the defaults. */
	readonly defaults: boolean;
	/** The file could not be read at all, which may pass. */
	readonly unread?: true;
}

/** What the daemon starts with: the file, or where it has mistakes the last good configuration, or else the defaults. */
export function startConfiguration(files: Files, path: string): { config: Config; mistakes?: Mistakes } {
	const read = readConfiguration(files, path);
	if ("config" in read) return { config: read.config };
	const { errors } = read;
	const unread = read.unread && { unread: read.unread };
	const last = path === DEFAULT_CONFIG_PATH ? readConfiguration(files, LAST_GOOD) : { errors: [] };
	if ("config" in last)
		return {
			config: last.config,
			mistakes: { errors, instead: USING_LAST_GOOD, defaults: false, ...unread },
		};
	const tooBad = last.errors.length > 0 && files.status(LAST_GOOD);
	const instead = `using defaults${tooBad ? ` (${LAST_GOOD} has mistakes too)` : ""}`;
	return { config: defaultConfig(), mistakes: { errors, instead, defaults: true, ...unread } };
}

/** The problem that the daemon tells, and `doctor` knows again. */
export function mistakeProblem({
	errors: [first = "", ...others],
	instead,
}: Pick<Mistakes, "errors" | "instead">): string {
	return `${first}${others.length > 0 ? ` (and ${others.length} more)` : ""}; ${instead}`;
}

/**
 * Keeps the text of a configuration that can be used for a time when the file cannot; only that of /etc/config/bgpwarden.
 * @returns what failed, as one line
 */
export function keepLastGood(files: Files, path: string, text: string): string | undefined {
	if (path !== DEFAULT_CONFIG_PATH) return undefined;
	try {
		if (isThere(files, text)) return undefined;
		files.makeDirectory(LAST_GOOD.slice(0, LAST_GOOD.lastIndexOf("/")));
		files.replace(LAST_GOOD, text, { mode: 0o600, durable: true });
		return undefined;
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return `cannot save the last good configuration: ${error.message}`;
	}
}

/** What cannot be read, or is too long, is another text. */
function isThere(files: Files, text: string): boolean {
	try {
		return files.status(LAST_GOOD) !== undefined && files.read(LAST_GOOD, LIMIT) === text;
	} catch {
		return false;
	}
}

/** The part that the warden decides by. */
export function settingsOf({ main, peers }: Config): Settings {
	return {
		table: main.table,
		scope: main.scope,
		forwarded: main.forwarded,
		protect: main.protect,
		bypassMark: main.bypassMark,
		routeMark: main.routeMark,
		remediate: main.remediate,
		pollInterval: main.pollInterval,
		peers: peers.map(({ name }) => ({ name })),
		speakers: new Map(
			peers.flatMap(({ name, speaker }) =>
				speaker === undefined || speaker === "auto" ? [] : [[name, speaker] as const],
			),
		),
		addresses: peers.flatMap(({ address, range }) => address ?? range ?? []),
		interfaces: new Map(
			peers.flatMap(({ name, interface: device }) => (device === undefined ? [] : [[name, device] as const])),
		),
		ports: peers.flatMap(({ port }) => port ?? []),
	};
}
