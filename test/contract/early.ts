import { createPlatform } from "../../src/platform/index.ts";
import type { Platform } from "../../src/platform/types.ts";
import { runCases } from "./runner.ts";
import type { ContractCase } from "./suite.ts";

const passes: ContractCase = { name: "passes", run: async () => undefined };

/** Cases that keep a run from its end, each in its own way, by the first argument. */
const wrong: Record<string, (platform: Platform) => Promise<void>> = {
	stuck: () => new Promise(() => undefined),
	fails: async () => {
		await undefined;
		throw new Error("no");
	},
	exits: async (platform) => platform.exit(0),
	killed: async (platform) => {
		platform.spawn({ argv: ["sh", "-c", "kill -KILL $PPID"], onExit: () => undefined });
		await new Promise(() => undefined);
	},
};

/** For runner.test.ts: a run of three cases, the second of which goes wrong. */
createPlatform().then((platform) => {
	const [name = ""] = platform.args;
	const run = wrong[name] ?? passes.run;
	// Only that one is to run into its limit: the others take as long as they take.
	const limit = name === "stuck" ? 200 : undefined;
	return runCases(platform, [passes, { name: "second", run }, { ...passes, name: "third" }], limit);
});
