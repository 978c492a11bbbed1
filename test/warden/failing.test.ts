import { expect, test } from "vitest";
import type { BirdReading } from "../../src/model/bird.ts";
import type { WardenEvent } from "../../src/warden/events.ts";
import { nextDeadline } from "../../src/warden/warden.ts";
import { logged, nft, peer, reading, Story, types } from "./story.ts";

/** A reading that nobody can deal with. */
const broken: WardenEvent = {
	type: "bird_read",
	reading: {
		get peers(): never {
			throw new TypeError("nobody has thought of that");
		},
	} as unknown as BirdReading,
};

test("an event that cannot be dealt with is one line and a problem, and the next one is dealt with", () => {
	const story = Story.kept();
	story.happens({ type: "bird_up" }, reading(peer()));
	const before = story.status.peers;
	expect(logged([...story.happens(broken), ...story.happens(broken)])).toEqual([
		"a fault of bgpwarden's own, at the event bird_read: TypeError: nobody has thought of that; please report it",
	]);
	expect(story.status).toMatchObject({ router: { problem_kind: "internal", level: "red" }, peers: before });
	const lost = story.happens({ type: "table_touched", touch: "deleted", actor: nft });
	expect(types(lost)).toEqual(["table_lost", "install"]);
	story.happens({ type: "own_transaction" }, { type: "installed" }, { type: "listed", text: "whole" });
	expect(story.status.router).toMatchObject({ protection: "installed", repairs: 1 });
	story.happens(reading(peer({ name: "other" })));
	expect(story.status.router).not.toHaveProperty("problem");
	expect(story.status.peers.map(({ name }) => name)).toEqual(["other"]);
});

test("the table is installed again after an event about it that cannot be dealt with", () => {
	const story = Story.kept();
	const event = {
		type: "table_touched",
		touch: "deleted",
		get actor(): never {
			throw new Error("no actor");
		},
	} as unknown as WardenEvent;
	story.happens(event);
	expect(types(story.passes(2000))).toContain("install");
});

test("a tick that fails does not come again at once, for ever", () => {
	const story = Story.kept();
	story.happens({ type: "bird_up" }, reading(peer()));
	const { state } = story;
	const services = {
		...state.services,
		get bursts(): never {
			throw new Error("no bursts");
		},
	};
	story.state = { ...state, services };
	expect(() => nextDeadline(story.state)).toThrow();
	story.state = { ...state, failing: { type: "tick", at: story.time }, bird: { ...state.bird, due: [0] } };
	expect(nextDeadline(story.state)).toBe(story.time + 1000);
});
