import { describe, expect, test } from "vitest";
import type { Ruleset, Statement } from "../../../src/model/ruleset.ts";
import { describeRule } from "../../../src/ruleset/rule-text.ts";
import { parsePriority, parseRuleset } from "../../../src/system/nft/ruleset-json.ts";
import { listing, VERSIONS } from "./captures.ts";

function read(text: string, terse = false): Ruleset {
	const ruleset = parseRuleset(text, terse);
	if (!ruleset) throw new Error("not read");
	return ruleset;
}

function statements(ruleset: Ruleset): Statement[] {
	return ruleset.tables.flatMap(({ chains }) =>
		[...chains.values()].flatMap(({ rules }) => rules.flatMap((rule) => rule.statements)),
	);
}

describe.each(VERSIONS)("nft %s", (version) => {
	test.each(["own", "fw4", "nikki", "sing-box", "tailscale"])("everything in %s is understood", (name) => {
		const text = JSON.stringify(statements(read(listing(version, name))));
		// fw4's clamping of segment sizes changes nothing that a packet's way depends on.
		expect(text.replaceAll(/"unknown","name":"(tcp option|rt)"/g, "")).not.toContain('"unknown"');
	});
});

describe.each(VERSIONS)("a capture by nft %s with every kind of expression", (version) => {
	const ruleset = read(listing(version, "every-expression"));
	const every = ruleset.tables.find(({ name }) => name === "every");
	const rules = every?.chains.get("x")?.rules ?? [];

	test("has its chains, priorities, policies and tables that are asleep", () => {
		expect(ruleset.version).toBe(version);
		expect(ruleset.tables.map(({ name, dormant }) => ({ name, dormant }))).toEqual([
			{ name: "every", dormant: false },
			// nft 1.0.6 leaves it out.
			{ name: "z", dormant: version !== "1.0.6" },
		]);
		expect(every?.chains.get("pre")?.base).toEqual({
			type: "filter",
			hook: "prerouting",
			priority: -155,
			policy: "accept",
		});
		expect(ruleset.tables[1]?.chains.get("a")?.base?.policy).toBe("drop");
		expect(every?.chains.get("x")?.base).toBeUndefined();
	});

	test("names what is not understood, and only that", () => {
		const unknown = rules
			.filter((rule) => JSON.stringify(rule.statements).includes('"unknown"'))
			.map(describeRule);
		expect(unknown).toEqual(["meta mark set map …", "numgen … 0 drop", "tcp option … set rt …"]);
	});

	test("is said much as nft writes it", () => {
		const said = rules.map(describeRule);
		for (const line of [
			"ct state established,related accept",
			"tcp flags & (fin | syn | rst | ack) == syn jump y",
			"meta mark & 0x000000ff == 0x00000001 drop",
			"iifname { br-lan, wan* } jump y",
			"ip saddr != 192.168.0.0/16 drop",
			"ip saddr . tcp dport @pp drop",
			"ip6 saddr fe80::/10 return",
			"tcp dport vmap { 1-10 : drop, 22 : accept, 179 : jump y }",
			"fib daddr type local accept",
			"reject with icmpx port-unreachable",
			"tcp dport >= 1024 return",
		])
			expect(said).toContain(line);
		expect(every?.chains.get("pre")?.rules.map(describeRule)).toEqual([
			"meta l4proto { tcp, udp } tproxy to :7893 meta mark set 0x00000001 accept",
			"meta nfproto ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:7893 accept",
			"meta nfproto ipv6 meta l4proto tcp tproxy ip6 to [::1]:7893 accept",
		]);
	});

	test("has what sets hold, timeouts or not, unless the listing leaves it out", () => {
		expect(every?.sets.get("t4")?.elements()).toEqual([{ kind: "is", value: [1, 2, 3, 4] }]);
		expect(every?.sets.get("s4")?.elements()).toContainEqual({
			kind: "range",
			from: [192, 168, 1, 2],
			to: [192, 168, 1, 7],
		});
		expect(every?.sets.get("vm")?.verdicts()).toContainEqual({
			key: { kind: "is", value: 179 },
			verdict: { kind: "drop" },
		});
		const terse = read(listing(version, "every-expression"), true).tables[0]?.sets.get("s4");
		expect(terse?.elements()).toBeUndefined();
	});
});

test("statements that this kernel has no module for are known from nft's own output", () => {
	const rule = (expr: unknown) =>
		read(
			JSON.stringify({
				nftables: [
					{ table: { family: "inet", name: "t", handle: 1 } },
					{ chain: { family: "inet", table: "t", name: "c", handle: 1 } },
					{ rule: { family: "inet", table: "t", chain: "c", handle: 2, expr } },
				],
			}),
		).tables[0]?.chains.get("c")?.rules[0];
	const one = (expr: unknown) => rule([expr])?.statements[0];
	expect(one({ queue: { num: 100, flags: "bypass" } })).toEqual({ kind: "queue", to: "100", bypass: true });
	expect(one({ queue: { num: { range: [1, 3] } } })).toEqual({ kind: "queue", to: "1-3", bypass: false });
	expect(one({ queue: null })).toEqual({ kind: "queue", bypass: false });
	expect(one({ xt: { type: "target", name: "REDIRECT" } })).toEqual({ kind: "redirect" });
	expect(one({ xt: { type: "match", name: "owner" } })).toEqual({ kind: "unknown", name: "xt owner" });
	expect(one({ flow: { op: "add", flowtable: "@ft" } })).toEqual({ kind: "passive", name: "flow" });
	expect(one({ "not yet": 1 })).toEqual({ kind: "unknown", name: "not yet" });
	expect(one(null)).toEqual({ kind: "unknown", name: "?" });
	expect(rule("nonsense")?.statements).toEqual([]);
	expect(one({ match: { op: "~", left: 1, right: 2 } })).toMatchObject({ kind: "unknown" });
});

test("priorities by name, as older versions print them", () => {
	expect(parsePriority(-155)).toBe(-155);
	expect(parsePriority("filter")).toBe(0);
	expect(parsePriority("mangle - 5")).toBe(-155);
	expect(parsePriority("dstnat + 1")).toBe(-99);
	expect(parsePriority("soon")).toBeUndefined();
	expect(parsePriority(undefined)).toBeUndefined();
});

test("what is no listing is none, and families that this router's packets do not meet are left out", () => {
	for (const text of ["", "{", "[]", '{"nftables":{}}', "null", '"nftables"'])
		expect(parseRuleset(text)).toBeUndefined();
	const odd = [null, 1, {}, { rule: { family: "inet", table: "gone", chain: "c" } }, { chain: null }];
	const arp = { table: { family: "arp", name: "t", handle: 1 } };
	expect(read(JSON.stringify({ nftables: [...odd, arp] })).tables).toEqual([]);
});

test("a listing cut anywhere is refused or read, never an exception", () => {
	const text = listing("1.1.3", "nikki");
	for (let length = 0; length < text.length; length += 97)
		expect(parseRuleset(text.slice(0, length))).toBeUndefined();
});
