import { describe, expect, test } from "vitest";
import type { BirdConfiguration } from "../../../src/model/bird-configuration.ts";
import type { Inspection } from "../../../src/model/inspection.ts";
import type { Action } from "../../../src/warden/actions.ts";
import { peer, reading, Story, types } from "../story.ts";

const known = { neighborAddress: "192.168.1.2" };
const down = peer({ ...known, state: "Down", protocolState: "down" });
const givenUp = { ...down, lastError: "Error: No listening socket" };
const established = peer(known);
const configuration: BirdConfiguration = {
	bgp: [
		{
			name: "waukeen",
			disabled: false,
			password: false,
			channels: [],
			localAddress: "192.168.1.1",
			localPort: 1790,
			strictBind: true,
		},
	],
	bfd: [],
	direct: [],
	kernel: [],
	device: true,
};
const nginx: Inspection = { hasLocalAddress: true, listener: { program: "nginx", pid: 812 } };
const free: Inspection = { hasLocalAddress: true, listener: "none" };
const noAddress: Inspection = { hasLocalAddress: false, listener: "none" };

function read(changes: Parameters<typeof Story.kept>[0] = {}): Story {
	const story = Story.kept(changes);
	story.happens({ type: "bird_up" }, { type: "bird_configured", configuration }, reading(established));
	story.passes(10_000);
	story.happens(reading(givenUp));
	return story;
}

/** The router is looked at, and BIRD read again. @returns what was asked for */
function look(story: Story, inspection: Inspection, seen = givenUp): Action[] {
	story.passes(5000);
	return [
		...story.happens({ type: "peer_inspected", address: "192.168.1.2", inspection }),
		...story.happens(reading(seen)),
	];
}
const enabled = (actions: readonly Action[]) =>
	actions.filter((action) => action.type === "restart_peer" && action.verb === "enable").length;
const shown = (story: Story) => story.status.peers[0];

describe("a peer that BIRD could not listen for", () => {
	test("has its port and address looked up", () => {
		const story = read();
		expect(
			story.happens(reading(givenUp)).concat(story.passes(5000), story.happens(reading(givenUp))),
		).toEqual(expect.arrayContaining([expect.objectContaining({ type: "read_bird" })]));
		const asked = [...Array(20)].flatMap(() => [...story.passes(1000), ...story.happens(reading(givenUp))]);
		expect(asked).toContainEqual(
			expect.objectContaining({ type: "inspect_peer", listen: { port: 1790, address: "192.168.1.1" } }),
		);
	});

	test("is told with the program that has the port, and enabled once when that is gone", () => {
		const story = read();
		for (let round = 0; round < 10; round++) expect(enabled(look(story, nginx))).toBe(0);
		expect(shown(story)).toMatchObject({
			diagnosis: "not-listening",
			level: "red",
			explanation: expect.stringContaining("nginx (pid 812) has port 1790"),
		});
		expect(enabled(look(story, free))).toBe(1);
		for (let round = 0; round < 50; round++) expect(enabled(look(story, free))).toBe(0);
	});

	test("is enabled again when the same obstacle has come back and gone again", () => {
		const story = read();
		for (let round = 0; round < 3; round++) {
			expect(enabled(look(story, noAddress))).toBe(0);
			expect(shown(story)?.explanation).toContain("no interface of this router has the address 192.168.1.1");
			expect(enabled(look(story, free))).toBe(1);
			expect(enabled(look(story, free))).toBe(0);
		}
	});

	test("is enabled again after it has run and another try has failed", () => {
		const story = read();
		expect(enabled(look(story, free))).toBe(1);
		const passive = peer({ ...known, state: "Passive", protocolState: "start" });
		story.happens(reading(passive));
		story.passes(20_000);
		story.happens(reading(passive), reading(givenUp));
		expect(enabled(look(story, free))).toBe(1);
	});

	test("is enabled once more after a minute where birdcl could not: BIRD gave no answer", () => {
		const story = read();
		const answer = (failure?: string) =>
			story.happens({
				...{ type: "peer_restarted", peer: "waukeen", verb: "enable" },
				...(failure === undefined ? {} : { failure }),
			});
		look(story, nginx);
		expect(enabled(look(story, free))).toBe(1);
		answer("birdcl: no answer in 5 s");
		let again = 0;
		for (let tenth = 0; tenth < 1200; tenth++) {
			const asked = enabled([...story.passes(100), ...story.happens(reading(givenUp))]);
			again += asked;
			if (asked > 0) answer("Access denied");
		}
		expect(again).toBeGreaterThan(0);
		expect(again).toBeLessThanOrEqual(2);
		story.passes(60_000);
		expect(enabled(look(story, free))).toBe(1);
		answer();
		expect(enabled(look(story, free))).toBe(0);
	});

	test("is enabled once more when another BIRD, or one that was on its way out, has gone", () => {
		const story = read();
		const bird = { ...nginx, listener: { program: "bird", pid: 77 } };
		expect(enabled(look(story, bird))).toBe(1);
		expect(enabled(look(story, bird))).toBe(0);
		expect(enabled(look(story, free))).toBe(1);
		expect(enabled(look(story, free))).toBe(0);
	});

	test("is left alone while nobody knows what keeps it: not looked at, or before it was given up, or /proc is silent", () => {
		const story = read();
		for (const inspection of [{}, { hasLocalAddress: true }, { listener: undefined }] as Inspection[])
			expect(enabled(look(story, inspection))).toBe(0);
		const early = Story.kept();
		early.happens({ type: "bird_up" }, reading(established));
		early.happens({ type: "peer_inspected", address: "192.168.1.2", inspection: free });
		early.passes(1000);
		expect(enabled(early.happens(reading(givenUp)))).toBe(0);
		expect(enabled(early.happens(reading(givenUp)))).toBe(0);
	});

	test("is enabled by the daemon only where it may act; a person can at any time", () => {
		const story = read({ remediate: false });
		expect(enabled(look(story, nginx))).toBe(0);
		expect(enabled(look(story, free))).toBe(0);
		const asked = story.happens({ type: "command", command: { verb: "restart", peer: "waukeen", id: "7" } });
		expect(asked).toContainEqual({ type: "restart_peer", peer: "waukeen", verb: "enable", id: "7" });
		const done = story.happens({ type: "peer_restarted", peer: "waukeen", verb: "enable", id: "7" });
		expect(done).toContainEqual({ type: "reply", id: "7", ok: true, text: "peer waukeen enabled in BIRD" });
	});

	test("is a person's once a person has disabled it: a note, and never enabled", () => {
		const story = read();
		look(story, nginx);
		for (let round = 0; round < 10; round++)
			expect(types(look(story, free, down as typeof givenUp))).not.toContain("restart_peer");
		expect(shown(story)).toMatchObject({ diagnosis: "disabled", level: "yellow" });
	});

	test("can be a range", () => {
		const story = Story.kept();
		const range = { ...givenUp, name: "k8s", neighborRange: "192.168.1.0/24" };
		const { neighborAddress: _, ...dynamic } = range;
		story.happens({ type: "bird_up" }, reading(dynamic));
		story.passes(5000);
		story.happens(
			{ type: "peer_inspected", address: "192.168.1.0/24", inspection: nginx },
			reading(dynamic),
			{ type: "peer_inspected", address: "192.168.1.0/24", inspection: free },
		);
		expect(enabled(story.happens(reading(dynamic)))).toBe(1);
	});
});

test("a peer that BIRD has disabled for another reason is never enabled by the daemon", () => {
	for (const lastError of ["Received: Bad peer AS", "Automatic shutdown: Route limit exceeded"]) {
		const story = read();
		story.happens(reading({ ...down, lastError }));
		for (let round = 0; round < 20; round++)
			expect(types(look(story, free, { ...down, lastError }))).not.toContain("restart_peer");
		expect(shown(story)).toMatchObject({ level: "red" });
	}
});
