import { readConfiguration, startConfiguration } from "../config/read.ts";
import { Daemon } from "../daemon.ts";
import { examine } from "../doctor/collect.ts";
import { LineSplitter } from "../lib/lines.ts";
import { encodeUtf8 } from "../lib/utf8.ts";
import type { Command } from "../model/command.ts";
import type { Status } from "../model/status.ts";
import type { Platform } from "../platform/types.ts";
import { EVENTS_FILE } from "../report/run-files.ts";
import { readStatus, request } from "../system/control/client.ts";
import { renderReport } from "./text/doctor-report.ts";
import { parseEventLine, renderEvent } from "./text/event-lines.ts";
import type { TextOptions } from "./text/layout.ts";
import { renderPeers } from "./text/peer-table.ts";
import { headline, renderStatus } from "./text/status-page.ts";

/** Exit codes, as the help tells them. */
const FINE = 0;
const PROBLEM = 1;
const NOT_RUNNING = 3;

/** Milliseconds between looks at the events file. */
const FOLLOW_PERIOD = 500;
const EVENTS_LIMIT = 4 << 20;

export interface Paths {
	readonly configPath: string;
	readonly runDirectory: string;
}

/** `run`: the daemon. Comes back only when it does not start. */
export function run(platform: Platform, paths: Paths, version: string): number | undefined {
	const other = readableStatus(platform, paths);
	if (other && other.router.pid !== platform.pid) {
		platform.print("stderr", `bgpwarden: already running (pid ${other.router.pid})\n`);
		return PROBLEM;
	}
	const { config, errors } = startConfiguration(platform.files, paths.configPath);
	new Daemon(platform, { version, ...paths }, config).start(errors);
	return undefined;
}

/** `check`: every mistake in the configuration, one a line. */
export function check(platform: Platform, { configPath }: Paths): number {
	const read = readConfiguration(platform.files, configPath);
	if ("errors" in read) {
		for (const error of read.errors) platform.print("stderr", `${error}\n`);
		return PROBLEM;
	}
	platform.print("stdout", `${configPath}: fine\n`);
	return FINE;
}

/** `status`. Exit 1 when something is wrong. */
export function status(platform: Platform, paths: Paths, json: boolean): number {
	const known = runningStatus(platform, paths);
	if (!known) return notRunning(platform);
	const text = json
		? `${JSON.stringify(known, null, "\t")}\n`
		: renderStatus(known, platform.now().wall, textOptions(platform));
	platform.print("stdout", text);
	return headline(known).fine ? FINE : PROBLEM;
}

/** `peers`. */
export function peers(platform: Platform, paths: Paths, json: boolean): number {
	const known = runningStatus(platform, paths);
	if (!known) return notRunning(platform);
	const text = json
		? `${JSON.stringify(known.peers, null, "\t")}\n`
		: renderPeers(known.peers, platform.now().wall, textOptions(platform));
	platform.print("stdout", text);
	return FINE;
}

/**
 * `doctor`: what is wrong, why, and what to do, also without a daemon. Exit 1 when anything is broken.
 * @param built when the program was built, milliseconds since 1970; 0: not known
 */
export async function doctor(
	platform: Platform,
	paths: Paths,
	json: boolean,
	built: number,
): Promise<number> {
	const report = await examine(platform, { ...paths, built });
	platform.print(
		"stdout",
		json ? `${JSON.stringify(report, null, "\t")}\n` : renderReport(report, textOptions(platform)),
	);
	return report.level === "red" ? PROBLEM : FINE;
}

/** `events`: what the file holds, also without a daemon; with `follow` it goes on until interrupted. */
export function events(platform: Platform, paths: Paths, follow: boolean): number | undefined {
	const path = `${paths.runDirectory}/${EVENTS_FILE}`;
	const options = textOptions(platform);
	let shown = "";
	const show = () => {
		const text = platform.files.status(path) ? platform.files.read(path, EVENTS_LIMIT) : "";
		// The file only grows, except when its beginning is cut off: then the last line shown is looked for.
		const from = text.startsWith(shown) ? shown.length : afterLastLine(text, shown);
		const splitter = new LineSplitter(({ text: line }) => {
			const event = parseEventLine(line);
			if (event) platform.print("stdout", `${renderEvent(event, options)}\n`);
		});
		splitter.push(encodeUtf8(text.slice(from)));
		shown = text.slice(0, text.lastIndexOf("\n") + 1);
	};
	show();
	if (!follow) return FINE;
	let size = platform.files.status(path)?.size;
	const poll = () => {
		const now = platform.files.status(path)?.size;
		if (now !== size) show();
		size = now;
		platform.after(FOLLOW_PERIOD, poll);
	};
	poll();
	return undefined;
}

/** `ensure`, `flush`, `restart`: the daemon does it and says how it went. */
export function ask(platform: Platform, paths: Paths, command: Command): number | Promise<number> {
	if (!runningStatus(platform, paths)) return notRunning(platform);
	return request(platform, paths.runDirectory, command).then((reply) => {
		platform.print(reply.ok ? "stdout" : "stderr", `${reply.text}\n`);
		return reply.ok ? FINE : PROBLEM;
	});
}

/** Garbage in the file must not keep the daemon from starting: it is about to be replaced. */
function readableStatus(platform: Platform, paths: Paths): Status | undefined {
	try {
		return runningStatus(platform, paths);
	} catch {
		return undefined;
	}
}

function runningStatus(platform: Platform, paths: Paths): Status | undefined {
	return readStatus(platform, paths.runDirectory);
}

function notRunning(platform: Platform): number {
	platform.print("stderr", "bgpwarden: the daemon is not running (/etc/init.d/bgpwarden start)\n");
	return NOT_RUNNING;
}

/** How text is written to standard output. */
export function textOptions(platform: Platform): TextOptions {
	return { color: platform.isTerminal("stdout") && !platform.environment("NO_COLOR") };
}

function afterLastLine(text: string, shown: string): number {
	const last = shown.slice(shown.lastIndexOf("\n", shown.length - 2) + 1);
	const at = last === "" ? -1 : text.lastIndexOf(last);
	return at < 0 ? 0 : at + last.length;
}
