import { parseUci } from "../lib/uci.ts";
import type { Config } from "../model/config.ts";
import type { Settings } from "../model/settings.ts";
import type { Files } from "../platform/types.ts";
import { FileError } from "../platform/types.ts";
import { defaultConfig, parseConfig } from "./load.ts";

/** Bytes of a configuration file; what the parser takes. */
const LIMIT = 1 << 20;

/** @returns the configuration, or one line for each thing that is wrong with the file or in it */
export function readConfiguration(files: Files, path: string): { config: Config } | { errors: string[] } {
	try {
		return parseConfig(files.read(path, LIMIT), path);
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return { errors: [`${path}: ${error.reason}`] };
	}
}

/** Lines that the sections of a file's peers begin on, in the order of `Config.peers`. The file must be a valid one. */
export function peerLines(files: Files, path: string): number[] {
	const parsed = parseUci(files.read(path, LIMIT));
	return "errors" in parsed
		? []
		: parsed.sections.flatMap(({ type, line }) => (type === "peer" ? [line] : []));
}

/** What the daemon starts with: a router with a mistake in its configuration is still protected. */
export function startConfiguration(files: Files, path: string): { config: Config; errors: string[] } {
	const read = readConfiguration(files, path);
	return "config" in read
		? { config: read.config, errors: [] }
		: { config: defaultConfig(), errors: read.errors };
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
		addresses: peers.flatMap((peer) => peer.address ?? []),
		interfaces: Object.fromEntries(
			peers.flatMap(({ name, interface: device }) => (device === undefined ? [] : [[name, device]])),
		),
	};
}
