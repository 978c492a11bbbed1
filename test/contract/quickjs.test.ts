import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { bundleForQjs, lacksQjs, qjsCommand } from "../qjs.ts";
import { readRun } from "./runner.ts";
import { contract } from "./suite.ts";

const names = contract.map(({ name }) => name);
// scripts/test.sh says so.
const skipped = lacksQjs();

/** @param starter a program that starts qjs */
function runByQjs(...starter: readonly string[]) {
	const [program = "", ...args] = [...starter, ...qjsCommand()];
	const bundle = bundleForQjs(new URL("./run.ts", import.meta.url));
	return spawnSync(program, [...args, "-m", bundle], { encoding: "utf8", timeout: 60_000 });
}

describe.skipIf(skipped)("the contract run by qjs", () => {
	const { results, cut } = skipped ? { results: [], cut: "there is no qjs" } : readRun(runByQjs(), names);

	test("the run got to its end, and printed no error", () => {
		expect(cut).toBeUndefined();
	});
	for (const name of names) {
		test(`QuickJS: ${name}`, () => {
			expect(results.find((result) => result.name === name)).toEqual({ name });
		});
	}
});

describe.skipIf(skipped)(
	"the contract run by qjs, started by a program that ignores its children's ends",
	() => {
		test("holds as well", () => {
			const { results, cut } = readRun(runByQjs("env", "--ignore-signal=CHLD"), names);
			expect(cut).toBeUndefined();
			expect(results).toEqual(names.map((name) => ({ name })));
		}, 60_000);
	},
);
