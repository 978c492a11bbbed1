import { describe, expect, test } from "vitest";
import { statusOf } from "../../../src/warden/status.ts";
import { logged, nft, peer, reading, Story, types } from "../story.ts";

const identity = { version: "1", router: "r", pid: 1 };
const deleted = { type: "table_touched", touch: "deleted", actor: nft } as const;
const passive = peer({ state: "Passive", protocolState: "start" });
/** BIRD has just restarted it. */
const flapping = { ...passive, bfd: "down" } as const;

/** A warden that has read BIRD. */
function read(...peers: ReturnType<typeof peer>[]): Story {
	const story = Story.kept();
	story.happens({ type: "bird_up", version: "3.1.8" }, reading(...peers));
	story.passes(20_000);
	return story;
}

/** A loss and its repair. @returns the actions */
function repair(story: Story) {
	return story.happens(deleted, { type: "own_transaction" }, { type: "installed" });
}

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

describe("peers", () => {
	test("coming up and going down are told, and counted as flaps", () => {
		const story = read(passive);
		expect(types(story.happens(reading(peer())))).toContain("peer_up");
		const down = story.happens(reading(peer({ state: "Idle", lastError: "Hold timer expired" })));
		expect(down).toContainEqual({
			type: "report",
			event: "peer_down",
			details: { peer: "waukeen", state: "Idle", last_error: "Hold timer expired" },
		});
		expect(statusOf(story.state, identity).peers[0]).toMatchObject({ state: "Idle", flaps: 1 });
	});

	test("since is BIRD's word at first and our observation later", () => {
		const story = Story.kept();
		const since = Date.UTC(2026, 10, 20, 12, 0, 0);
		story.happens({ type: "bird_up" });
		story.happens(reading(peer({ since })));
		expect(statusOf(story.state, identity).peers[0]?.since).toBe("2026-11-20T12:00:00Z");
		story.happens(reading(passive));
		expect(statusOf(story.state, identity).peers[0]?.since).toBe("2026-11-24T03:00:06Z");
	});

	test("a session that is younger than the last one was down in between, as when BIRD was restarted", () => {
		const story = Story.kept();
		const at = (seconds: number) => Date.UTC(2026, 10, 24, 2, 0, seconds);
		const read = (seconds: number) => story.happens(reading(peer({ since: at(seconds) })));
		story.happens({ type: "bird_up" });
		read(0);
		expect(types(read(2))).toEqual([]);
		expect(types(read(30))).toEqual(["peer_down", "peer_up"]);
		expect(statusOf(story.state, identity).peers[0]).toMatchObject({
			flaps: 1,
			since: "2026-11-24T02:00:30Z",
		});
		expect(types(read(30))).toEqual([]);
	});

	test("a clock that is set moves BIRD's times and is no flap", () => {
		const story = Story.kept();
		const since = Date.UTC(2026, 10, 24, 2, 0, 0);
		story.happens({ type: "bird_up" });
		story.happens(reading(peer({ since })));
		story.wall += 86_400_000;
		const later = since + 86_400_000;
		expect(types(story.happens(reading(peer({ since: later }))))).toEqual([]);
		expect(statusOf(story.state, identity).peers[0]?.since).toBe("2026-11-25T02:00:00Z");
	});

	test("one that is gone from BIRD is gone, and down if it was up", () => {
		const story = read(peer(), peer({ name: "other" }));
		expect(types(story.happens(reading(peer())))).toContain("peer_down");
		expect(story.status.peers.map(({ name }) => name)).toEqual(["waukeen"]);
	});

	test("values that BIRD did not print are absent", () => {
		const story = read(peer());
		const [shown] = statusOf(story.state, identity).peers;
		expect(shown).toEqual({
			name: "waukeen",
			state: "Established",
			bfd: "up",
			flaps: 0,
			diagnosis: "healthy",
			explanation: "waukeen is Established and BFD is up",
		});
	});

	test("BIRD lost and back is told once each", () => {
		const story = read(peer());
		const lost = { type: "bird_lost", reason: "no answer in 3 s" } as const;
		expect(types(story.happens(lost, lost))).toEqual(["bird_lost"]);
		expect(statusOf(story.state, identity)).toMatchObject({
			router: { bird: { reachable: false } },
			peers: [{ state: "Established" }],
		});
		expect(types(story.happens({ type: "bird_up", version: "3.1.8" }))).toEqual(["bird_back", "read_bird"]);
	});
});

describe("the nudge", () => {
	test("goes to a peer that is not Established after a repair, once", () => {
		const story = read(passive);
		expect(types(repair(story))).toContain("read_bird");
		expect(types(story.happens(reading(passive)))).toEqual(["restart_peer", "peer_nudged"]);
		story.happens(reading(flapping));
		story.passes(500);
		for (let round = 0; round < 20; round++) {
			expect(types(story.happens(reading(passive)))).toEqual([]);
			story.passes(1000);
		}
	});

	test("is made again, twice at the most in an outage, where BIRD has kept the BFD session across the restart", () => {
		const story = read(passive);
		repair(story);
		const restarts: number[] = [];
		const start = story.time;
		for (let round = 0; round < 600; round++) {
			const actions = [...story.happens(reading(passive)), ...story.passes(100)];
			if (types(actions).includes("restart_peer")) restarts.push(story.time - start);
			if (types(actions).includes("flush")) story.happens({ type: "flushed", deleted: 0, left: 0 });
		}
		const [first = 0, second = 0, third = 0] = restarts;
		expect(restarts.filter((at) => at < 25_000)).toHaveLength(3);
		expect(second - first).toBeGreaterThanOrEqual(900);
		expect(third - second).toBeGreaterThanOrEqual(900);
		expect(third).toBeLessThan(4000);
	});

	test.each([
		["BFD has flapped", flapping],
		["the peer dials already", { ...passive, state: "OpenSent" } as const],
		["the peer has no BFD", { ...passive, bfd: "none" } as const],
	])("is not made again where %s", (_, seen) => {
		const story = read(passive);
		repair(story);
		story.happens(reading(passive));
		for (let round = 0; round < 20; round++)
			expect(types([...story.happens(reading(seen)), ...story.passes(500)])).not.toContain("restart_peer");
	});

	test("is not made again for a session that came up and was lost, though BFD never flapped", () => {
		const story = read(passive);
		repair(story);
		story.happens(reading(passive));
		story.passes(500);
		story.happens(reading(peer({ state: "Established" })));
		for (let round = 0; round < 20; round++)
			expect(types([...story.happens(reading(passive)), ...story.passes(200)])).not.toContain("restart_peer");
	});

	test("is made again where BIRD has kept the BFD session across the restart that ends the wait after a BFD flap", () => {
		const story = read(passive);
		repair(story);
		story.happens(reading(passive));
		story.happens(reading(flapping));
		story.passes(1500);
		const waits = { ...passive, state: "Idle", lastError: "BFD session down" } as const;
		expect(types(story.happens(reading(waits)))).toContain("restart_peer");
		story.passes(1000);
		expect(types(story.happens(reading(passive)))).toContain("restart_peer");
	});

	test("is made again, too, where a reading has met the restart half way", () => {
		const story = read(passive);
		repair(story);
		story.happens(reading(passive));
		story.happens(reading({ ...passive, state: "Down", protocolState: "down" }));
		const restarts: string[] = [];
		for (let round = 0; round < 20; round++)
			restarts.push(...types([...story.happens(reading(passive)), ...story.passes(200)]));
		expect(restarts).toContain("restart_peer");
	});

	test("goes to a peer after a flush that deleted something, and not after one that did not", () => {
		const story = read(passive);
		story.happens({ type: "command", command: { verb: "flush" } }, { type: "flushed", deleted: 0, left: 0 });
		expect(types(story.happens(reading(passive)))).toEqual([]);
		story.happens({ type: "command", command: { verb: "flush" } }, { type: "flushed", deleted: 2, left: 0 });
		expect(types(story.happens(reading(passive)))).toContain("restart_peer");
	});

	test.each([
		["Established", peer()],
		["disabled", peer({ state: "Down", protocolState: "down" })],
	])("never goes to a peer that is %s", (_, which) => {
		const story = read(which);
		repair(story);
		for (let round = 0; round < 30; round++) {
			expect(types(story.happens(reading(which)))).not.toContain("restart_peer");
			story.passes(1000);
		}
	});

	test("leaves a handshake a second to finish", () => {
		const opening = peer({ state: "OpenConfirm", protocolState: "start" });
		const story = read(passive);
		repair(story);
		expect(types(story.happens(reading(opening)))).toEqual([]);
		story.passes(500);
		expect(types(story.happens(reading(opening)))).toEqual([]);
		story.passes(600);
		expect(types(story.happens(reading(opening)))).toContain("restart_peer");
	});

	test("waits for BFD, which makes it work, and then for the redial that BFD causes", () => {
		const story = read(peer({ ...passive, bfd: "down" }));
		repair(story);
		story.happens(reading({ ...passive, bfd: "down" }));
		story.passes(3000);
		expect(types(story.happens(reading({ ...passive, bfd: "up" })))).toEqual([]);
		story.passes(1000);
		expect(types(story.happens(reading({ ...passive, bfd: "up" })))).toContain("restart_peer");
	});

	test("does not wait for BFD for ever", () => {
		const story = read(peer({ ...passive, bfd: "down" }));
		repair(story);
		story.happens(reading({ ...passive, bfd: "down" }));
		story.passes(20_000);
		expect(types(story.happens(reading({ ...passive, bfd: "down" })))).toContain("restart_peer");
	});

	test("is held back for 30 s, then 60 s, and after three failures 10 min", () => {
		const story = read(passive);
		const gaps: number[] = [];
		let last: number | undefined;
		while (gaps.length < 4) {
			repair(story);
			for (const action of story.happens(reading(passive))) {
				if (action.type !== "restart_peer") continue;
				if (last !== undefined) gaps.push(Math.round((story.time - last) / 1000));
				last = story.time;
				story.happens(reading(flapping));
			}
			story.passes(1000);
		}
		expect(gaps).toEqual([30, 60, 600, 600]);
	});

	test("starts over after a session that lasted 30 s", () => {
		const story = read(passive);
		repair(story);
		story.happens(reading(passive), reading(peer()));
		story.passes(31_000);
		story.happens(reading(peer()));
		story.happens(reading(passive));
		repair(story);
		expect(types(story.happens(reading(passive)))).toContain("restart_peer");
	});

	test("is repeated for a peer that met the BFD flap of its own nudge", () => {
		const story = read(passive);
		repair(story);
		story.happens(reading(passive));
		story.passes(3000);
		const idle = peer({ state: "Idle", protocolState: "start", lastError: "Error: BFD session down" });
		expect(types(story.happens(reading({ ...idle, bfd: "init" })))).toEqual([]);
		story.passes(500);
		expect(types(story.happens(reading(idle)))).toEqual(["restart_peer"]);
		expect(types(story.happens(reading(idle)))).toEqual([]);
	});

	test("does not happen with remediate off", () => {
		const story = Story.kept({ remediate: false });
		story.happens({ type: "bird_up" }, reading(passive));
		repair(story);
		expect(types(story.happens(reading(passive)))).not.toContain("restart_peer");
	});

	test("reaches a peer that BIRD shows only later", () => {
		const story = new Story();
		story.happens({ type: "started" }, { type: "listed", text: undefined }, { type: "installed" });
		story.passes(60_000);
		story.happens({ type: "bird_up" });
		expect(types(story.happens(reading(passive)))).toContain("restart_peer");
	});
});

describe("commands", () => {
	test("restart an unknown peer: the answer names those there are", () => {
		const story = read(peer());
		const actions = story.happens({ type: "command", command: { verb: "restart", peer: "nobody", id: "7" } });
		expect(actions).toContainEqual({
			type: "reply",
			id: "7",
			ok: false,
			text: "BIRD has no peer 'nobody'; it has waukeen",
		});
	});

	test("restart a peer: done, then answered", () => {
		const story = read(peer());
		const actions = story.happens({
			type: "command",
			command: { verb: "restart", peer: "waukeen", id: "7" },
		});
		expect(actions).toContainEqual({ type: "restart_peer", peer: "waukeen", id: "7" });
		const answer = story.happens({ type: "peer_restarted", peer: "waukeen", id: "7" });
		expect(answer).toContainEqual({
			type: "reply",
			id: "7",
			ok: true,
			text: "peer waukeen restarted in BIRD",
		});
	});

	test("flush during a flush waits for its own", () => {
		const story = read(peer());
		const flush = (id: string) => ({ type: "command", command: { verb: "flush", id } }) as const;
		story.happens(flush("1"), flush("2"));
		const first = story.happens({ type: "flushed", deleted: 1, left: 0 });
		expect(first).toContainEqual({ type: "reply", id: "1", ok: true, text: "1 entry deleted" });
		expect(types(first)).toContain("flush");
		const second = story.happens({ type: "flushed", deleted: 0, left: 0 });
		expect(second).toContainEqual({ type: "reply", id: "2", ok: true, text: "no stale conntrack entries" });
		expect(story.status.router.flushed).toBe(1);
	});

	test("a flush that fails is a problem until one works", () => {
		const story = read(peer());
		const actions = story.happens({ type: "flush_failed", reason: "conntrack: not found" });
		expect(logged(actions)).toEqual(["cannot delete stale conntrack entries: conntrack: not found"]);
		story.happens({ type: "flushed", deleted: 0, left: 0 });
		expect(story.status.router.problem).toBeUndefined();
	});
});
