import { describe, expect, test } from "vitest";
import type { Facts } from "../../src/doctor/facts.ts";
import { judge } from "../../src/doctor/judge.ts";
import type { RouterStatus } from "../../src/model/status.ts";
import { config, HEALTHY, rulesets, STATUS } from "./sample-facts.ts";

/** What is fine must be so, and nobody is said to repair, own or watch who does not run. */

type Daemon = Partial<RouterStatus> | undefined;
const OWNED = { protection: "owned" } as const;
const INSTALLED = { protection: "installed" } as const;
const RELEASED = { ...INSTALLED, released: true, problem: "released", problem_kind: "released" } as const;

function sentences(
	daemon: Daemon,
	enabled: boolean,
	protect: boolean,
	change: Partial<Facts> = {},
): string[] {
	const { status: _, ...rest } = HEALTHY;
	const report = judge({
		...rest,
		config: config({ main: { enabled, protect } }),
		...(daemon ? { status: { ...STATUS, router: { ...STATUS.router, ...daemon } } } : {}),
		...change,
	});
	return [...report.causes, ...report.review].map(({ level, id, text }) => `${level} ${id}: ${text}`);
}

const REPAIRED = "green table: The table is in place; what others change in it is repaired.";
const HELD = "green table: The table is in place and owned: the kernel refuses changes by others.";
const UNWATCHED = "green table: The table is in place; without the daemon nothing watches it.";
const FREE =
	"red table-released: The table is in place and was released on request: anybody can change it, and nothing is repaired.";

const combinations: [daemon: Daemon, enabled: boolean, protect: boolean, table: string][] = [
	true,
	false,
].flatMap((enabled) =>
	[true, false].flatMap((protect): [Daemon, boolean, boolean, string][] => [
		[OWNED, enabled, protect, HELD],
		[INSTALLED, enabled, protect, REPAIRED],
		[RELEASED, enabled, protect, FREE],
		[undefined, enabled, protect, UNWATCHED],
	]),
);

describe.each(combinations)("daemon %o, enabled %s, protect %s", (daemon, enabled, protect, table) => {
	const said = () => sentences(daemon, enabled, protect);

	test("says what is true of the table", () => {
		const about = said().filter((line) => /^\w+ (table|cannot-own)/.test(line));
		expect(about).toEqual([table]);
	});

	test("claims no repair, owner or watch of a daemon that does not run", () => {
		if (daemon) return expect(said()).toContainEqual(expect.stringMatching(/^green daemon: The daemon runs/));
		const claims = said().filter((line) => /repair|own|watch|tells/i.test(line));
		const denials = /not repaired|no peer is watched|nothing watches|not running|nothing is kept/;
		expect(claims.filter((line) => !denials.test(line))).toEqual([]);
	});
});

test("an old kernel is no promise without a daemon, and none after a release", () => {
	const old = { kernel: "5.15.0" };
	expect(sentences(INSTALLED, true, true, old).join("\n")).toContain("it is then back within milliseconds");
	for (const daemon of [undefined, RELEASED])
		expect(sentences(daemon, true, true, old).join("\n")).not.toMatch(/within milliseconds/);
});

test("a table that the daemon cannot install or cannot watch is not called its own", () => {
	const install = { ...INSTALLED, problem: "cannot be installed", problem_kind: "install" } as const;
	const watch = { ...INSTALLED, problem: "cannot be watched", problem_kind: "watch" } as const;
	expect(sentences(install, true, true).filter((line) => line.startsWith("green table"))).toEqual([]);
	expect(sentences(watch, true, true)).toContain("green table: The table is in place.");
});

test.each<[string, Daemon, boolean]>([
	["of a daemon that runs", OWNED, true],
	["of a released table", RELEASED, false],
	[
		"of a daemon that has not installed the table yet",
		{ ...INSTALLED, table_file: undefined } as unknown as Daemon,
		false,
	],
	["without a daemon, which is a finding of its own", undefined, false],
])("a saved table that is missing, %s", (_, daemon, found) => {
	const gone = { tableFile: undefined } as unknown as Partial<Facts>;
	const said = sentences(daemon, true, true, gone);
	expect(said.some((line) => line.startsWith("yellow table-file-missing"))).toBe(found);
});

test("without a table nothing is said to be in place", () => {
	for (const daemon of [OWNED, INSTALLED, RELEASED, undefined])
		expect(sentences(daemon, true, true, { ruleset: rulesets("fw4") }).join("\n")).not.toContain("in place");
});
