import { createPlatform } from "../../src/platform/index.ts";
import { contract } from "./suite.ts";

/**
 * Runs the contract without a test framework, for quickjs.test.ts to read: a line of JSON for each case, and at the end one
 * with their number. A run that ends without that line has ended early, whatever its exit code.
 */
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
	platform.print("stdout", `${JSON.stringify({ cases: contract.length })}\n`);
	platform.exit(0);
}

// Not awaited: while a module of qjs is still being evaluated, its loop runs one promise job a poll and stalls.
main();
