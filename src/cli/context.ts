import type { Status } from "../model/status.ts";
import type { Platform } from "../platform/types.ts";
import { readStatus } from "../system/control/client.ts";
import type { TextOptions } from "./text/layout.ts";

/** Exit codes, as the help lists them; 2 is a wrong command line. */
export const FINE = 0;
export const PROBLEM = 1;
export const NOT_RUNNING = 3;
/** The configuration can be used, and does not fit the router. */
export const MISFIT = 4;

/** Where a command finds the configuration and the daemon. */
export interface Paths {
	readonly configPath: string;
	readonly runDirectory: string;
}

/** @returns undefined when no daemon runs */
export function runningStatus(platform: Platform, { runDirectory }: Paths): Status | undefined {
	return readStatus(platform, runDirectory);
}

/** @returns the exit code */
export function notRunning(platform: Platform): number {
	platform.print("stderr", "bgpwarden: the daemon is not running (/etc/init.d/bgpwarden start)\n");
	return NOT_RUNNING;
}

/** How text is written to standard output. */
export function textOptions(platform: Platform): TextOptions {
	return { color: platform.isTerminal("stdout") && !platform.environment("NO_COLOR") };
}
