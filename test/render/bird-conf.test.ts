import { expect, test } from "vitest";
import { renderBird } from "../../src/render/bird-conf.ts";
import { compareFile } from "../../src/render/compare.ts";
import { parseBirdConfiguration } from "../../src/system/bird/conf/parse-conf.ts";
import { article, article6, type Options, plan } from "./sample-plan.ts";

/** What BIRD would make of the rendered file. */
function rendered(peers: readonly Options[], pool?: string) {
	const text = renderBird(plan(peers, pool));
	return { text, ...parseBirdConfiguration({ path: "bird.conf", text }) };
}

test("the article's peer, multihop as its speaker is", () => {
	expect(rendered([article])).toMatchObject({
		routerId: "192.168.1.1",
		device: true,
		direct: [{ patterns: ["br-lan"], families: ["ipv4"] }],
		kernel: [{ channels: [{ family: "ipv4", export: "where source = RTS_BGP" }] }],
		bfd: [{ interfaces: [], multihop: { minReceive: 270, minTransmit: 380, multiplier: 3 } }],
		bgp: [
			{
				name: "waukeen",
				localAddress: "192.168.1.1",
				localAs: 65001,
				neighborAddress: "192.168.1.2",
				neighborAs: 65009,
				multihop: 2,
				passive: true,
				gracefulRestart: "on",
				bfd: "on",
				holdTime: 15,
				keepaliveTime: 5,
				password: false,
				channels: [{ family: "ipv4", import: "where net.len >= 16", export: "none" }],
			},
		],
	});
});

test("a direct peer needs neither direct nor multihop protocols", () => {
	const { bgp, bfd, direct, routerId } = rendered([article6]);
	expect(bgp).toMatchObject([{ multihop: false, channels: [{ family: "ipv6" }] }]);
	expect(bfd).toMatchObject([{ interfaces: [{ patterns: ["br-lan"], options: { minReceive: 270 } }] }]);
	expect(bfd[0]).not.toHaveProperty("multihop");
	expect(direct).toEqual([]);
	expect(routerId).toBeUndefined();
});

test("peers of both kinds and families, some without BFD or interface", () => {
	const far = { ...article, name: "far-1", address: "10.9.0.2", interface: undefined };
	const { bgp, bfd, direct, kernel } = rendered([
		article,
		far,
		article6,
		{ ...article6, name: "7", bfd: "0" },
	]);
	expect(bgp.map(({ name, bfd: on }) => [name, on])).toEqual([
		["waukeen", "on"],
		["far-1", "on"],
		["six", "on"],
		["7", "off"],
	]);
	expect(bfd).toHaveLength(1);
	expect(bfd[0]).toMatchObject({ interfaces: [{ patterns: ["br-lan"] }], multihop: {} });
	// One of them does not say where it is, so all interfaces count.
	expect(direct).toMatchObject([{ patterns: [], families: ["ipv4"] }]);
	expect(kernel.map(({ channels }) => channels[0]?.family)).toEqual(["ipv4", "ipv6"]);
	expect(rendered([{ ...article, bfd: "0" }]).bfd).toEqual([]);
});

test("a link-local neighbor has its interface", () => {
	const near = { ...article6, address: "fe80::2", local_address: "fe80::1" };
	expect(rendered([near]).bgp).toMatchObject([{ neighborAddress: "fe80::2", interface: "br-lan" }]);
});

test("takes the pool's addresses alone where it is known", () => {
	const { bgp } = rendered([article, article6], "192.168.20.0/24");
	expect(bgp.map(({ channels }) => channels[0]?.import)).toEqual([
		"where net ~ [ 192.168.20.0/24+ ]",
		"where net.len >= 48",
	]);
});

test("fits what it is compared with", () => {
	const peers = [article, { ...article, name: "far-1", address: "10.9.0.2", interface: undefined }, article6];
	expect(compareFile(plan(peers), rendered(peers))).toEqual({ differences: [], notes: [] });
});

test("option port is BIRD's own port, and what the speaker listens on stays as it is", () => {
	const { text, bgp } = rendered([{ ...article, port: "1790" }, article6]);
	expect(text).toContain("\tlocal 192.168.1.1 port 1790 as 65001;\n\tneighbor 192.168.1.2 as 65009;");
	expect(bgp.map(({ localPort, neighborPort }) => [localPort, neighborPort])).toEqual([
		[1790, undefined],
		[undefined, undefined],
	]);
	expect(rendered([{ ...article, port: "179" }]).text).toBe(rendered([article]).text);
});
