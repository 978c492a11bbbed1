import { beforeEach, expect, test } from "vitest";
import { defaultConfig } from "../../src/config/load.ts";
import type { WalkedPeer } from "../../src/model/obstacle.ts";
import { type Programs, perform } from "../../src/system/perform.ts";
import type { WardenEvent } from "../../src/warden/events.ts";
import { FakePlatform } from "../fakes/platform.ts";

/** What meets the world in one action alone. */

const peer: WalkedPeer = {
	name: "k8s",
	address: "192.168.1.0/24",
	ports: { router: 179, peer: 179 },
	dials: false,
};

/** A rule that drops what comes from the second host of the LAN, on its interface. */
const rule = (interfaceName: string) => ({
	rule: {
		...{ family: "inet", table: "mine", chain: "in", handle: 2 },
		expr: [
			{ match: { op: "==", left: { meta: { key: "iifname" } }, right: interfaceName } },
			{ match: { op: "==", left: { payload: { protocol: "ip", field: "saddr" } }, right: "192.168.1.2" } },
			{ drop: null },
		],
	},
});

let platform: FakePlatform;
let dropping: string;

beforeEach(() => {
	platform = new FakePlatform();
	dropping = "br-lan";
	platform.files.set("/proc/net/fib_trie", "  |-- 192.168.1.1\n     /32 host LOCAL\n");
	platform.files.set("/proc/net/route", "br-lan\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
	platform.program("nft", (child) => {
		const hook = { type: "filter", hook: "input", prio: 0, policy: "accept" };
		const nftables = [
			{ metainfo: { version: "1.1.3" } },
			{ table: { family: "inet", name: "mine", handle: 1 } },
			{ chain: { family: "inet", table: "mine", name: "in", handle: 1, ...hook } },
			rule(dropping),
		];
		child.out(JSON.stringify({ nftables }));
		child.end(0);
	});
});

async function walk(...peers: WalkedPeer[]) {
	let events: WardenEvent[] = [];
	const programs = { platform, config: defaultConfig() } as unknown as Programs;
	void perform({ type: "walk_ruleset", peers }, programs).then((said) => {
		events = [...said];
	});
	await platform.settle();
	const [event] = events;
	if (event?.type !== "ruleset_walked") throw new Error("no walk");
	return event.obstacles && [...event.obstacles].map(([name, found]) => [name, found.map(({ id }) => id)]);
}

test("a range is walked as a host of it", async () => {
	expect(await walk(peer)).toEqual([["k8s", ["bgp-blocked"]]]);
});

test("the interface that a person has named counts more than the network's", async () => {
	dropping = "br-iot";
	expect(await walk(peer)).toEqual([["k8s", []]]);
	expect(await walk({ ...peer, interface: "br-iot" })).toEqual([["k8s", ["bgp-blocked"]]]);
});

test("of a range without a host that is not this router nothing is said", async () => {
	expect(await walk({ ...peer, address: "192.168.1.1/32" })).toEqual([]);
	platform.files.remove("/proc/net/fib_trie");
	expect(await walk(peer, { ...peer, name: "waukeen", address: "192.168.1.2", interface: "br-lan" })).toEqual(
		[["waukeen", ["bgp-blocked"]]],
	);
});

test("a ruleset that cannot be listed is not known", async () => {
	platform.program("nft", (child) => child.end(1));
	expect(await walk(peer)).toBeUndefined();
});
