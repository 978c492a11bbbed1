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

test("a host of the peers' network that dials, and is no peer, is told and listed", () => {
	const story = watching();
	expect(shown(story)).toBeUndefined();
	expect(logged(story.happens(dials("192.168.1.7")))).toEqual([
		"192.168.1.7 on br-lan connects to BGP's port, and BIRD has no peer with this address",
	]);
	story.passes(120_000);
	expect(logged(story.happens(dials("192.168.1.7")))).toEqual([]);
	const [dialer] = story.status.router.unknown_dialers ?? [];
	expect(dialer).toMatchObject({ address: "192.168.1.7", interface: "br-lan" });
	expect(Date.parse(dialer?.last ?? "") - Date.parse(dialer?.since ?? "")).toBe(120_000);
});

test("what dials from elsewhere is no node", () => {
	const story = watching();
	expect(logged(story.happens(dials("203.0.113.9", "wan")))).toEqual([]);
	expect(shown(story)).toBeUndefined();
});

test("sixteen are remembered, those that dialed last, and none for longer than an hour", () => {
	const story = watching();
	for (let host = 10; host < 110; host++) story.happens(dials(`192.168.1.${host}`));
	expect(shown(story)).toHaveLength(16);
	expect(shown(story)?.at(-1)).toBe("192.168.1.109");
	story.passes(3_600_001);
	story.happens(dials("192.168.1.10"));
	expect(shown(story)).toEqual(["192.168.1.10"]);
});

test("one that has become a peer is forgotten with the next stranger", () => {
	const story = watching();
	story.happens(dials("192.168.1.7"));
	const added = peer({ name: "second", neighborAddress: "192.168.1.7" });
	story.happens(reading(established, added), dials("192.168.1.8"));
	expect(shown(story)).toEqual(["192.168.1.8"]);
});
