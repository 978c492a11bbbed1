import { parseArguments } from "./cli/arguments.ts";
import { check } from "./cli/check.ts";
import { textOptions } from "./cli/context.ts";
import { doctor } from "./cli/doctor.ts";
import { events } from "./cli/events.ts";
import { help } from "./cli/help.ts";
import { render } from "./cli/render.ts";
import { ask } from "./cli/request.ts";
import { run } from "./cli/run.ts";
import { peers, status } from "./cli/status.ts";
import { usageText } from "./cli/text/help.ts";
import { trace } from "./cli/trace.ts";
import { createPlatform } from "./platform/index.ts";
import type { Platform } from "./platform/types.ts";

/** From package.json, put in by scripts/build.mjs. */
declare const __VERSION__: string;
/** Milliseconds since 1970, put in likewise; 0: the build did not know. */
declare const __BUILT__: number;

/** The command line. @returns the exit code, or undefined when the process goes on */
function main(platform: Platform): number | undefined | Promise<number> {
	const invocation = parseArguments(platform.args);
	switch (invocation.verb) {
		case "help":
			return help(platform, invocation.topic);
		case "version":
			platform.print("stdout", `bgpwarden ${__VERSION__}\n`);
			return 0;
		case "usage":
			platform.print("stderr", usageText(invocation.error));
			return 2;
		case "run":
			return run(platform, invocation, __VERSION__);
		case "check":
			return check(platform, invocation);
		case "status":
			return status(platform, invocation, invocation.json);
		case "peers":
			return peers(platform, invocation, invocation.json);
		case "doctor":
			return doctor(platform, invocation, invocation, __BUILT__);
		case "events":
			return events(platform, invocation, invocation.follow);
		case "ensure":
		case "release":
		case "flush":
			return ask(platform, invocation, { verb: invocation.verb });
		case "restart":
			return ask(platform, invocation, { verb: "restart", peer: invocation.peer });
		case "trace":
			return trace(platform, invocation, textOptions(platform));
		case "render":
			return render(platform, invocation.configPath, invocation);
	}
}

// Nothing is awaited here: while qjs still evaluates a module, its loop runs one promise job a poll and stalls.
createPlatform().then((platform) =>
	// An exception has to find its handler in place: qjs ends at once for a promise rejected before it has one.
	Promise.resolve()
		.then(() => main(platform))
		.then(
			(code) => {
				if (code !== undefined) platform.exit(code);
			},
			(error: unknown) => {
				platform.print("stderr", `bgpwarden: ${error instanceof Error ? error.message : String(error)}\n`);
				platform.exit(1);
			},
		),
);
