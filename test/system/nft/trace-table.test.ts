import { describe, expect, test } from "vitest";
import { renderTraceTable } from "../../../src/system/nft/trace-table.ts";

describe("the trace's table", () => {
	test("vanishes with its owner, and decides nothing", () => {
		const text = renderTraceTable("bgpwarden_trace_1", "192.168.1.2", [179]);
		expect(text).toMatch(/^table inet bgpwarden_trace_1 \{\n\tflags owner;\n/);
		expect(text).not.toContain("persist");
		const rules = text.split("\n").filter((line) => line.includes("nftrace"));
		expect(rules).toHaveLength(10);
		for (const rule of rules) {
			expect(rule).toMatch(
				/ limit rate \d+\/second burst \d+ packets meta nftrace set 1 comment "bgpwarden trace"$/,
			);
			expect(rule).not.toMatch(/accept|drop|return/);
		}
		expect(text.match(/priority (-?\d+)/g)).toEqual(["priority -450", "priority -450"]);
	});

	test.each([
		["192.168.1.2", "ip saddr 192.168.1.2", "ip daddr 192.168.1.2"],
		["fd00:1::2", "ip6 saddr fd00:1::2", "ip6 daddr fd00:1::2"],
		["fe80::1%br-lan", "ip6 saddr fe80::1", "ip6 daddr fe80::1"],
	])("matches %s both ways, without a zone", (address, arriving, leaving) => {
		const [, into = "", out = ""] = renderTraceTable("t", address, [179]).split("\tchain ");
		expect(into).toContain(`${arriving} tcp`);
		expect(out).toContain(`${leaving} tcp`);
		expect(into + out).not.toContain("%");
	});

	test("is about every port of BGP, both ways", () => {
		const text = renderTraceTable("t", "192.168.1.2", [179, 1790]);
		for (const port of ["dport", "sport"])
			expect(text.match(new RegExp(` tcp ${port} \\{ 179, 1790 \\} `, "g"))).toHaveLength(4);
		expect(text).not.toMatch(/tcp [ds]port \d/);
	});
});
