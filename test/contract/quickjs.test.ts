import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { bundleForQjs, qjsCommand } from "../qjs.ts";
import { contract } from "./suite.ts";

const [program, ...args] = qjsCommand();
const bundle = bundleForQjs(new URL("./run.ts", import.meta.url));
const run = spawnSync(program, [...args, "-m", bundle], { encoding: "utf8", timeout: 60_000 });
const results = run.stdout
	.split("\n")
	.filter((line) => line !== "")
	.map((line) => JSON.parse(line) as { name: string; failure?: string });

describe("the contract run by qjs", () => {
	test("the run ended by itself and printed no error", () => {
		expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: "" });
	});
	for (const { name } of contract) {
		test(`QuickJS: ${name}`, () => {
			expect(results.find((result) => result.name === name)).toEqual({ name });
		});
	}
});
