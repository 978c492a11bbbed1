import { describe, expect, test } from "vitest";
import type { Facts } from "../../src/doctor/facts.ts";
import { judge } from "../../src/doctor/judge.ts";
import { collectPeers, walkedPeer } from "../../src/doctor/known-peers.ts";
import type { BirdPeer } from "../../src/model/bird.ts";
import { BIRD_CONF, birdFile, config, HEALTHY, rulesets } from "./sample-facts.ts";

const RANGE = `protocol bgp k8s {
	local 192.168.1.1 port 1790 as 65001; neighbor range 192.168.1.0/24 as 65009; ipv4 { import all; };
}
`;
const live = (name: string, changes: Partial<BirdPeer>): BirdPeer => ({
	name,
	protocolState: "up",
	...changes,
});
const up = { state: "Established", localAs: 65001, imported: 2 } as const;
const range = live("k8s", { state: "Passive", neighborRange: "192.168.1.0/24", localAs: 65001 });

function facts(
	peers: readonly BirdPeer[],
	file: Facts["birdFile"] = birdFile(`${BIRD_CONF}${RANGE}`),
): Facts {
	return {
		...HEALTHY,
		bird: { reading: { peers }, protocols: [] },
		birdFile: file,
		hosts: new Map([["192.168.1.0/24", "192.168.1.66"]]),
		routes: new Map(),
	};
}

const named = (all: Facts, name: string) => {
	const found = collectPeers(all).find((each) => each.name === name);
	if (!found) throw new Error(name);
	return found;
};

describe("a range", () => {
	const waukeen = live("waukeen", { ...up, neighborAddress: "192.168.1.2" });
	const node = live("dynbgp1", { ...up, neighborAddress: "192.168.1.9" });

	test("is up with a node of its own, and not with a peer of bird.conf whose address lies in it", () => {
		expect(named(facts([range, waukeen]), "k8s").established).toBe(false);
		const both = named(facts([range, waukeen, node]), "k8s");
		expect(both.established).toBe(true);
		expect(both.live?.imported).toBe(2);
	});

	test("is told from its peers by BIRD's names where bird.conf cannot be read", () => {
		const unread = { path: "/etc/bird.conf", error: "no such file" } as unknown as Facts["birdFile"];
		expect(named(facts([range, waukeen], unread), "k8s").established).toBe(false);
		expect(named(facts([range, waukeen, node], unread), "k8s").established).toBe(true);
	});

	test("is walked as a host of it, on its own port", () => {
		const all = facts([range]);
		expect(walkedPeer(named(all, "k8s"), all)).toMatchObject({
			address: "192.168.1.66",
			localAddress: "192.168.1.1",
			ports: { router: 1790, peer: 179 },
		});
		const nowhere = { ...all, hosts: new Map() };
		expect(walkedPeer(named(nowhere, "k8s"), nowhere)).toBeUndefined();
	});
});

test("a peer's port is bird.conf's, then the configuration's", () => {
	const peers = [{ name: "waukeen", port: 1791 }] as never;
	const all = { ...facts([]), config: config({ peers }) };
	const ofFile = {
		...all,
		birdFile: birdFile(BIRD_CONF.replace("192.168.1.1 as", "192.168.1.1 port 1790 as")),
	};
	const unread = { ...all, birdFile: birdFile("") };
	expect(walkedPeer(named(ofFile, "waukeen"), ofFile)?.ports.router).toBe(1790);
	const peer = { ...named(unread, "waukeen"), address: "192.168.1.2" };
	expect(walkedPeer(peer, unread)?.ports.router).toBe(1791);
});

test("a proxy that catches another port is advised about that port, and is nothing that the table spares anybody", () => {
	const conf = BIRD_CONF.replace("192.168.1.1 as", "192.168.1.1 port 1790 as");
	const file = birdFile(
		`${BIRD_CONF.replace("bgp waukeen", "bgp drizzt")}${conf.slice(conf.indexOf("protocol bgp"))}`,
	);
	const all = { ...HEALTHY, birdFile: file, ruleset: rulesets("sing-box", "own") };
	const report = judge({ ...all, bird: { reading: { peers: [] }, protocols: [] } });
	const said = [...report.causes, ...report.review];
	const caught = said.filter(({ id }) => id === "bgp-caught");
	expect(caught.map(({ subject }) => subject)).toEqual(["waukeen"]);
	expect(caught[0]?.advice).toContain("TCP port 1790");
	const rules = new Set(
		caught.flatMap(({ evidence = [] }) => evidence.map((line) => line.replace("perhaps: ", ""))),
	);
	const spared = said.filter(({ id }) => id === "nat-bypassed").flatMap(({ evidence = [] }) => evidence);
	expect(rules.size).toBeGreaterThan(0);
	for (const rule of spared) expect(rules).not.toContain(rule);
});
