import { describe, expect, test } from "vitest";
import { renderReport } from "../../../src/cli/text/doctor-report.ts";
import type { Report } from "../../../src/doctor/judge.ts";

const REPORT: Report = {
	level: "red",
	at: "2026-11-24T00:00:00.000Z",
	causes: [
		{
			id: "hijacked",
			level: "red",
			subject: "waukeen",
			text: "the SYN of waukeen is redirected by chain pre of table inet proxy",
			advice: "Except TCP port 179 in the proxy.",
			evidence: ["inet proxy pre: tcp dport 179 redirect to :7892 (handle 4)", "seen 3 times"],
		},
	],
	review: [
		{ id: "clock-not-set", level: "yellow", subject: "clock", text: "The clock is not set." },
		{ id: "config", level: "green", subject: "x", text: "The configuration has no mistakes." },
		{ id: "nat-bypassed", level: "green", subject: "nft", text: "Spared.", evidence: ["inet a b: …"] },
	],
};

describe("renderReport", () => {
	test("has the root cause first, then what to look at, then what is fine", () => {
		expect(renderReport(REPORT, { color: false })).toBe(`1 error, 1 warning.

ERROR  waukeen: hijacked
       The SYN of waukeen is redirected by chain pre of table inet proxy.
  seen inet proxy pre: tcp dport 179 redirect to :7892 (handle 4)
       seen 3 times
  do   Except TCP port 179 in the proxy.

WARN   clock: clock-not-set
       The clock is not set.

ok     The configuration has no mistakes.
ok     Spared.
         inet a b: …
`);
	});

	test("has colours only where they are wanted", () => {
		const page = renderReport(REPORT, { color: true });
		expect(page).toContain("\x1b[31mERROR\x1b[0m");
		expect(page).toContain("\x1b[32mok   \x1b[0m");
		expect(
			["0", "1", "2", "31", "32", "33"].reduce((text, code) => text.replaceAll(`\x1b[${code}m`, ""), page),
		).toBe(renderReport(REPORT, { color: false }));
	});

	test.each<[Report["level"], string]>([
		["green", "Everything is fine.\n"],
		["yellow", "No errors; 1 warning.\n"],
	])("%s", (level, first) => {
		const review = REPORT.review.filter((each) => level === "yellow" || each.level === "green");
		expect(renderReport({ ...REPORT, level, causes: [], review }, { color: false })).toMatch(first);
	});

	test("breaks long texts at spaces, and lets nothing harmful through", () => {
		const text = `${"word ".repeat(60)}\x1b[2J`;
		const page = renderReport(
			{ ...REPORT, causes: [], review: [{ id: "x", level: "red", subject: "\x1b]0;", text }] },
			{ color: false },
		);
		expect(Math.max(...page.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
		expect(page).not.toContain("\x1b");
		expect(page).toContain("\\x1b[2J");
	});

	test("has the way of a service's packets, with what is wrong there marked", () => {
		const path = [
			{ at: "announced", text: "by nobody", level: "red" },
			{ at: "there", text: "a > b: passes", level: "green" },
			{ at: "there", text: "c > b: perhaps dropped", level: "yellow" },
		] as const;
		const service = { address: "192.168.20.1", port: 443, portAssumed: true, path };
		expect(
			renderReport({ ...REPORT, causes: [], review: [], service }, { color: false }),
		).toBe(`Nothing wrong on the way.

service    192.168.20.1 TCP port 443 (assumed)
announced  by nobody  <- ERROR
there      a > b: passes
           c > b: perhaps dropped  <- WARN
`);
		const from = { ...service, portAssumed: false, from: "192.168.10.10" };
		expect(renderReport({ ...REPORT, service: from }, { color: false })).toContain(
			"\n\nservice    192.168.20.1 TCP port 443 from 192.168.10.10\n",
		);
	});
});
