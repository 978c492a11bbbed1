import { describe, expect, test } from "vitest";
import { statusOf } from "../../../src/warden/status.ts";
import { logged, peer, reading, Story, types } from "../story.ts";
import { identity, passive, read } from "./bench.ts";

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

	const up = peer({});
	const waits = peer({ state: "Passive", protocolState: "start" });
	test.each([
		[
			"BIRD's own restarts",
			(story: Story) => {
				story.happens({ type: "bird_lost", reason: "BIRD is gone" });
				story.passes(2000);
				story.happens({ type: "bird_up" });
			},
		],
		[
			"a person's restarts",
			(story: Story) => {
				story.happens({ type: "command", command: { verb: "restart", peer: "waukeen", id: "1" } });
				story.happens(reading(up));
				story.passes(200);
			},
		],
	])("%s are no flapping", (_, restart) => {
		const story = Story.kept();
		story.happens({ type: "bird_up" }, reading(up));
		for (let round = 0; round < 4; round++) {
			story.passes(60_000);
			story.happens(reading(up));
			restart(story);
			story.happens(reading(waits));
			story.passes(3000);
			story.happens(reading(up));
		}
		expect(story.status.peers[0]).toMatchObject({ diagnosis: "healthy", flaps: 4 });
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
			level: "green",
			state: "Established",
			bfd: "up",
			flaps: 0,
			diagnosis: "healthy",
			explanation: "waukeen is Established and BFD is up",
		});
	});

	test("one of the configuration that BIRD does not run is a problem until it does", () => {
		const story = Story.kept({ peers: [{ name: "waukeen" }, { name: "constructor" }] });
		story.happens({ type: "bird_up" }, reading(up));
		expect(story.status.router).toMatchObject({
			problem: "BIRD runs no protocol named constructor, a peer in /etc/config/bgpwarden",
			level: "red",
		});
		story.happens(reading(up, peer({ name: "constructor" })));
		expect(story.status.router.problem).toBeUndefined();
		const settings = (...names: string[]) => ({
			...story.state.settings,
			peers: names.map((name) => ({ name })),
		});
		story.happens({ type: "configured", settings: settings("nobody") });
		expect(story.status.router.problem).toContain("nobody");
		story.happens({ type: "configured", settings: settings("waukeen") });
		expect(story.status.router.problem).toBeUndefined();
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
		expect(actions).toContainEqual({ type: "restart_peer", peer: "waukeen", verb: "restart", id: "7" });
		const answer = story.happens({ type: "peer_restarted", verb: "restart", peer: "waukeen", id: "7" });
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

	test("flush during a flush that hangs is told of its end, and is made after it", () => {
		const story = Story.kept();
		story.happens({ type: "command", command: { verb: "flush", id: "1" } });
		story.passes(1000);
		story.happens({ type: "command", command: { verb: "flush", id: "2" } });
		story.passes(4000);
		const actions = story.happens({ type: "flush_failed", reason: "conntrack -L: no end after 5 s" });
		const told = actions.flatMap((action) => (action.type === "reply" ? [[action.id, action.ok]] : []));
		expect(told).toEqual(
			expect.arrayContaining([
				["1", false],
				["2", false],
			]),
		);
		expect(types(actions)).toContain("flush");
	});

	test("a flush that fails is a problem until one works", () => {
		const story = read(peer());
		const actions = story.happens({ type: "flush_failed", reason: "conntrack: not found" });
		expect(logged(actions)).toEqual(["cannot delete stale conntrack entries: conntrack: not found"]);
		story.happens({ type: "flushed", deleted: 0, left: 0 });
		expect(story.status.router.problem).toBeUndefined();
	});

	test("a flush that fails is made again, soon and in the end once a minute, with one line", () => {
		const story = Story.kept();
		const fail = () => story.happens({ type: "flush_failed", reason: "conntrack: not found" });
		const tries = (milliseconds: number) => {
			let count = 0;
			for (let past = 0; past < milliseconds; past += 100) {
				if (!types(story.passes(100)).includes("flush")) continue;
				count++;
				expect(logged(fail())).toEqual([]);
			}
			return count;
		};
		expect(types(story.passes(60_000))).not.toContain("flush");
		fail();
		// After 1, 2 and 4 s, then every 7 s.
		expect(tries(20_000)).toBe(4);
		expect(tries(60_000)).toBe(8);
		expect(tries(600_000)).toBe(10);
		story.happens({ type: "flushed", deleted: 2, left: 0 });
		expect(types(story.passes(120_000))).not.toContain("flush");
	});
});
