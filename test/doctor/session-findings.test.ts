import { describe, expect, test } from "vitest";
import type { Facts } from "../../src/doctor/facts.ts";
import { judge } from "../../src/doctor/judge.ts";
import type { BirdPeer } from "../../src/model/bird.ts";
import type { PeerConfig } from "../../src/model/config.ts";
import type { PeerOpen } from "../../src/model/speaker.ts";
import { BIRD_CONF, birdFile, config, HEALTHY } from "./sample-facts.ts";

interface Given {
	readonly file?: (text: string) => string;
	readonly section?: Partial<PeerConfig>;
	readonly open?: PeerOpen;
	/** BIRD's state of the peer. */
	readonly state?: string;
}

/** Ids and texts of what is not fine. */
function findings({ file = (text) => text, section, open, state }: Given): string[] {
	const { bird } = HEALTHY as { bird: { reading: { peers: readonly BirdPeer[] } } };
	const peers = bird.reading.peers.map((peer) => ({
		...peer,
		...(open ? { open } : {}),
		...(state ? { state } : {}),
	}));
	const facts: Facts = {
		...HEALTHY,
		bird: { reading: { peers }, protocols: [] },
		birdFile: birdFile(file(BIRD_CONF)),
		...(section ? { config: config({ peers: [{ name: "waukeen", ...section }] as never }) } : {}),
	};
	const { review } = judge(facts);
	return review.filter(({ level }) => level !== "green").map(({ id, text }) => `${id}: ${text}`);
}

const on = (text: string) => text.replace("restart aware", "restart on");
const graceful = (text: string) => text.replace("bfd on", "bfd graceful");
const is = (id: string) => [expect.stringMatching(new RegExp(`^${id}: `))];

describe("graceful restart of BIRD itself", () => {
	test("holds FRR back, and may hold back who is not known", () => {
		expect(findings({ file: on })).toEqual(is("graceful-restart-holds-dial"));
		expect(findings({ file: on, open: { program: "frr" } })).toEqual(is("graceful-restart-holds-dial"));
		expect(findings({ file: on, section: { speaker: "auto" } })).toEqual(is("graceful-restart-holds-dial"));
	});

	test.each(["cilium", "gobgp", "calico", "bird", "metallb-native"] as const)(
		"and nobody else: %s",
		(speaker) => {
			expect(findings({ file: on, section: { speaker } })).toEqual([]);
		},
	);

	test.each(["graceful restart aware;", "graceful restart off;", ""])("not with '%s'", (option) => {
		expect(findings({ file: (text) => text.replace("graceful restart aware;", option) })).toEqual([]);
	});
});

describe("graceful restart of the speaker", () => {
	const section = { gracefulRestart: true };

	test("needs bfd graceful in BIRD", () => {
		expect(findings({ section })).toEqual(is("graceful-restart-one-sided"));
		expect(findings({ section, file: graceful })).toEqual([]);
		expect(findings({ section, file: (text) => text.replace("bfd on", "bfd off") })).toEqual([]);
	});

	test("needs a BIRD that is aware of it", () => {
		const file = (text: string) => graceful(text).replace("restart aware", "restart off");
		expect(findings({ section, file })).toEqual(is("graceful-restart-one-sided"));
		expect(findings({ file })).toEqual([]);
	});

	test("needs a speaker that announces it, which is told of a session that is up", () => {
		const text = findings({ file: graceful, open: { program: "frr" } });
		expect(text).toEqual(is("graceful-restart-one-sided"));
		expect(text[0]).toContain("FRR has not announced it");
		expect(findings({ file: graceful, section, open: { program: "gobgp" } })).toEqual(
			is("graceful-restart-one-sided"),
		);
		expect(findings({ file: graceful, open: { program: "frr", restarts: true } })).toEqual([]);
		expect(findings({ file: graceful })).toEqual([]);
		expect(findings({ open: { program: "frr" } })).toEqual([]);
	});
});

test("a range with single-hop BFD may wait for ever, as long as no node is connected", () => {
	const single = (text: string) =>
		text.replace("neighbor 192.168.1.2", "neighbor range 192.168.1.0/24").replace("multihop 2;", "");
	const told = (given: Given) => findings(given).some((text) => text.startsWith("range-waits-for-bfd: "));
	expect(told({ file: single, state: "Passive" })).toBe(true);
	expect(told({ file: single })).toBe(false);
	expect(told({ file: (text) => single(text).replace("bfd on;", ""), state: "Passive" })).toBe(false);
	expect(told({ file: single, state: "Passive", section: { speaker: "cilium" } })).toBe(false);
	const multihop = (text: string) => text.replace("neighbor 192.168.1.2", "neighbor range 192.168.1.0/24");
	expect(told({ file: multihop, state: "Passive" })).toBe(false);
	expect(told({ state: "Passive" })).toBe(false);
});

describe("merge paths", () => {
	const off = (text: string) => text.replace("merge paths on;", "");
	const second =
		"\nprotocol bgp second { local as 65001; neighbor 192.168.1.3 as 65009; disabled; ipv4 { import all; }; }";

	test("one peer, and peers of several clusters, need none", () => {
		expect(findings({ file: off })).toEqual([]);
		const other = second.replace("65009", "65010").replace("disabled;", "");
		expect(findings({ file: (text) => off(text) + other })).not.toContainEqual(is("merge-paths-off")[0]);
		// One that is disabled announces nothing.
		expect(findings({ file: (text) => off(text) + second })).toEqual([]);
	});

	test("two nodes of a cluster do", () => {
		const found = findings({ file: (text) => off(text) + second.replace("disabled;", "") });
		expect(found).toContainEqual(
			expect.stringMatching(/^merge-paths-off: Several nodes \(waukeen, second\)/),
		);
		const found2 = findings({ file: (text) => text + second.replace("disabled;", "") });
		expect(found2).not.toContainEqual(is("merge-paths-off")[0]);
	});

	test("a range does, and none whose routes are not imported or do not reach the kernel", () => {
		const range = (text: string) =>
			off(text).replace("neighbor 192.168.1.2", "neighbor range 192.168.1.0/24");
		expect(findings({ file: range })).toContainEqual(is("merge-paths-off")[0]);
		const none = findings({ file: (text) => range(text).replace("import all", "import none") });
		expect(none).not.toContainEqual(is("merge-paths-off")[0]);
		const kept = findings({ file: (text) => range(text).replace("export all", "export none") });
		expect(kept).not.toContainEqual(is("merge-paths-off")[0]);
	});
});

test.each([
	[{ holdTime: 15 }, "hold_time is 15 s in /etc/config/bgpwarden and 240 s in BIRD."],
	[{ keepaliveTime: 5 }, "keepalive_time is 5 s in /etc/config/bgpwarden and 80 s in BIRD."],
	[{ password: "x" }, "password is set in /etc/config/bgpwarden and none in BIRD."],
	[
		{ maxPrefixes: 9 },
		"max_prefixes (import limit of ipv4) is 9 action block in /etc/config/bgpwarden and none in BIRD.",
	],
	[{ range: "192.168.1.0/24" }, "range is 192.168.1.0/24 in /etc/config/bgpwarden and 192.168.1.2 in BIRD."],
])("%j differs from bird.conf", (section, text) => {
	expect(findings({ section })).toEqual([`peer-differs: ${text}`]);
});

test("what agrees, and what only the cluster can know, is no difference", () => {
	const file = (text: string) =>
		text
			.replace("passive on;", 'passive on; hold time 15; password "x";')
			.replace("import all;", "import all; import limit 9 action block;");
	expect(
		findings({ section: { holdTime: 15, password: "x", maxPrefixes: 9, connectTime: 3 }, file }),
	).toEqual([]);
});
