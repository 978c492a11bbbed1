import { expect, test } from "vitest";
import { logged, peer, reading, Story } from "../story.ts";

const established = peer({ neighborAddress: "192.168.1.2" });

/** A warden whose peer is behind br-lan. */
function watching(): Story {
	const story = Story.kept({ interfaces: new Map([["waukeen", "br-lan"]]) });
	story.happens({ type: "bird_up" }, reading(established));
	return story;
}

const dials = (address: string, device = "br-lan") =>
	({ type: "stranger_dialed", address, interface: device }) as const;
const shown = (story: Story) => story.status.router.unknown_dialers?.map(({ address }) => address);

/** It dials, and again ten seconds later. */
function dialsTwice(story: Story, address: string, device = "br-lan"): string[] {
	const first = logged(story.happens(dials(address, device)));
	story.passes(10_000);
	return [...first, ...logged(story.happens(dials(address, device)))];
}

test("a host of the peers' network that dials again, and is no peer, is told and listed", () => {
	const story = watching();
	expect(logged(story.happens(dials("192.168.1.7")))).toEqual([]);
	expect(shown(story)).toBeUndefined();
	story.passes(10_000);
	expect(logged(story.happens(dials("192.168.1.7")))).toEqual([
		"192.168.1.7 on br-lan connects to BGP's port, and BIRD has no peer with this address",
	]);
	story.passes(120_000);
	expect(logged(story.happens(dials("192.168.1.7")))).toEqual([]);
	const [dialer] = story.status.router.unknown_dialers ?? [];
	expect(dialer).toMatchObject({ address: "192.168.1.7", interface: "br-lan" });
	expect(Date.parse(dialer?.last ?? "") - Date.parse(dialer?.since ?? "")).toBe(130_000);
});

test("what dials from elsewhere is no node", () => {
	const story = watching();
	expect(dialsTwice(story, "203.0.113.9", "wan")).toEqual([]);
	expect(shown(story)).toBeUndefined();
});

test("a flood from many addresses, each of which comes again, is a line a minute", () => {
	const story = watching();
	const lines: string[] = [];
	for (let round = 0; round < 24; round++)
		for (let host = 10; host < 15; host++) {
			lines.push(...logged(story.happens(dials(`192.168.1.${host}`))));
			story.passes(1000);
		}
	expect(lines).toHaveLength(2);
});

test("sixteen are remembered, those that dialed last, and none for longer than an hour", () => {
	const story = watching();
	for (let host = 10; host < 40; host++) {
		dialsTwice(story, `192.168.1.${host}`);
		story.passes(60_000);
	}
	expect(shown(story)).toHaveLength(16);
	expect(shown(story)?.at(-1)).toBe("192.168.1.39");
	story.passes(3_600_001);
	dialsTwice(story, "192.168.1.10");
	expect(shown(story)).toEqual(["192.168.1.10"]);
});

test("one that has become a peer is forgotten with the next stranger", () => {
	const story = watching();
	dialsTwice(story, "192.168.1.7");
	story.passes(60_000);
	const added = peer({ name: "second", neighborAddress: "192.168.1.7" });
	story.happens(reading(established, added));
	dialsTwice(story, "192.168.1.8");
	expect(shown(story)).toEqual(["192.168.1.8"]);
});
