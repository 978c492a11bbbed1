import { expect, test } from "vitest";
import type { BirdPeer } from "../../src/model/bird.ts";
import type { WardenEvent } from "../../src/warden/events.ts";
import { mayShow } from "../../src/warden/status.ts";
import { Story } from "./story.ts";

/** Peers whose objects are the same in each reading, as of a BIRD that says the same each time. */
const established: BirdPeer = {
	name: "a",
	protocolState: "up",
	state: "Established",
	neighborAddress: "10.0.0.1",
};
const passive: BirdPeer = {
	name: "b",
	protocolState: "start",
	state: "Passive",
	neighborAddress: "10.0.0.2",
};
const range: BirdPeer = { name: "c", protocolState: "start", state: "Passive", neighborRange: "10.1.0.0/16" };

const reads = (...peers: BirdPeer[]): WardenEvent => ({ type: "bird_read", reading: { peers } });

test.each([
	["up", established],
	["down", passive],
	["a range", range],
])("a reading that says the same about a peer that is %s shows nothing new", (_, one) => {
	const story = Story.kept({ remediate: false });
	story.happens({ type: "bird_up" }, reads(one));
	story.passes(60_000);
	story.happens(reads(one));
	const before = story.state;
	story.happens(reads(one));
	expect(mayShow(before, story.state)).toBe(false);
	expect(story.state.peers).toBe(before.peers);
});

test("of two peers the one that is another is made again, and peers are sorted by name", () => {
	const story = Story.kept({ remediate: false });
	story.happens({ type: "bird_up" }, reads(passive, established));
	const [a, b] = story.status.peers;
	story.happens(reads(passive, { ...established, imported: 7 }));
	expect(story.status.peers[0]).toMatchObject({ name: "a", imported: 7 });
	expect(story.status.peers[0]).not.toBe(a);
	expect(story.status.peers[1]).toBe(b);
});

test("what is remembered of a peer and not shown makes no other status of it", () => {
	const story = Story.kept({ remediate: false });
	story.happens({ type: "bird_up" }, reads({ ...established, imported: 2 }));
	const [before] = story.status.peers;
	const { peers } = story.state;
	story.happens(reads({ ...established, imported: 2, unreachable: 0 }));
	expect(story.state.peers).not.toBe(peers);
	expect(story.status.peers[0]).toBe(before);
});

test("another reason for which BIRD does not answer is shown, also before it has ever answered", () => {
	const story = new Story();
	story.happens({ type: "bird_lost", reason: "no socket" });
	const before = story.state;
	story.happens({ type: "bird_lost", reason: "neither birdcl nor birdc can be run" });
	expect(mayShow(before, story.state)).toBe(true);
});
