import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bundleForQjs, lacksQjs } from "../qjs.ts";
import { runContract } from "./quickjs.ts";
import { contract } from "./suite.ts";

// scripts/test.sh says so.
const skipped = lacksQjs();

describe.skipIf(skipped)("the contract run by qjs", () => {
	const { failure, results } = skipped
		? { failure: "there is no qjs", results: [] }
		: runContract(bundleForQjs(new URL("./run.ts", import.meta.url)));

	test("the run is whole: every case, and no error", () => {
		expect(failure).toBeUndefined();
		expect(results.map(({ name }) => name)).toEqual(contract.map(({ name }) => name));
	});
	for (const { name } of contract) {
		test(`QuickJS: ${name}`, () => {
			expect(results.find((result) => result.name === name)).toEqual({ name });
		});
	}
});

describe.skipIf(skipped)("a run that is not whole is a failure", () => {
	/** Runs a program under qjs as if it were the contract. */
	const run = (text: string) => {
		const file = join(mkdtempSync(join(tmpdir(), "bgpwarden-")), "run.js");
		writeFileSync(file, `import * as std from "std"; import * as os from "os";\n${text}\n`);
		return runContract(file).failure;
	};
	const one = "print(JSON.stringify({ name: 'one' }));";

	test.each([
		{ what: "cut short, exit 0", text: `${one} std.exit(0)`, why: "it ended early, after 1 cases" },
		{
			what: "waiting for what never comes, so that the loop runs empty",
			text: `${one} new Promise(() => {}).then(() => print(JSON.stringify({ cases: 1 })));`,
			why: "it ended early, after 1 cases",
		},
		{
			what: "ended by a signal",
			text: `${one} std.out.flush(); os.kill(os.getpid(), os.SIGTERM); os.sleep(5000)`,
			why: "it was ended by SIGTERM after 1 cases",
		},
		{
			what: "with no case at all",
			text: "print(JSON.stringify({ cases: 0 }))",
			why: "it ended early, after 0 cases",
		},
		{ what: "with another exit code", text: `${one} std.exit(3)`, why: "exit 3 after 1 cases: " },
		{
			what: "printing something else",
			text: "print('Segmentation fault')",
			why: 'it printed "Segmentation fault"',
		},
		{
			what: "with an error beside it",
			text: `${one} std.err.puts("oops\\n"); print(JSON.stringify({ cases: 1 }))`,
			why: "it printed an error: oops",
		},
	])("$what", ({ text, why }) => {
		expect(run(text)).toBe(why);
	});

	test("a qjs that is not there", () => {
		expect(runContract("run.js", ["/nowhere/qjs"]).failure).toContain("ENOENT");
	});
});
