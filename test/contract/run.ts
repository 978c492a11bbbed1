import { createPlatform } from "../../src/platform/index.ts";
import { contract } from "./suite.ts";

/** Runs the contract without a test framework: one line of JSON a case, for quickjs.test.ts to read. */
async function main(): Promise<void> {
	const platform = await createPlatform();
	for (const { name, run } of contract) {
		let failure: string | undefined;
		try {
			await run(platform);
		} catch (error) {
			failure = (error as Error).message;
		}
		platform.print("stdout", `${JSON.stringify({ name, failure })}\n`);
	}
	platform.exit(0);
}

// Not awaited: while a module of qjs is still being evaluated, its loop runs one promise job a poll and stalls.
main();
