import { describe, expect, test } from "vitest";
import type { BirdPeer } from "../../../src/model/bird.ts";
import { speakerWords } from "../../../src/model/speaker.ts";
import { judgeUse, USE_AFTER } from "../../../src/warden/peers/session-use.ts";
import { logged, peer, reading, Story, type TestPeer } from "../story.ts";

const none = { received: 0, rejected: 0, filtered: 0, withdrawn: 0 };
const useless: TestPeer = peer({
	neighborAddress: "192.168.1.2",
	imported: 0,
	exported: 0,
	preferred: 0,
	updates: none,
});

describe("what is said about a session's use", () => {
	const up = (changes: Partial<BirdPeer>) => ({ ...useless, ...changes }) as BirdPeer;
	test.each<[string, Partial<BirdPeer>, string | undefined, string]>([
		[
			"nothing announced",
			{},
			"nothing-announced",
			"(received 0, imported 0): no service has an address, or no advertisement selects it",
		],
		[
			"all of it withdrawn",
			{ updates: { ...none, received: 3, withdrawn: 3 } },
			"nothing-announced",
			"(received 3, withdrawn 3, imported 0)",
		],
		[
			"what was filtered, and was withdrawn",
			{ updates: { ...none, received: 3, filtered: 3, withdrawn: 3 } },
			"nothing-announced",
			"(received 3, filtered 3, withdrawn 3, imported 0)",
		],
		[
			"one family of two that is not up",
			{
				imported: 2,
				channels: [
					{ family: "ipv4", isDown: false, imported: 2 },
					{ family: "ipv6", isDown: true },
				],
			},
			"family-down",
			"ipv6 is not a part of the session",
		],
		[
			"one family of two that is left out",
			{
				imported: 2,
				channels: [
					{ family: "ipv4", isDown: false, imported: 2, updates: { ...none, received: 2 } },
					{ family: "ipv6", isDown: false, imported: 0, updates: { ...none, received: 4, filtered: 4 } },
				],
			},
			"all-filtered",
			"announces as ipv6 (received 4, filtered 4, imported 0)",
		],
		[
			"one family of two that announces nothing, as a cluster without IPv6",
			{
				imported: 2,
				channels: [
					{ family: "ipv4", isDown: false, imported: 2, updates: { ...none, received: 2 } },
					{ family: "ipv6", isDown: false, imported: 0, updates: none },
				],
			},
			undefined,
			"",
		],
		["routes that a limit holds back", { updates: { ...none, received: 3 } }, undefined, ""],
		[
			"all of it invalid",
			{ updates: { ...none, withdrawn: 2 } },
			"nothing-announced",
			"or its routes hold this router's AS",
		],
		[
			"all filtered",
			{ updates: { ...none, received: 3, filtered: 3 } },
			"all-filtered",
			"(received 3, filtered 3, imported 0)",
		],
		// The counts are the session's: `import all` became `import where false`.
		[
			"filtered since bird.conf was changed",
			{ updates: { ...none, received: 4, filtered: 1 } },
			"all-filtered",
			"(received 4, filtered 1, imported 0)",
		],
		[
			"all rejected",
			{ updates: { ...none, received: 2, rejected: 2 } },
			"all-rejected",
			"(received 2, rejected 2, imported 0)",
		],
		[
			"more filtered than rejected",
			{ updates: { ...none, received: 3, rejected: 1, filtered: 2 } },
			"all-filtered",
			"filtered 2, rejected 1",
		],
		[
			"next hops that are unreachable",
			{ imported: 2, unreachable: 2 },
			"next-hops-unreachable",
			"of 2 of the 2 routes",
		],
		["one of them", { imported: 2, unreachable: 1 }, "next-hops-unreachable", "of 1 of the 2 routes"],
		["routes that lead somewhere", { imported: 2, unreachable: 0 }, undefined, ""],
		["routes of which BIRD says no more", { imported: 2 }, undefined, ""],
		["import none", { updates: undefined }, undefined, ""],
		["counts that could not be read", { imported: undefined }, undefined, ""],
		["a session that is down", { state: "Active" }, undefined, ""],
		["a range, whose nodes are judged", { neighborRange: "192.168.1.0/24" }, undefined, ""],
	] as [string, Partial<BirdPeer>, string | undefined, string][])("%s", (_, changes, id, text) => {
		const note = judgeUse(up(changes), USE_AFTER, speakerWords("frr-k8s"));
		expect(note?.id).toBe(id);
		expect(note?.text ?? "").toContain(text);
		expect(judgeUse(up(changes), USE_AFTER - 1, speakerWords("frr-k8s"))).toBeUndefined();
	});
});

describe("the daemon's note", () => {
	const shown = (story: Story) => story.status.peers[0];

	test("comes 30 s after the session, and changes neither level nor diagnosis nor the router's", () => {
		const story = Story.kept();
		story.happens({ type: "bird_up", version: "3.1.8" }, reading(peer({ ...useless, state: "Passive" })));
		story.happens(reading(useless));
		story.passes(USE_AFTER - 1);
		expect(shown(story)?.note).toBeUndefined();
		const said = logged(story.passes(1));
		expect(said.filter((line) => line.includes("nothing-announced"))).toHaveLength(1);
		expect(shown(story)).toMatchObject({
			level: "green",
			diagnosis: "healthy",
			note: expect.stringMatching(
				/^nothing-announced: the peer announces nothing \(received 0, imported 0\): .*; check `kubectl /,
			),
		});
		expect(story.status.router).toMatchObject({ level: "green", diagnosis: "healthy" });
		expect(logged(story.happens(reading(useless))).join()).not.toContain("nothing-announced");
	});

	test("goes when routes come, when the session is lost, and when BIRD is", () => {
		const story = Story.kept();
		const noted = () => shown(story)?.note !== undefined;
		const again = () => {
			story.happens({ type: "bird_up", version: "3.1.8" }, reading(useless));
			story.passes(USE_AFTER);
			story.happens(reading(useless));
			expect(noted()).toBe(true);
		};
		again();
		story.happens(reading(peer({ ...useless, imported: 1, unreachable: 0 })));
		expect(noted()).toBe(false);
		again();
		story.happens(reading(peer({ ...useless, state: "Active" })));
		expect(noted()).toBe(false);
		again();
		story.happens({ type: "bird_lost", reason: "gone" });
		expect(noted()).toBe(false);
	});

	test("names the new side when that is another", () => {
		const story = Story.kept();
		story.happens({ type: "bird_up", version: "3.1.8" }, reading(useless));
		story.passes(USE_AFTER);
		story.happens(reading(useless));
		const filtered = peer({ ...useless, updates: { ...none, received: 1, filtered: 1 } });
		expect(logged(story.happens(reading(filtered))).join()).toContain("all-filtered");
		expect(shown(story)?.note).toMatch(/^all-filtered: .*\(received 1, filtered 1, imported 0\)/);
	});

	test("is each node's of a range, not the range's", () => {
		const story = Story.kept();
		const { neighborAddress: _, ...rest } = useless;
		const range = peer({ ...rest, name: "k8s", state: "Passive", neighborRange: "192.168.1.0/24" });
		const node = peer({ ...useless, name: "dynbgp1" });
		story.happens({ type: "bird_up", version: "3.1.8" }, reading(node, range));
		story.passes(USE_AFTER);
		story.happens(reading(node, range));
		expect(story.status.peers.map(({ name, note }) => [name, note !== undefined])).toEqual([
			["dynbgp1", true],
			["k8s", false],
		]);
	});
});
