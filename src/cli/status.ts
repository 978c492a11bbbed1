import { toJson } from "../lib/printable.ts";
import type { Platform } from "../platform/types.ts";
import { FINE, notRunning, type Paths, PROBLEM, runningStatus, textOptions } from "./context.ts";
import { renderPeers } from "./text/peer-table.ts";
import { headline, renderStatus } from "./text/status-page.ts";

/** `status`. Exit 1 when something is wrong. */
export function status(platform: Platform, paths: Paths, json: boolean): number {
	const known = runningStatus(platform, paths);
	if (!known) return notRunning(platform);
	const text = json
		? `${toJson(known, "\t")}\n`
		: renderStatus(known, platform.now().wall, textOptions(platform));
	platform.print("stdout", text);
	return headline(known).fine ? FINE : PROBLEM;
}

/** `peers`. */
export function peers(platform: Platform, paths: Paths, json: boolean): number {
	const known = runningStatus(platform, paths);
	if (!known) return notRunning(platform);
	const text = json
		? `${toJson(known.peers, "\t")}\n`
		: renderPeers(known.peers, platform.now().wall, textOptions(platform));
	platform.print("stdout", text);
	return FINE;
}
