import { describe, expect, test } from "vitest";
import type { WalkedPeer } from "../../src/model/obstacle.ts";
import { findObstacles, sparedRules } from "../../src/ruleset/obstacles.ts";
import { parseRuleset } from "../../src/system/nft/ruleset-json.ts";

const OWN = "custom_bgp";
const peer = (name: string, router: number, dialed = 179): WalkedPeer => ({
	name,
	address: "192.168.1.2",
	localAddress: "192.168.1.1",
	interface: "br-lan",
	ports: { router, peer: dialed },
	dials: true,
});

/** A proxy that takes all of TCP, in both directions, and the daemon's table for these ports. */
function ruleset(ports: readonly number[]) {
	const chain = (table: string, name: string, type: string, hook: string, prio: number) => ({
		chain: { family: "inet", table, name, handle: 1, type, hook, prio, policy: "accept" },
	});
	const rule = (table: string, name: string, handle: number, ...expr: object[]) => ({
		rule: { family: "inet", table, chain: name, handle, expr },
	});
	const match = (left: object, right: unknown) => ({ match: { op: "==", left, right } });
	const tcp = match({ meta: { key: "l4proto" } }, "tcp");
	const set = { set: [...ports] };
	const port = (field: string) => match({ payload: { protocol: "tcp", field } }, set);
	const parsed = parseRuleset(
		JSON.stringify({
			nftables: [
				{ metainfo: { version: "1.1.3" } },
				{ table: { family: "inet", name: OWN, handle: 1 } },
				chain(OWN, "raw_pre", "filter", "prerouting", -300),
				rule(OWN, "raw_pre", 2, port("dport"), { notrack: null }),
				rule(OWN, "raw_pre", 3, port("sport"), { notrack: null }),
				chain(OWN, "raw_out", "filter", "output", -300),
				rule(OWN, "raw_out", 4, port("dport"), { notrack: null }),
				rule(OWN, "raw_out", 5, port("sport"), { notrack: null }),
				{ table: { family: "inet", name: "proxy", handle: 2 } },
				chain("proxy", "pre", "nat", "prerouting", -100),
				rule("proxy", "pre", 2, tcp, { redirect: { port: 7892 } }),
				chain("proxy", "out", "nat", "output", -100),
				rule("proxy", "out", 3, tcp, { redirect: { port: 7892 } }),
			],
		}),
	);
	if (!parsed) throw new Error("no ruleset");
	return parsed;
}

const ids = (ports: readonly number[], ...peers: WalkedPeer[]) =>
	peers.map((each) => findObstacles(ruleset(ports), each, OWN).map(({ id }) => id));

describe("a proxy that takes all of TCP", () => {
	test("catches the port that the table does not cover", () => {
		expect(ids([179], peer("plain", 179), peer("other", 1790))).toEqual([[], ["bgp-caught"]]);
		expect(findObstacles(ruleset([179]), peer("other", 1790), OWN)[0]?.packet).toContain("port 1790");
	});

	test("catches the router's own SYN to a port that the table does not cover", () => {
		expect(ids([179], peer("dialed", 179, 1790))).toEqual([["connect-caught"]]);
	});

	test("catches nothing where the table covers both", () => {
		expect(ids([179, 1790], peer("plain", 179), peer("other", 1790, 1790))).toEqual([[], []]);
	});
});

describe("what the table spares a peer", () => {
	const spared = (ports: readonly number[], ...peers: WalkedPeer[]) => [
		...sparedRules(ruleset(ports), peers, OWN).values(),
	];

	test("is the rule that would catch it without the table", () => {
		expect(spared([179], peer("plain", 179))).toEqual([expect.stringContaining("redirect")]);
		expect(spared([179, 1790], peer("plain", 179), peer("other", 1790))).toHaveLength(1);
	});

	test("is no rule that catches it now", () => {
		expect(spared([179], peer("other", 1790))).toEqual([]);
	});

	test("is no rule that catches another peer now", () => {
		expect(spared([179], peer("plain", 179), peer("other", 1790))).toEqual([]);
	});

	test("is nothing without the table, without an address, or for a range without a host", () => {
		const bare = ruleset([179]);
		const others = { ...bare, tables: bare.tables.filter(({ name }) => name !== OWN) };
		expect(sparedRules(others, [peer("plain", 179)], OWN).size).toBe(0);
		expect(spared([179], { ...peer("range", 179), address: "192.168.1.0/24" })).toEqual([]);
		expect(ids([], { ...peer("range", 179), address: "192.168.1.0/24" })).toEqual([[]]);
	});
});
