import { expect, test } from "vitest";
import { renderBird } from "../../src/render/bird-conf.ts";
import { compareFile } from "../../src/render/compare.ts";
import { parseBirdConfiguration } from "../../src/system/bird/conf/parse-conf.ts";
import { article, article6, type Options, plan } from "./sample-plan.ts";

/** What BIRD would make of the rendered file. */
function rendered(peers: readonly Options[], pools?: string | readonly string[], secrets = false) {
	const text = renderBird(plan(peers, pools, {}, "bird", secrets));
	return { text, ...parseBirdConfiguration({ path: "bird.conf", text }) };
}

test("the article's peer, multihop as its speaker is", () => {
	expect(rendered([article])).toMatchObject({
		routerId: "192.168.1.1",
		device: true,
		direct: [{ patterns: ["br-lan"], families: ["ipv4"] }],
		kernel: [{ mergePaths: true, channels: [{ family: "ipv4", export: "where source = RTS_BGP" }] }],
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
				gracefulRestart: "aware",
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

test("graceful restart of the speaker takes bfd graceful, and BIRD itself is aware of it", () => {
	const { bgp, text } = rendered([{ ...article, graceful_restart: "1" }]);
	expect(bgp).toMatchObject([{ gracefulRestart: "aware", bfd: "graceful" }]);
	expect(text).toContain("until its restart time (120 s) is over");
	const without = rendered([{ ...article, graceful_restart: "1", bfd: "0" }]);
	expect(without.bgp).toMatchObject([{ gracefulRestart: "aware", bfd: "off" }]);
});

test("a range is one protocol, which names those of its nodes", () => {
	const cluster = { ...article, name: "cluster", address: undefined, range: "192.168.1.0/24" };
	expect(rendered([cluster]).bgp).toMatchObject([
		{
			name: "cluster",
			localAddress: "192.168.1.1",
			neighborRange: "192.168.1.0/24",
			neighborAs: 65009,
			dynamicName: "cluster",
			multihop: 2,
		},
	]);
	const long = rendered([{ ...cluster, name: "n".repeat(64) }]);
	expect(long.bgp).toMatchObject([{ name: "n".repeat(64), dynamicName: "n".repeat(48) }]);
});

test("a session without addresses is for whoever dials on its interface, with prefixes of both families", () => {
	const bare = {
		...{ name: "node", local_as: "65001", remote_as: "65009", port: "1790" },
		...{ interface: "br-lan", node_interface: "eth0" },
	};
	const { bgp, bfd, kernel, text } = rendered([bare]);
	expect(bgp).toMatchObject([
		{
			neighborRange: "fe80::/10",
			interface: "br-lan",
			localPort: 1790,
			multihop: false,
			channels: [{ family: "ipv4", extendedNextHop: true }, { family: "ipv6" }],
		},
	]);
	expect(bgp[0]).not.toHaveProperty("localAddress");
	expect(bfd).toMatchObject([{ interfaces: [{ patterns: ["br-lan"] }] }]);
	expect(kernel.map(({ channels }) => channels[0]?.family)).toEqual(["ipv4", "ipv6"]);
	expect(text).toContain("router advertisements");
});

test("dual stack: both families over one session, each with its pool", () => {
	const dual = rendered([{ ...article, dual_stack: "1" }], ["192.168.20.0/24", "fd00:20::/64"]);
	expect(dual.bgp[0]?.channels).toMatchObject([
		{ family: "ipv4", import: "where net ~ [ 192.168.20.0/24+ ]", extendedNextHop: false },
		{ family: "ipv6", import: "where net ~ [ fd00:20::/64+ ]" },
	]);
	expect(dual.direct).toMatchObject([{ families: ["ipv4", "ipv6"] }]);
	const over6 = rendered([{ ...article6, dual_stack: "1" }]);
	expect(over6.bgp[0]?.channels).toMatchObject([{ extendedNextHop: true }, { family: "ipv6" }]);
});

test("a password is printed when it is asked for, and else cannot be taken for one", () => {
	const secret = { ...article, password: "correct-horse" };
	const masked = rendered([secret]);
	expect(masked.text).not.toContain("horse");
	expect(masked.text).toContain("# password");
	expect(masked.bgp).toMatchObject([{ password: false }]);
	const shown = rendered([secret], undefined, true);
	expect(shown.text).toContain('\tpassword "correct-horse";');
	expect(shown.bgp).toMatchObject([{ password: true }]);
});

test.each([
	["100", 80],
	["1", 1],
])("of %s prefixes at most, the log warns at %i", (max_prefixes, warning) => {
	expect(rendered([{ ...article, max_prefixes }]).bgp[0]?.channels).toMatchObject([
		{
			importLimit: { limit: Number(max_prefixes), action: "block" },
			receiveLimit: { limit: warning, action: "warn" },
		},
	]);
});

test("the timers of the section", () => {
	expect(rendered([{ ...article, hold_time: "90" }]).bgp).toMatchObject([
		{ holdTime: 90, keepaliveTime: 30 },
	]);
	const both = rendered([{ ...article, hold_time: "90", keepalive_time: "7" }]);
	expect(both.bgp).toMatchObject([{ holdTime: 90, keepaliveTime: 7 }]);
});

test.each(["cilium", "gobgp", "calico", "metallb-native"])("%s has no BFD, unless it is said", (speaker) => {
	expect(rendered([{ ...article, speaker }]).bgp).toMatchObject([{ bfd: "off" }]);
	expect(rendered([{ ...article, speaker, bfd: "1" }]).bgp).toMatchObject([{ bfd: "on" }]);
});
