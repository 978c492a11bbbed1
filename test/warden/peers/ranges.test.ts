import { describe, expect, test } from "vitest";
import type { BirdConfiguration } from "../../../src/model/bird-configuration.ts";
import type { Inspection } from "../../../src/model/inspection.ts";
import type { Obstacle } from "../../../src/model/obstacle.ts";
import type { PacketTrace } from "../../../src/model/packet-trace.ts";
import { peer, reading, Story, type TestPeer, types } from "../story.ts";
import { repair } from "./bench.ts";

const NETWORK = "192.168.1.0/24";
const range = peer({
	name: "k8s",
	state: "Passive",
	protocolState: "start",
	neighborRange: NETWORK,
	localAs: 65001,
});
const { bfd: _, ...k8s } = range;
const node = (number: number, changes: Partial<TestPeer> = {}): TestPeer =>
	peer({ name: `dynbgp${number}`, neighborAddress: `192.168.1.${10 + number}`, localAs: 65001, ...changes });
const lost = { state: "Passive", protocolState: "start", bfd: "down" } as const;
const bgp = (name: string) => ({ name, disabled: false, password: false, channels: [] });
const configuration: BirdConfiguration = {
	bgp: [bgp("k8s"), bgp("wide"), bgp("static")],
	bfd: [],
	direct: [],
	kernel: [],
	device: true,
};

function read(...peers: TestPeer[]): Story {
	const story = Story.kept();
	story.happens({ type: "bird_up" }, { type: "bird_configured", configuration }, reading(...peers));
	return story;
}

/** BIRD says the same for a while. @returns the actions */
function stays(story: Story, seconds: number, ...peers: TestPeer[]) {
	return [...Array(Math.ceil(seconds / 10))].flatMap(() => [
		...story.passes(10_000),
		...story.happens(reading(...peers)),
	]);
}

function syn(story: Story, source: string, ...hops: PacketTrace["hops"]) {
	const ends = { source, destination: "192.168.1.1", sourcePort: 40_000, destinationPort: 179 };
	const packet = { protocol: "tcp", flags: ["syn"], ...ends } as const;
	return story.happens({ type: "packets_traced", traces: [{ id: "1", at: story.time, packet, hops }] });
}
const drop = { family: "inet", table: "x", chain: "pre", rule: "drop", verdict: "drop" };
const shown = (story: Story, name: string) => story.status.peers.find((each) => each.name === name);
const inspected = (number: number, inspection: Inspection) =>
	({ type: "peer_inspected", address: `192.168.1.${10 + number}`, inspection }) as const;
const link = { interface: "br-lan" };
const unreachable: Inspection = { route: link, neighbor: { ...link, state: "FAILED" } };
const there: Inspection = { route: link, neighbor: { ...link, state: "REACHABLE" } };

describe("a range", () => {
	test("that no node is connected to is red, with a cause, within 30 s", () => {
		const story = read(k8s);
		stays(story, 20, k8s);
		expect(shown(story, "k8s")).toMatchObject({ level: "red", diagnosis: "range-waiting", connected: 0 });
		expect(story.status.router.level).toBe("red");
		expect(shown(story, "k8s")?.evidence?.join()).toContain(`no SYN from ${NETWORK}`);
	});

	test("is up with its first node, counts them, and is down with the last: told and counted like any peer", () => {
		const story = read(k8s);
		expect(types(story.happens(reading(k8s, node(1))))).toContain("peer_up");
		expect(shown(story, "k8s")).toMatchObject({ state: "Established", connected: 1, level: "green" });
		expect(types(story.happens(reading(k8s, node(1), node(2, { imported: 3 }))))).not.toContain("peer_up");
		expect(shown(story, "k8s")).toMatchObject({ connected: 2, imported: 3 });
		expect(shown(story, "dynbgp2")).toMatchObject({ range: "k8s" });
		story.passes(60_000);
		const since = shown(story, "k8s")?.since;
		story.happens(reading(k8s, node(2, { imported: 3 })));
		expect(shown(story, "k8s")).toMatchObject({ connected: 1, since, flaps: 0 });
		const end = story.happens(reading(k8s, node(2, lost)));
		expect(end).toContainEqual(
			expect.objectContaining({ event: "peer_down", details: expect.objectContaining({ peer: "k8s" }) }),
		);
		expect(shown(story, "k8s")).toMatchObject({ connected: 0, flaps: 1, state: "Passive" });
	});

	test("that a person has disabled is that, whatever its nodes do meanwhile", () => {
		const off = { ...k8s, state: "Down", protocolState: "down" };
		const story = read(off, node(1));
		stays(story, 20, off, node(1));
		expect(shown(story, "k8s")).toMatchObject({ state: "Down", diagnosis: "disabled" });
	});

	test("is never restarted, nor does it make the daemon busy, whatever holds its nodes", () => {
		const story = read(k8s);
		const asked: string[] = [];
		for (let round = 0; round < 300; round++) {
			syn(story, "192.168.1.77", drop);
			if (round % 50 === 10) repair(story);
			const actions = [...story.happens(reading(k8s)), ...story.passes(5000)];
			for (const { type } of actions) {
				if (type === "list") story.happens({ type: "listed", text: "whole" });
				if (type === "flush") story.happens({ type: "flushed", deleted: 0, left: 0 });
			}
			if (round % 50 !== 10) asked.push(...types(actions));
		}
		expect(shown(story, "k8s")).toMatchObject({ diagnosis: "hijacked" });
		expect(asked).not.toContain("restart_peer");
		// 25 minutes: a round in ten minutes, and the flush after each repair.
		expect(asked.filter((type) => type === "flush").length).toBeLessThanOrEqual(10);
	});

	test("names what caught a dial of a node that BIRD has no peer for, until that table is changed", () => {
		const story = read(k8s);
		stays(story, 20, k8s);
		syn(story, "192.168.1.77", drop);
		expect(shown(story, "k8s")).toMatchObject({
			diagnosis: "hijacked",
			explanation: expect.stringContaining("192.168.1.77"),
		});
		story.happens({ type: "ruleset_changed", tables: ["inet x"], actor: { process: "nft", pid: 1 } });
		story.happens(reading(k8s));
		expect(shown(story, "k8s")).toMatchObject({ diagnosis: "range-waiting" });
	});

	test("takes what its nodes are told, the worst of them, at the same reading", () => {
		const early = { ...k8s, name: "aaa" };
		const bad = node(1, { ...lost, state: "Idle", lastError: "BGP Error: Bad peer AS" });
		const story = Story.kept();
		story.happens({ type: "bird_up" }, reading(early, bad, node(2, lost)));
		expect(shown(story, "aaa")).toMatchObject({
			diagnosis: "rejected",
			explanation: expect.stringMatching(/^no node of aaa \(192.168.1.0\/24\) is connected: BIRD refuses/),
		});
	});

	test("keeps packets of 16 strangers at the most, though thousands of addresses dial between two readings", () => {
		const story = read(k8s);
		const sizes: number[] = [];
		for (let host = 0; host < 3000; host++) {
			syn(story, `192.168.1.${host % 250}`, drop);
			if (host % 1000 === 999) sizes.push(JSON.stringify(story.state).length);
			story.time += 1;
		}
		expect(Math.max(...sizes)).toBeLessThan(40_000);
		story.happens(reading(k8s));
		expect(shown(story, "k8s")).toMatchObject({ diagnosis: "hijacked" });
		// Peers that BIRD no longer has do not pile up either.
		for (let round = 0; round < 60; round++) {
			const gone = node(round, lost);
			story.happens(reading(k8s, gone), inspected(round, there));
		}
		story.happens(reading(k8s));
		expect(JSON.stringify(story.state).length).toBeLessThan(40_000);
	});

	test("that bird.conf no longer has is gone, with what was known of its strangers", () => {
		const story = read(k8s);
		syn(story, "192.168.1.77", drop);
		story.happens(reading(node(1)));
		expect(story.status.peers.map(({ name }) => name)).toEqual(["dynbgp1"]);
		expect(shown(story, "dynbgp1")?.range).toBeUndefined();
		expect(JSON.stringify(story.state)).not.toContain("192.168.1.77");
	});

	test("of two that hold an address, the smaller one has the node; a static peer is nobody's", () => {
		const wide = { ...k8s, name: "wide", neighborRange: "192.168.0.0/16" };
		const fixed = peer({ name: "static", neighborAddress: "192.168.1.50" });
		const far = node(9, { neighborAddress: "192.168.7.7" });
		const story = read(k8s, wide, node(1), far, fixed);
		expect(shown(story, "dynbgp1")?.range).toBe("k8s");
		expect(shown(story, "dynbgp9")?.range).toBe("wide");
		expect(shown(story, "static")?.range).toBeUndefined();
	});

	test("without bird.conf has the nodes that BIRD has named itself, and no others", () => {
		const story = Story.kept();
		const fixed = peer({ name: "rack1", neighborAddress: "192.168.1.50" });
		story.happens({ type: "bird_up" }, reading(k8s, node(1), fixed));
		expect(shown(story, "dynbgp1")?.range).toBe("k8s");
		expect(shown(story, "rack1")?.range).toBeUndefined();
	});

	test("says what the listed ruleset has in the way of its hosts", () => {
		const story = read(k8s);
		const asked = [...stays(story, 20, k8s)];
		expect(asked).toContainEqual({
			type: "walk_ruleset",
			peers: [expect.objectContaining({ name: "k8s", address: NETWORK })],
		});
		const obstacle: Obstacle = {
			...{ id: "bgp-caught", effect: "tproxy", certain: true, packet: "the peer's SYN to port 179" },
			...{ place: "chain pre of table inet x", table: "inet x", hook: "prerouting", evidence: [] },
		};
		story.happens({ type: "ruleset_walked", obstacles: new Map([["k8s", [obstacle]]]) });
		expect(shown(story, "k8s")).toMatchObject({ diagnosis: "hijacked", level: "red" });
	});

	test("with scope peers is in the table as it is; its nodes come and go without a new table", () => {
		const story = Story.kept({ scope: "peers" });
		story.happens({ type: "bird_up" }, { type: "bird_configured", configuration });
		expect(story.happens(reading(k8s))).toContainEqual(
			expect.objectContaining({ type: "install", spec: expect.objectContaining({ addresses: [NETWORK] }) }),
		);
		story.happens({ type: "own_transaction" }, { type: "installed" }, { type: "listed", text: "more" });
		expect(types(story.happens(reading(k8s, node(1))))).not.toContain("install");
	});
});

describe("a node of a range", () => {
	test("that has gone is a note, and the range stays green with the others", () => {
		const peers = [k8s, node(1, lost), node(2)];
		const story = read(...peers);
		story.happens(inspected(1, unreachable));
		stays(story, 70, ...peers);
		story.happens(inspected(1, unreachable));
		expect(shown(story, "dynbgp1")).toMatchObject({ diagnosis: "node-gone", level: "yellow" });
		expect(story.status.router.level).toBe("green");
	});

	test.each<[string, Inspection]>([
		["whose host is there, and which does not dial", there],
		["to which the router has no route", { noRoute: "Network is unreachable" }],
		[
			"whose gateway does not answer",
			{ route: { ...link, gateway: "192.168.1.3" }, neighbor: { ...link, state: "FAILED" } },
		],
		["of which the kernel could not be asked", {}],
	])("%s is no note", (_, inspection) => {
		const peers = [k8s, node(1, lost), node(2)];
		const story = read(...peers);
		for (let minute = 0; minute < 6; minute++) {
			story.happens(inspected(1, inspection));
			stays(story, 60, ...peers);
		}
		expect(shown(story, "dynbgp1")).toMatchObject({ level: "red" });
		expect(story.status.router.level).toBe("red");
	});

	test("is no note where nobody could hear it dial, or where BFD hears it", () => {
		const silent: Inspection = { route: link, neighbor: "none" };
		const deaf = read(k8s, node(1, lost), node(2));
		deaf.happens({ type: "watch_ended", reason: "killed" });
		const heard = read(k8s, node(1, { ...lost, bfd: "up" }), node(2));
		for (let round = 0; round < 40; round++) {
			deaf.happens(inspected(1, silent));
			stays(deaf, 10, k8s, node(1, lost), node(2));
			heard.happens(inspected(1, silent));
			stays(heard, 10, k8s, node(1, { ...lost, bfd: "up" }), node(2));
		}
		expect(shown(deaf, "dynbgp1")).toMatchObject({ level: "red" });
		expect(shown(heard, "dynbgp1")).toMatchObject({ level: "red" });
	});

	test("that has not been heard of for minutes, and of which nothing is left, is a note", () => {
		const story = read(k8s, node(1, lost), node(2));
		story.happens(inspected(1, { route: link, neighbor: "none" }));
		stays(story, 260, k8s, node(1, lost), node(2));
		expect(shown(story, "dynbgp1")).toMatchObject({ diagnosis: "node-gone", level: "yellow" });
		// It comes back, and is caught.
		syn(story, "192.168.1.11", drop);
		expect(shown(story, "dynbgp1")).toMatchObject({ diagnosis: "hijacked", level: "red" });
	});
});
