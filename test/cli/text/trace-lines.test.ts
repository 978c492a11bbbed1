import { describe, expect, test } from "vitest";
import { renderTrace } from "../../../src/cli/text/trace-lines.ts";
import type { PacketTrace } from "../../../src/model/packet-trace.ts";
import { parseTraceLine, TraceCollector } from "../../../src/system/nft/trace-text.ts";

/** Printed by nft 1.1.3's monitor in the lab. */
const packet =
	'inet proxy pre packet: iif "br-lan" ether saddr 02:00:00:00:00:02 ether daddr 02:00:00:00:00:01 ip saddr 192.168.1.2 ip daddr 192.168.1.1 ip dscp cs6 ip ecn not-ect ip ttl 64 ip id 1 ip protocol tcp ip length 60 tcp sport 46942 tcp dport 179 tcp flags == syn tcp window 64240';

const at = Date.UTC(2026, 10, 24, 3, 0, 0, 123);
const plain = { color: false };

/** Puts lines of a trace together as the tracer does. */
function traced(...lines: string[]): PacketTrace {
	const collector = new TraceCollector();
	for (const line of [packet, ...lines]) {
		const parsed = parseTraceLine(`trace id 345f56bb ${line}`);
		if (!parsed) throw new Error(line);
		collector.line(parsed, 0);
	}
	const [trace] = collector.drain(1000, 0);
	if (!trace) throw new Error("no packet");
	return trace;
}

const ends = (...lines: string[]) =>
	renderTrace(traced(...lines), at, plain)
		.trimEnd()
		.split("\n")
		.at(-1);

describe("a packet", () => {
	test("is a line about itself, one for each hop, and where it led to", () => {
		const trace = traced(
			"inet proxy pre rule tcp dport 179 redirect to :7892 (verdict accept)",
			"inet fw4 input rule jump input_lan (verdict jump input_lan)",
			"inet fw4 input_lan verdict return",
			"inet fw4 input policy drop meta mark 0x00000001",
		);
		expect(renderTrace(trace, at, plain)).toBe(
			[
				"03:00:00.123Z  in on br-lan: 192.168.1.2:46942 > 192.168.1.1:179 tcp syn",
				"    inet proxy pre      tcp dport 179 redirect to :7892 -> accept",
				"    inet fw4 input      jump input_lan",
				"    inet fw4 input_lan  end of the chain -> return",
				"    inet fw4 input      policy -> drop",
				"    = dropped by inet fw4 input",
				"",
			].join("\n"),
		);
	});

	test("has its verdicts in colour", () => {
		const text = renderTrace(traced("inet fw4 input policy drop"), at, { color: true });
		expect(text).toContain("policy\u001b[31m -> drop\u001b[0m");
		expect(text).toContain("\u001b[31m= dropped by inet fw4 input\u001b[0m");
	});

	test.each([
		["passes", ["inet fw4 input policy accept"], "    = let through"],
		[
			"is led elsewhere",
			["inet p pre rule tcp dport 179 redirect to :1 (verdict accept)", "inet fw4 input policy accept"],
			"    = redirected by inet p pre",
		],
		[
			"goes to a program",
			["inet q pre rule queue to 1 (verdict queue)"],
			"    = queued to a program by inet q pre",
		],
		["meets nobody", [], "    met no other chain"],
	])("that %s says so", (_, lines, end) => {
		expect(ends(...lines)).toBe(end);
	});

	test("keeps a rule's harmful characters off the terminal, and its length", () => {
		const rule = `inet x y rule comment "\u001b[2J${"a".repeat(500)}" (verdict continue)`;
		const text = renderTrace(traced(rule), at, plain);
		expect(text).toContain("\\x1b[2J");
		expect(text).not.toContain("\u001b");
		expect(text.split("\n")[1]?.length).toBeLessThan(200);
	});
});
