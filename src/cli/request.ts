import type { Command } from "../model/command.ts";
import type { Platform } from "../platform/types.ts";
import { request } from "../system/control/client.ts";
import { FINE, notRunning, type Paths, PROBLEM, runningStatus } from "./context.ts";

/** `ensure`, `flush`, `restart`: the daemon does it and says how it went. */
export function ask(platform: Platform, paths: Paths, command: Command): number | Promise<number> {
	if (!runningStatus(platform, paths)) return notRunning(platform);
	return request(platform, paths.runDirectory, command).then((reply) => {
		platform.print(reply.ok ? "stdout" : "stderr", `${reply.text}\n`);
		return reply.ok ? FINE : PROBLEM;
	});
}
