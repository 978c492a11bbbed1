import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { bundleForQjs, lacksQjs, qjsCommand } from "../qjs.ts";
import { type Run, readRun } from "./runner.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "bgpwarden-runner-"));
const bundle = bundleForQjs(new URL("./early.ts", import.meta.url));

afterAll(() => {
	for (const directory of [scratch, dirname(bundle)]) rmSync(directory, { recursive: true });
});

const names = ["passes", "second", "third"];
const lines = (...values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");
const all = names.map((name) => ({ name }));
const good: Run = { status: 0, signal: null, stdout: lines(...all, { ended: 3 }), stderr: "" };

describe("a run is whole", () => {
	it("with all cases, its last line, and the exit code that goes with them", () => {
		expect(readRun(good, names)).toEqual({ results: all });
		const failed = lines({ name: "passes", failure: "no" }, ...all.slice(1), { ended: 3 });
		expect(readRun({ ...good, status: 1, stdout: failed }, names).cut).toBeUndefined();
	});

	it.each<[string, Partial<Run>, string]>([
		["nothing was printed", { stdout: "" }, "ended early, after 0 of 3 cases: exit code 0"],
		[
			"the loop ran empty",
			{ stdout: lines(...all.slice(0, 2)) },
			"ended early, after 2 of 3 cases: exit code 0",
		],
		[
			"only the last line is missing",
			{ stdout: lines(...all) },
			"ended early, after 3 of 3 cases: exit code 0",
		],
		[
			"it was killed",
			{ status: null, signal: "SIGKILL", stdout: lines({ name: "passes" }) },
			"ended early, after 1 of 3 cases: killed by SIGKILL",
		],
		[
			"the last line is torn",
			{ stdout: `${lines(...all)}{"end` },
			"a line that is none of the run's: {\"end",
		],
		[
			"a case is missing",
			{ stdout: lines(...all.slice(1), { ended: 3 }) },
			"2 cases were run, of 3: exit code 0",
		],
		["the number is another", { stdout: lines(...all, { ended: 2 }) }, "3 cases were run, of 3: exit code 0"],
		[
			"it went on after its end",
			{ stdout: good.stdout + lines({ name: "x" }) },
			'a line after the last one: {"name":"x"}',
		],
		["its exit code says otherwise", { status: 1 }, "all cases were run, but: exit code 1"],
		["it complained", { stderr: "oops\n" }, "all cases were run, but: exit code 0, oops"],
		[
			"it could not be started",
			{ status: null, stdout: "", error: new Error("spawnSync x ENOENT") },
			"ended early, after 0 of 3 cases: exit code null, spawnSync x ENOENT",
		],
	])("and not when %s", (_, difference, cut) => {
		expect(readRun({ ...good, ...difference }, names).cut).toBe(cut);
	});
});

const engines: Record<string, readonly string[]> = { node: [process.execPath] };
if (!lacksQjs()) engines.qjs = [...qjsCommand(), "-m"];

describe.each(Object.keys(engines))("a run by %s", (engine) => {
	const [program = "", ...args] = engines[engine] ?? [];
	const run = (how: string): Run => spawnSync(program, [...args, bundle, how], { encoding: "utf8" });

	it("that gets to its end says so", () => {
		expect(run("")).toMatchObject(good);
	});

	it("in which a case fails or never settles goes on, and does not end with exit code 0", () => {
		for (const [how, failure] of [
			["fails", "no"],
			["stuck", "it has not settled after 200 ms"],
		] as const) {
			const ended = run(how);
			expect(ended.status).toBe(1);
			expect(readRun(ended, names)).toEqual({
				results: [{ name: "passes" }, { name: "second", failure }, { name: "third" }],
			});
		}
	});

	it.each([
		["exits", "exit code 0"],
		["killed", "killed by SIGKILL"],
	])("that a case ends (%s) is no whole run", (how, said) => {
		expect(readRun(run(how), names)).toEqual({
			results: [{ name: "passes" }],
			cut: `ended early, after 1 of 3 cases: ${said}`,
		});
	});
});

describe("QJS", () => {
	const file = join(scratch, "other-qjs");
	writeFileSync(file, '#!/bin/sh\necho \'{"name":"nonsense"}\'\n');
	chmodSync(file, 0o755);
	const path = `${scratch}${delimiter}${process.env.PATH}`;

	it("names a program, by its path or as found in PATH", () => {
		expect(qjsCommand({ QJS: file })).toEqual([file]);
		expect(qjsCommand({ QJS: relative(process.cwd(), file) })).toEqual([file]);
		expect(qjsCommand({ QJS: "other-qjs", PATH: path })).toEqual([file]);
	});

	it.each(["no-such-qjs", "./no-such-qjs", ROOT])("fails on %s, which is no program", (name) => {
		expect(() => qjsCommand({ QJS: name, PATH: path })).toThrow(`QJS: ${name}: not a program`);
	});

	it("fails the whole suite when what it names ends early with exit code 0", () => {
		const { status, stderr } = spawnSync(
			process.execPath,
			["node_modules/vitest/vitest.mjs", "run", "--project", "unit", "test/contract/quickjs.test.ts"],
			{ cwd: ROOT, env: { PATH: process.env.PATH, QJS: file, NO_COLOR: "1" }, encoding: "utf8" },
		);
		expect(status).toBe(1);
		expect(stderr).toContain("ended early, after 1 of");
	}, 60_000);
});
