import { startConfiguration } from "../config/read.ts";
import { Daemon } from "../daemon.ts";
import type { Status } from "../model/status.ts";
import type { Platform } from "../platform/types.ts";
import { type Paths, PROBLEM, runningStatus } from "./context.ts";

/** `run`: the daemon. Comes back only when it does not start. */
export function run(platform: Platform, paths: Paths, version: string): number | undefined {
	// A reload in the first moments is answered by the configuration that is about to be read.
	platform.onSignal("SIGHUP", () => {});
	const other = readableStatus(platform, paths);
	if (other && other.router.pid !== platform.pid) {
		platform.print("stderr", `bgpwarden: already running (pid ${other.router.pid})\n`);
		return PROBLEM;
	}
	const { config, mistakes } = startConfiguration(platform.files, paths.configPath);
	new Daemon(platform, { version, ...paths }, config).start(mistakes);
	return undefined;
}

/** Garbage in the file must not keep the daemon from starting: it is about to be replaced. */
function readableStatus(platform: Platform, paths: Paths): Status | undefined {
	try {
		return runningStatus(platform, paths);
	} catch {
		return undefined;
	}
}
