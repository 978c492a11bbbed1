import { describe, expect, test } from "vitest";
import { describeActor } from "../../../src/model/actor.ts";
import { earliestRepair } from "../../../src/warden/table/contention.ts";
import { nextDeadline } from "../../../src/warden/warden.ts";
import { nft, Story, types } from "../story.ts";

const deleted = { type: "table_touched", touch: "deleted", actor: nft } as const;

/** Somebody deletes the table each time it comes back. @returns the times of all installs */
function fight(story: Story, milliseconds: number): number[] {
	const installs: number[] = [];
	const end = story.time + milliseconds;
	let wanted = types(story.happens(deleted)).includes("install");
	while (story.time < end) {
		if (wanted) {
			installs.push(story.time);
			story.time += 1;
			story.happens({ type: "own_transaction" }, { type: "installed" });
			story.happens({ type: "flushed", deleted: 0, left: 0 });
			wanted = types(story.happens(deleted)).includes("install");
		} else {
			wanted = types(story.passes(1)).includes("install");
		}
	}
	return installs;
}

const mostWithin = (times: readonly number[], window: number) =>
	Math.max(...times.map((start) => times.filter((time) => time >= start && time < start + window).length));

describe("a program that deletes in a loop", () => {
	test("meets at most 20 repairs a second, and one a second after 10 s", () => {
		const story = Story.kept();
		const start = story.time;
		const installs = fight(story, 30_000);
		expect(mostWithin(installs, 1000)).toBe(20);
		const late = installs.filter((time) => time > start + 11_000);
		expect(mostWithin(late, 1000)).toBe(1);
		expect(late.length).toBeGreaterThanOrEqual(18);
	});

	test("is a problem that names it, until it has been quiet for 10 s", () => {
		const story = Story.kept();
		fight(story, 5000);
		expect(story.status.router.problem).toContain(
			"nft (pid 4711) keeps removing or changing table inet custom_bgp",
		);
		story.passes(100);
		story.happens({ type: "own_transaction" }, { type: "installed" }, { type: "listed", text: "whole" });
		const actions = story.passes(10_000);
		expect(story.status.router.problem).toBeUndefined();
		expect(types(actions)).toContain("table_restored");
	});

	test("is named, though a listing showed the loss before the monitor said whose it was", () => {
		const story = Story.kept();
		for (let round = 0; round < 10; round++) {
			story.happens({ type: "listed", text: undefined });
			story.passes(1);
			// Each other time the repair comes first.
			if (round % 2 === 0) story.happens(deleted);
			story.happens({ type: "own_transaction" }, { type: "installed" }, { type: "listed", text: "whole" });
			story.passes(50);
		}
		expect(story.status.router).toMatchObject({
			repairs: 10,
			problem: expect.stringContaining("nft (pid 4711) keeps removing or changing table inet custom_bgp"),
		});
	});

	test("does not flood the event topic", () => {
		const story = Story.kept();
		const before = story.status.router.repairs;
		let told = 0;
		for (let round = 0; round < 100; round++) {
			told += types(story.happens(deleted)).filter((type) => type === "table_lost").length;
			told += types(story.passes(60)).filter((type) => type === "table_lost").length;
			story.happens({ type: "own_transaction" }, { type: "installed" });
		}
		expect(story.status.router.repairs - before).toBe(100);
		expect(told).toBeLessThanOrEqual(10);
	});
});

test("a fight with a loss that cannot be repaired asks for no tick in the past", () => {
	const story = Story.kept();
	fight(story, 5000);
	story.passes(100);
	story.happens({ type: "install_failed", reason: "no" });
	story.time += 60_000;
	for (let round = 0; round < 20; round++) {
		story.passes(1);
		story.happens({ type: "install_failed", reason: "no" });
		expect(nextDeadline(story.state)).toBeGreaterThan(story.time);
	}
});

test("a delayed repair that is due while an install still runs asks for no tick in the past", () => {
	const story = Story.kept();
	for (let round = 0; round < 19; round++) {
		story.happens(deleted, { type: "own_transaction" }, { type: "installed" });
		story.time += 10;
	}
	story.happens(deleted, { type: "own_transaction" }, deleted);
	story.passes(5000);
	expect(nextDeadline(story.state) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(story.time);
	expect(types(story.happens({ type: "installed" }))).toContain("install");
});

describe("single losses", () => {
	test("wait for nothing", () => {
		expect(earliestRepair([], undefined, 5000)).toBe(5000);
		expect(earliestRepair([4000, 4500, 4999], undefined, 5000)).toBe(5000);
	});

	test("are no fight when they are seconds apart", () => {
		const story = Story.kept();
		for (let round = 0; round < 50; round++) {
			story.happens(deleted, { type: "own_transaction" }, { type: "installed" });
			story.passes(250);
		}
		expect(story.status.router).toMatchObject({ repairs: 50 });
		expect(story.status.router.problem).toBeUndefined();
	});
});

test("who did it is told as far as it is known", () => {
	expect(describeActor(undefined)).toBe("an unknown program");
	expect(describeActor(nft)).toBe("nft (pid 4711)");
	expect(describeActor({ process: "nft" })).toBe("nft (pid unknown: this is a container)");
	expect(describeActor({ ...nft, command: "nft flush ruleset", parent: "/bin/sh /etc/x stop" })).toBe(
		"nft (pid 4711, nft flush ruleset), started by /bin/sh /etc/x stop",
	);
});
