import { describe, expect, test } from "vitest";
import { renderComparison } from "../../src/cli/text/comparison.ts";
import { renderBird } from "../../src/render/bird-conf.ts";
import { compareFile, compareRunning } from "../../src/render/compare.ts";
import { parseBirdConfiguration } from "../../src/system/bird/conf/parse-conf.ts";
import { article, article6, plan } from "./sample-plan.ts";

const wanted = plan([article]);

/** Differences, one line each, between the article's peer and its rendered file with one text replaced. */
function changed(from: string | RegExp, to: string, peers = wanted) {
	const text = renderBird(peers);
	const other = text.replace(from, to);
	if (other === text) throw new Error(`${from} is not in the file`);
	const { differences, notes } = compareFile(
		peers,
		parseBirdConfiguration({ path: "bird.conf", text: other }),
	);
	const lines = differences.map(
		(each) => `${each.peer ?? "-"}: ${each.what}: ${each.there} -> ${each.wanted}`,
	);
	return { lines, notes };
}

describe("what differs in the file", () => {
	test.each([
		["waukeen {", "other {", "waukeen: protocol bgp: none of this name -> 'waukeen'"],
		["passive on", "disabled; passive on", "waukeen: disabled: on -> off"],
		["local 192.168.1.1", "local 192.168.1.9", "waukeen: local: 192.168.1.9 -> 192.168.1.1"],
		["local 192.168.1.1", "local 192.168.1.1 port 1790", "waukeen: local port: 1790 -> 179"],
		["local 192.168.1.1 as", "local as", "waukeen: local: no address -> 192.168.1.1"],
		["as 65001", "as 65002", "waukeen: local as: 65002 -> 65001"],
		["neighbor 192.168.1.2", "neighbor 192.168.1.3", "waukeen: neighbor: 192.168.1.3 -> 192.168.1.2"],
		[
			"neighbor 192.168.1.2",
			"neighbor range 192.168.1.0/24",
			"waukeen: neighbor: 192.168.1.0/24 -> 192.168.1.2",
		],
		["as 65009", "as 65010", "waukeen: neighbor as: 65010 -> 65009"],
		["as 65009", "internal", "waukeen: neighbor as: internal -> external"],
		["multihop 2", "direct", "waukeen: multihop: direct -> 2"],
		["passive on", "passive off", "waukeen: passive: off -> on"],
		["graceful restart aware", "graceful restart on", "waukeen: graceful restart: on -> aware"],
		["bfd on", "bfd off", "waukeen: bfd: off -> on"],
		["hold time 15", "hold time 90", "waukeen: hold time: 90 s -> 15 s"],
		["\tipv4 {\n\t\t# Serv", "\tipv6 {\n\t\t# Serv", "waukeen: channel: ipv6 -> ipv4"],
		["protocol device", "protocol static", "-: protocol device: none -> one"],
		["protocol kernel", "template kernel", "-: protocol kernel: none -> one that exports ipv4 routes"],
		[
			"protocol direct {",
			"protocol direct { disabled;",
			"-: protocol direct: none -> one with ipv4 on br-lan",
		],
		['interface "br-lan"', 'interface -"br-*", "*"', "-: protocol direct: none -> one with ipv4 on br-lan"],
		["protocol bfd {", "protocol bfd { accept direct;", "-: protocol bfd: none -> one for ipv4, multihop"],
	])("'%s' replaced by '%s'", (from, to, line) => {
		expect(changed(from, to).lines).toEqual([line]);
	});

	test.each([
		["multihop 2", "multihop"],
		["graceful restart aware", "graceful restart off"],
		["\tgraceful restart aware;", ""],
		["as 65009", "external"],
		["keepalive time 5", "keepalive time 3"],
		['interface "br-lan"', 'interface "eth0", "br-???"'],
		['interface "br-lan"', "interface 192.168.0.0/16"],
		[/import where .*;/, "import all;"],
	])("not: '%s' replaced by '%s'", (from, to) => {
		expect(changed(from, to)).toEqual({ lines: [], notes: [] });
	});

	test("a direct peer whose BIRD is multihop", () => {
		const direct = plan([article6]);
		expect(changed("direct;", "multihop 3;", direct).lines).toEqual(["six: multihop: 3 -> direct"]);
		expect(changed(" fd00:1::1 as", " as", direct)).toEqual({ lines: [], notes: [] });
	});
});

test("protocol direct is a difference where nothing else leads to the next hops, else a note, or nothing", () => {
	const without = (from: string | RegExp, to: string) => {
		const text = renderBird(wanted).replace(/protocol direct \{[\s\S]*?\n\}\n/, "");
		const file = parseBirdConfiguration({ path: "bird.conf", text: text.replace(from, to) });
		const { differences, notes } = compareFile(wanted, file);
		return [...differences.map(({ what }) => what), ...notes];
	};
	const note = "waukeen: protocol direct: none; needed where nothing else leads to its next hops";
	expect(without("", "")).toEqual(["protocol direct"]);
	expect(without(/import .*;/, "import filter { gw = from; accept; };")).toEqual([note]);
	expect(without("protocol device", "protocol ospf { } protocol device")).toEqual([note]);
	expect(without(/import .*;/, "import none;")).toEqual([]);
	expect(without(/import .*;/, "import all; gateway direct;")).toEqual([]);
});

test("what is worth a note", () => {
	expect(changed("hold time 15", "hold time HOLD").notes).toEqual(["waukeen: hold time: could not be read"]);
	expect(changed("passive on", 'password "x"; passive on')).toEqual({
		lines: [],
		notes: ["waukeen: has a password, which `option password` does not tell; the speaker needs the same one"],
	});
	const extra = "protocol bgp extra { local as 1; neighbor 10.0.0.1 as 2; } protocol device";
	expect(changed("protocol device", extra)).toEqual({
		lines: [],
		notes: ["extra: in BIRD, without a 'config peer' section"],
	});
});

test("bfd graceful without the speaker's graceful restart is worth a note, and the other way round a difference", () => {
	const { lines, notes } = changed("bfd on", "bfd graceful");
	expect(lines).toEqual([]);
	expect(notes).toEqual([expect.stringMatching(/^waukeen: bfd graceful: of use where the speaker/)]);
	const restarting = plan([{ ...article, graceful_restart: "1" }]);
	expect(changed("bfd graceful", "bfd on", restarting).lines).toEqual(["waukeen: bfd: on -> graceful"]);
	expect(changed("restart aware", "restart off", restarting).lines).toEqual([
		"waukeen: graceful restart: off -> aware",
	]);
});

test("without BFD it says what is not seen from here", () => {
	const slow = plan([{ ...article, bfd: "0", connect_time: "7" }]);
	const { lines, notes } = changed("passive on", "passive off", slow);
	expect(lines).toEqual(["waukeen: passive: off -> on"]);
	expect(notes).toEqual([expect.stringContaining("the rendered 7 s are not seen from here")]);
});

test("limits, passwords and a second family", () => {
	const all = plan(
		[{ ...article, max_prefixes: "100", password: "x", dual_stack: "1" }],
		undefined,
		{},
		"bird",
		true,
	);
	expect(changed('password "x"', "passive on", all).lines).toEqual(["waukeen: password: none -> set"]);
	expect(changed("import limit 100", "import limit 50", all).lines).toEqual([
		"waukeen: import limit of ipv4: 50 action block -> 100 action block",
	]);
	expect(changed("import limit 100 action block", "import all", all).lines).toEqual([
		"waukeen: import limit of ipv4: none -> 100 action block",
	]);
	expect(changed(/\tipv6 \{\n\t\t# Serv/, "\tipv6 multicast {\n\t\t# Serv", all).lines).toEqual([
		"waukeen: channel: ipv4, ipv6 multicast -> ipv6",
	]);
	const over6 = plan([{ ...article6, dual_stack: "1" }]);
	expect(changed("\t\textended next hop on;\n", "", over6).lines).toEqual([
		"six: extended next hop: off -> on",
	]);
});

test("merge paths is wanted where several peers can announce the same", () => {
	const two = plan([article, { ...article, name: "node-2", address: "192.168.1.3" }]);
	const off = { lines: ["-: merge paths for ipv4: off -> on"], notes: [] };
	expect(changed("merge paths on;", "", two)).toEqual(off);
	expect(changed("merge paths on;", "merge paths off;", two)).toEqual(off);
	expect(changed("merge paths on;", "merge paths on limit 4;", two).lines).toEqual([]);
	expect(changed("merge paths on;", "merge paths limit 4;", two).lines).toEqual([]);
	const range = plan([{ ...article, address: undefined, range: "192.168.1.0/24" }]);
	expect(changed("merge paths on;", "", range)).toEqual(off);
	// One peer, or one of each cluster: each route has one next hop anyway.
	expect(changed("merge paths on;", "").lines).toEqual([]);
	const clusters = plan([article, { ...article, name: "b", address: "192.168.1.3", remote_as: "65010" }]);
	expect(changed("merge paths on;", "", clusters).lines).toEqual([]);
});

test("the nodes of a range are no strangers", () => {
	const range = plan([{ ...article, address: undefined, range: "192.168.1.0/24" }]);
	const text = renderBird(range);
	expect(compareFile(range, parseBirdConfiguration({ path: "bird.conf", text }))).toEqual({
		differences: [],
		notes: [],
	});
	const there = { protocolState: "up", neighborAs: 65009, localAs: 65001 };
	const parent = { ...there, name: "waukeen", neighborRange: "192.168.1.0/24" };
	const node = { ...there, name: "waukeen1", neighborAddress: "192.168.1.7", bfdMode: "multihop" as const };
	const other = { ...there, name: "x", neighborAddress: "10.0.0.1" };
	expect(compareRunning(range, [parent, node, other])).toEqual({
		differences: [],
		notes: ["x: in BIRD, without a 'config peer' section"],
	});
	expect(compareRunning(range, [{ ...parent, neighborRange: "10.0.0.0/8" }]).differences).toEqual([
		{ peer: "waukeen", what: "neighbor", there: "10.0.0.0/8", wanted: "192.168.1.0/24" },
	]);
});

test("what runs", () => {
	const peer = {
		name: "waukeen",
		protocolState: "up",
		neighborAddress: "192.168.1.2",
		neighborAs: 65009,
		localAs: 65001,
		bfdMode: "multihop",
	} as const;
	expect(compareRunning(wanted, [peer])).toEqual({ differences: [], notes: [] });
	expect(compareRunning(wanted, [{ name: "waukeen", protocolState: "down" }])).toEqual({
		differences: [],
		notes: [],
	});
	expect(compareRunning(wanted, [{ ...peer, neighborAs: 1, bfdMode: "direct" }]).differences).toEqual([
		{ peer: "waukeen", what: "neighbor as", there: "1", wanted: "65009" },
		{ peer: "waukeen", what: "bfd session", there: "direct", wanted: "multihop" },
	]);
	expect(compareRunning(wanted, [{ ...peer, name: "x" }])).toEqual({
		differences: [{ peer: "waukeen", what: "protocol bgp", there: "none of this name", wanted: "'waukeen'" }],
		notes: ["x: in BIRD, without a 'config peer' section"],
	});
});

test("as text", () => {
	const difference = { what: "protocol device", there: "none", wanted: "one" };
	expect(renderComparison("/etc/bird.conf", { differences: [], notes: [] })).toBe("/etc/bird.conf: fits\n");
	expect(renderComparison("/etc/bird.conf", { differences: [difference], notes: ["x"] })).toBe(
		"protocol device: none, wanted one\nnote: x\n/etc/bird.conf: 1 difference\n",
	);
	expect(
		renderComparison("BIRD 3.1.8", { differences: [{ ...difference, peer: "a" }, difference], notes: [] }),
	).toBe(
		"a: protocol device: none, wanted one\nprotocol device: none, wanted one\nBIRD 3.1.8: 2 differences\n",
	);
});

test("option port is wanted in BIRD, and 179 is there where nothing is said", () => {
	const odd = plan([{ ...article, port: "1790" }]);
	expect(changed("port 1790 ", "", odd).lines).toEqual(["waukeen: local port: 179 -> 1790"]);
	expect(changed("port 1790", "port 1791", odd).lines).toEqual(["waukeen: local port: 1791 -> 1790"]);
	const text = renderBird(odd);
	expect(compareFile(odd, parseBirdConfiguration({ path: "bird.conf", text })).differences).toEqual([]);
});
