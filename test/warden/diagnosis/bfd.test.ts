import { describe, expect, test } from "vitest";
import type { BfdOptions, BirdConfiguration } from "../../../src/model/bird-configuration.ts";
import type { Counters } from "../../../src/model/inspection.ts";
import { peer, reading, type Story, type TestPeer, types } from "../story.ts";
import { established, known, passive, read, told } from "./bench.ts";

const down = peer({ ...known, bfd: "down", bfdMode: "direct" });
const lost = { ...passive, bfd: "down", bfdMode: "direct" } as const;
const none: Counters = { bgp: 0, singleHopBfd: 0, multihopBfd: 0, sentSingleHopBfd: 0, sentMultihopBfd: 0 };

/** A peer whose BFD is down for a while, and two readings of the counters. */
function counted(
	seen: readonly TestPeer[],
	before: Counters,
	after: Counters,
	prepare?: (story: Story) => void,
): Story {
	const story = read(...seen);
	prepare?.(story);
	story.passes(10_000);
	story.happens(reading(...seen), { type: "counters_read", counters: before });
	story.passes(2000);
	story.happens({ type: "counters_read", counters: after });
	return story;
}

describe("BFD that BIRD does not send", () => {
	const hears = { ...none, singleHopBfd: 9 };

	test("is said, for a peer that is down and for one that is up; only the former is restarted by the daemon", () => {
		expect(told(counted([lost], none, hears))).toMatchObject({
			diagnosis: "bfd-not-sending",
			remedy: expect.stringMatching(/birdc restart waukeen.*, which bgpwarden does/),
		});
		expect(told(counted([down], none, hears))).toMatchObject({
			diagnosis: "bfd-not-sending",
			remedy: expect.stringContaining("interrupts the session"),
		});
	});

	test("has the peer restarted at once, once: BFD is not waited for, nor are the table and conntrack tried first", () => {
		const story = counted([lost], none, hears);
		const asked = [...story.happens(reading(lost)), ...story.passes(100)];
		expect(types(asked)).toContain("restart_peer");
		expect(types(asked)).not.toContain("flush");
		const later = [1, 2, 3, 4].flatMap(() => [...story.passes(1000), ...story.happens(reading(lost))]);
		expect(types(later)).not.toContain("restart_peer");
	});

	test("of a peer that is up is left to a person", () => {
		const story = counted([down], none, hears);
		expect(types([...story.passes(60_000), ...story.happens(reading(down))])).not.toContain("restart_peer");
	});

	const { sentSingleHopBfd: _, sentMultihopBfd: __, ...uncounted } = none;
	const busy = { ...none, sentSingleHopBfd: 100, singleHopBfd: 100 };
	test.each<[string, Counters, Counters]>([
		["it sends", none, { ...hears, sentSingleHopBfd: 2 }],
		["nothing that leaves is counted", uncounted, { ...uncounted, singleHopBfd: 9 }],
		["what leaves was not counted at first", uncounted, { ...hears, sentSingleHopBfd: 0 }],
		["the counters began anew", busy, { ...none, sentSingleHopBfd: 3, singleHopBfd: 3 }],
		["what leaves began anew", { ...hears, sentSingleHopBfd: 100 }, { ...hears, sentSingleHopBfd: 2 }],
	])("is not claimed where %s", (_, before, after) => {
		expect(told(counted([lost], before, after))?.diagnosis).not.toBe("bfd-not-sending");
	});

	test("is not claimed where the table was installed between the readings", () => {
		const story = read(lost);
		story.passes(10_000);
		story.happens(reading(lost), { type: "counters_read", counters: none });
		story.passes(1000);
		story.happens({ type: "own_transaction" }, { type: "installed" });
		story.passes(1000);
		story.happens({ type: "counters_read", counters: hears });
		expect(told(story)?.diagnosis).not.toBe("bfd-not-sending");
	});

	test("is not claimed where the counters could not be read", () => {
		const story = counted([lost], none, none);
		const deaf = read(lost);
		for (let poll = 0; poll < 5; poll++) {
			deaf.passes(10_000);
			deaf.happens(reading(lost), { type: "counters_read", counters: undefined });
		}
		expect(told(story)?.diagnosis).toBe("bfd-not-sending");
		expect(told(deaf)?.diagnosis).toBe("waiting");
	});

	const bgp = { name: "waukeen", disabled: false, password: false, channels: [] };
	const file = (bfd: BfdOptions): BirdConfiguration => ({
		bgp: [bgp],
		bfd: [
			{
				name: "bfd1",
				disabled: false,
				interfaces: [{ patterns: ["*"], options: bfd }],
				accept: { ipv4: true, ipv6: true, direct: true, multihop: true },
			},
		],
		direct: [],
		kernel: [],
		device: true,
	});
	test.each<[string, BirdConfiguration]>([
		["waits for the other side (passive)", file({ passive: true })],
		["sends seldom (idle tx interval 10 s)", file({ idleTransmit: 10_000 })],
		["waits, by the peer's own options", { ...file({}), bgp: [{ ...bgp, bfdOptions: { passive: true } }] }],
	])("is not claimed where bird.conf says that it %s", (_, configuration) => {
		const told_ = (which: BirdConfiguration) =>
			told(
				counted([lost], none, none, (story) =>
					story.happens({ type: "bird_configured", configuration: which }),
				),
			);
		expect(told_(configuration)?.diagnosis).not.toBe("bfd-not-sending");
		expect(told_(file({}))?.diagnosis).toBe("bfd-not-sending");
	});

	test("is not claimed where another peer's BFD of that kind is sent", () => {
		const other = peer({ name: "zeta", neighborAddress: "192.168.1.3", bfd: "up", bfdMode: "direct" });
		const story = counted([lost, other], none, { ...hears, sentSingleHopBfd: 20 });
		expect(told(story)?.diagnosis).not.toBe("bfd-not-sending");
	});
});

describe("BFD of one way", () => {
	const init = { ...lost, bfd: "init" } as const;
	const both = { ...none, singleHopBfd: 9, sentSingleHopBfd: 9 };

	test("is said where the peer is heard and does not hear, down or up", () => {
		expect(told(counted([init], none, both))).toMatchObject({ diagnosis: "bfd-one-way" });
		expect(told(counted([{ ...down, bfd: "init" }], none, both))).toMatchObject({
			diagnosis: "bfd-one-way",
			level: "yellow",
		});
	});

	test("is not said of BFD that is down, nor for a moment on its way up", () => {
		expect(told(counted([lost], none, both))?.diagnosis).not.toBe("bfd-one-way");
		const story = read(established);
		story.happens(reading({ ...init }));
		story.happens({ type: "counters_read", counters: none });
		story.passes(2000);
		story.happens({ type: "counters_read", counters: both });
		expect(told(story)?.diagnosis).not.toBe("bfd-one-way");
	});
});

describe("BFD of the other kind", () => {
	const multi = { ...none, multihopBfd: 9, sentSingleHopBfd: 9 };

	test("is not this peer's where another one uses it, though that is not up either", () => {
		const other = peer({
			...{ name: "zeta", neighborAddress: "192.168.1.3", state: "Passive", protocolState: "start" },
			...{ bfd: "init", bfdMode: "multihop" },
		} as const);
		expect(told(counted([lost], none, multi))?.diagnosis).toBe("bfd-mode-mismatch");
		expect(told(counted([lost, other], none, multi))?.diagnosis).not.toBe("bfd-mode-mismatch");
	});
});

test("a session for which BIRD has no BFD, though bird.conf wants it, is not green", () => {
	const none = peer({ ...known, bfd: "none" });
	const bgp = (bfd: "on" | "off") => ({
		name: "waukeen",
		disabled: false,
		password: false,
		channels: [],
		bfd,
	});
	const shown = (bfd: "on" | "off") => {
		const story = read(none);
		const configuration = { bgp: [bgp(bfd)], bfd: [], direct: [], kernel: [], device: true };
		story.happens({ type: "bird_configured", configuration });
		story.passes(15_000);
		story.happens(reading(none));
		return told(story);
	};
	expect(shown("on")).toMatchObject({
		diagnosis: "bfd-down-session-up",
		remedy: expect.stringContaining("protocol bfd"),
	});
	expect(shown("off")?.diagnosis).toBe("healthy");
});

test("a session without its BFD is not green, though the packets cannot be counted", () => {
	const story = read(down);
	for (let poll = 0; poll < 4; poll++) {
		story.passes(15_000);
		story.happens(reading(down), { type: "counters_read", counters: undefined });
	}
	expect(told(story)).toMatchObject({ diagnosis: "bfd-down-session-up", level: "yellow" });
});
