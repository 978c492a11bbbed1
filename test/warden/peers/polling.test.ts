import { describe, expect, test } from "vitest";
import { peer, reading, types } from "../story.ts";
import { read } from "./bench.ts";

describe("readings", () => {
	test("come each poll interval when nothing happens", () => {
		const story = read(peer());
		const count = types(story.passes(60_000)).filter((type) => type === "read_bird").length;
		expect(count).toBe(4);
	});

	test("come 100, 300 and 1000 ms after a sign of change", () => {
		const story = read(peer());
		story.happens(reading(peer()), { type: "session_sign" });
		const start = story.time;
		const times: number[] = [];
		for (let millisecond = 0; millisecond < 2000; millisecond++)
			if (types(story.passes(1)).includes("read_bird")) times.push(story.time - start);
		expect(times).toEqual([100, 300, 1000]);
	});

	test("of a storm of signs are no storm", () => {
		const story = read(peer());
		let count = 0;
		for (let round = 0; round < 1000; round++) {
			story.happens({ type: "session_sign" });
			count += types(story.passes(1)).length;
		}
		expect(count).toBeLessThanOrEqual(11);
	});

	test("do not happen while BIRD cannot be asked", () => {
		const story = read(peer());
		story.happens({ type: "bird_lost", reason: "gone" });
		expect(types(story.passes(60_000))).toEqual([]);
	});
});
