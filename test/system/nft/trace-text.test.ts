import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { PacketTrace } from "../../../src/model/packet-trace.ts";
import { parseCounters } from "../../../src/system/nft/counters-text.ts";
import { parseHandles, unknownChains, withRules } from "../../../src/system/nft/rule-handles.ts";
import { isTraceLine, parseTraceLine, TraceCollector } from "../../../src/system/nft/trace-text.ts";
import { describeHop, describeWay, verdictOf, zoneOf } from "../../../src/warden/diagnosis/verdict.ts";

const fixture = (name: string) =>
	readFileSync(new URL(`../../fixtures/nft/nft-1.1.3-trace-${name}.txt`, import.meta.url), "utf8");

/** The packets of a capture, put together as the daemon does. */
function collect(text: string): PacketTrace[] {
	const collector = new TraceCollector();
	for (const line of text.split("\n")) {
		const item = parseTraceLine(line);
		if (item) collector.line(item, 0);
	}
	return collector.drain(100, 40);
}

/** The chains of a listing of the ruleset, as `nft -a list chain` prints each. */
function listings(text: string): Map<string, Map<number, string>> {
	const found = new Map<string, Map<number, string>>();
	for (const table of text.split(/\n(?=table )/)) {
		const [, family, name] = /^table (\S+) (\S+) \{/.exec(table) ?? [];
		for (const [, chain, body = ""] of table.matchAll(/\n\tchain (\S+) \{[^\n]*\n([\s\S]*?)\n\t\}/g))
			found.set(`${family} ${name} ${chain}`, parseHandles(body));
	}
	return found;
}

function syn(traces: readonly PacketTrace[]): PacketTrace {
	const found = traces.find(
		({ packet: { flags, destinationPort } }) => flags.join() === "syn" && destinationPort === 179,
	);
	if (!found) throw new Error("no SYN in the capture");
	return found;
}

describe("captures of handshakes that somebody caught", () => {
	test("a SYN that is tproxied", () => {
		const trace = syn(collect(fixture("tproxy")));
		expect(trace.packet).toMatchObject({
			protocol: "tcp",
			iif: "br-lan",
			source: "192.168.1.2",
			destination: "192.168.1.1",
		});
		const verdict = verdictOf(trace, "custom_bgp");
		expect(verdict).toMatchObject({
			kind: "diverted",
			effect: "tproxy",
			hop: { family: "inet", table: "mihomo", chain: "pre" },
		});
		expect(verdict.kind !== "passed" && describeHop(verdict.hop)).toContain("tproxy ip to 127.0.0.1:7894");
	});

	test("a SYN that a zone of fw4 rejects: the way leads through all its chains", () => {
		const trace = syn(collect(fixture("fw4-reject")));
		const verdict = verdictOf(trace, "custom_bgp");
		expect(verdict).toMatchObject({
			kind: "stopped",
			effect: "reject",
			hop: { table: "fw4", chain: "handle_reject", verdict: "drop" },
		});
		expect(zoneOf(trace)).toBe("lan");
		expect(trace.hops.map(({ chain, verdict }) => `${chain} ${verdict}`)).toEqual(
			expect.arrayContaining(["input jump", "input_lan jump", "reject_from_lan jump", "handle_reject drop"]),
		);
		expect(describeWay(trace)).toBe("inet custom_bgp raw_pre: accept, inet fw4 handle_reject: drop");
	});

	test("a SYN-ACK that is dropped behind the router's back", () => {
		const traces = collect(fixture("reply-dropped"));
		expect(verdictOf(syn(traces), "custom_bgp")).toEqual({ kind: "passed" });
		const answer = traces.find(({ packet }) => packet.flags.join() === "syn,ack");
		expect(answer?.packet).toMatchObject({ oif: "br-lan", sourcePort: 179 });
		expect(answer && verdictOf(answer, "custom_bgp")).toMatchObject({
			kind: "stopped",
			effect: "drop",
			hop: { table: "strict", chain: "post" },
		});
	});

	test.each([
		{ name: "tproxy", verdict: { kind: "diverted", effect: "tproxy" } },
		{ name: "fw4-reject", verdict: { kind: "stopped", effect: "reject" } },
	])("rules younger than the monitor are looked up by their handles ($name)", ({ name, verdict }) => {
		const traces = [syn(collect(fixture(`${name}-old`)))];
		const chains = unknownChains(traces, "custom_bgp").map((chain) => chain.join(" "));
		expect(chains.length).toBeGreaterThan(0);
		expect(chains.some((chain) => chain.includes("custom_bgp"))).toBe(false);
		const [known] = withRules(traces, listings(fixture(`${name}-rules`)));
		expect(known && verdictOf(known, "custom_bgp")).toMatchObject(verdict);
		expect(known && unknownChains([known], "custom_bgp").length).toBe(chains.length);
		expect(known?.hops.some(({ rule, handle }) => rule !== undefined && handle !== undefined)).toBe(true);
	});
});

describe("single lines", () => {
	const packet = (rest: string) => parseTraceLine(`trace id 0 inet t c packet: iif "lo" ${rest} `);

	test.each([
		["syn", ["syn"]],
		["0x12", ["syn", "ack"]],
		["syn,ack", ["syn", "ack"]],
		["rst | ack", ["rst", "ack"]],
		["0x11", ["fin", "ack"]],
	])("TCP flags %s", (text, flags) => {
		const line = packet(
			`ip saddr 1.2.3.4 ip daddr 5.6.7.8 ip protocol 6 tcp sport 1 tcp dport 179 tcp flags == ${text} tcp window 1`,
		);
		expect(line).toMatchObject({ kind: "packet", packet: { flags } });
	});

	test("IPv6 and UDP", () => {
		expect(
			packet(
				"ip6 saddr fd00:1::2 ip6 daddr fd00:1::1 ip6 nexthdr udp udp sport 49152 udp dport 3784 udp length 32",
			),
		).toMatchObject({
			packet: { protocol: "udp", source: "fd00:1::2", destinationPort: 3784, flags: [] },
		});
	});

	test("the end of a chain, with its mark", () => {
		expect(
			parseTraceLine("trace id 9 inet fw4 mangle_prerouting policy accept meta mark 0x00000001"),
		).toEqual({
			id: "9",
			kind: "hop",
			hop: {
				family: "inet",
				table: "fw4",
				chain: "mangle_prerouting",
				verdict: "accept",
				policy: true,
				mark: 1,
			},
		});
	});

	test("a comment does nothing", () => {
		const line = parseTraceLine(
			'trace id 9 inet x c rule tcp dport 179 accept comment "no redirect here" (verdict accept)',
		);
		const trace = {
			id: "9",
			at: 0,
			packet: {} as PacketTrace["packet"],
			hops: line?.kind === "hop" ? [line.hop] : [],
		};
		expect(verdictOf(trace, "custom_bgp")).toEqual({ kind: "passed" });
	});

	test("what is no trace is none", () => {
		expect(parseTraceLine("add table inet x")).toBeUndefined();
		expect(isTraceLine("trace id 12")).toBe(true);
		expect(parseTraceLine("trace id 12 rubbish")).toEqual({ id: "12", kind: "other" });
		expect(packet("ip6 saddr :: icmpv6 type 135")).toMatchObject({ kind: "other" });
	});
});

test("a flood of traces is bounded, and what began last is kept", () => {
	const collector = new TraceCollector();
	for (let id = 0; id < 1000; id++) {
		const line = parseTraceLine(
			`trace id ${id.toString(16)} inet t c packet: iif "lo" ip saddr 1.2.3.4 ip daddr 5.6.7.8 tcp sport ${id} tcp dport 179 tcp flags == syn tcp window 1`,
		);
		if (line) collector.line(line, id);
	}
	const taken = collector.drain(10_000, 40);
	expect(taken).toHaveLength(64);
	expect(taken.at(-1)?.packet.sourcePort).toBe(999);
	expect(collector.busy).toBe(false);
});

test("counters come from the raw chain alone, and are absent from any other listing", () => {
	const listing = fixture("tproxy-rules");
	const own = listing.slice(listing.indexOf("table inet custom_bgp"));
	const chain = /chain raw_pre \{[\s\S]*?\n\t\}/.exec(own)?.[0] ?? "";
	const bgp = /tcp dport 179 counter packets (\d+)/.exec(chain)?.[1];
	// `-a` prints a handle behind the chain's brace, which the daemon does not ask for.
	const plain = own.replace(/ # handle \d+/g, "");
	expect(parseCounters(plain)?.bgp).toBe(Number(bgp));
	expect(parseCounters(plain)).toMatchObject({ singleHopBfd: 0 });
	expect(parseCounters("table inet custom_bgp {\n}\n")).toBeUndefined();
	expect(parseCounters("")).toBeUndefined();
});
