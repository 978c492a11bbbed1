import { expect, test } from "vitest";
import { established, packet, read, seen, told, trace } from "../diagnosis/bench.ts";
import { reading, type Story } from "../story.ts";

/** A connection of its own that BIRD takes and closes at once. */
function dials(story: Story, port: number): void {
	seen(story, trace(story, packet(["syn"], true, port)), trace(story, packet(["syn", "ack"], false, port)));
	seen(story, trace(story, packet(["rst"], false, port)));
}

/** Two minutes of a session that stays up, while something on the node dials. */
function lasts(story: Story, every: number, peer = established): void {
	story.passes(10_000);
	for (let second = 0; second < 120; second++) {
		if (second % every === 0) dials(story, 40_000 + second);
		story.passes(1000);
		if (second % 15 === 0) story.happens(reading(peer));
	}
}

test.each([5, 10, 30])(
	"a node that has a session and dials for another one each %i s has two speakers",
	(every) => {
		const story = read(established);
		lasts(story, every);
		expect(told(story)?.level).toBe("green");
		expect(told(story)?.note).toMatch(
			/^second-speaker: the session is up, and another speaker on the node dials/,
		);
	},
);

test("Calico is named where its BIRD has the session", () => {
	const calico = { ...established, open: { program: "bird" } } as const;
	const story = read(calico);
	lasts(story, 10, calico);
	expect(told(story)?.note).toContain("BIRD (Calico) on this node has the session");
});

test("two tries are no second speaker, nor are those of a node that has just come back", () => {
	const story = read(established);
	lasts(story, 70);
	expect(told(story)?.note).toBeUndefined();
	const back = read(established);
	back.passes(10_000);
	for (let second = 0; second < 20; second++) {
		if (second % 4 === 0) dials(back, 41_000 + second);
		back.passes(1000);
		back.happens(reading(established));
	}
	expect(told(back)?.note).toBeUndefined();
});

test("the note goes once nobody dials any more", () => {
	const story = read(established);
	lasts(story, 10);
	story.passes(320_000);
	story.happens(reading(established));
	expect(told(story)?.note).toBeUndefined();
});

test("two speakers that take the session from each other are the reason why it flaps", () => {
	const of = (program: "bird" | "frr") => ({ ...established, open: { program } }) as const;
	const story = read(of("bird"));
	for (let turn = 0; turn < 6; turn++) {
		story.passes(4000);
		story.happens(reading({ ...established, state: "Passive", protocolState: "start" }));
		story.passes(500);
		story.happens(reading(of(turn % 2 === 0 ? "frr" : "bird")));
	}
	expect(told(story)?.diagnosis).toBe("flapping");
	expect(told(story)?.explanation).toContain(": two speakers on the node take the session from each other");
	expect(told(story)?.remedy).toContain("let one of the two announce");
});
