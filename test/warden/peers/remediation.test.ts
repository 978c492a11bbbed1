import { describe, expect, test } from "vitest";
import type { Action } from "../../../src/warden/actions.ts";
import { statusOf } from "../../../src/warden/status.ts";
import { peer, reading, Story, types } from "../story.ts";

const known = { neighborAddress: "192.168.1.2" };
const passive = peer({ ...known, state: "Passive", protocolState: "start", bfd: "up" });
const established = peer(known);
const identity = { version: "1", router: "r", pid: 1 };

function read(changes: Parameters<typeof Story.kept>[0] = {}): Story {
	const story = Story.kept(changes);
	story.happens({ type: "bird_up" }, reading(passive));
	return story;
}

/** Answers what the warden asks for, as the world does in which nothing helps; a reading of BIRD each second. */
function live(story: Story, seconds: number): { at: number; type: string }[] {
	const rungs: { at: number; type: string }[] = [];
	const start = story.time;
	// BIRD's restart makes BFD flap, for a second.
	let flaps = false;
	for (let second = 0; second < seconds; second++) {
		const seen = flaps ? ({ ...passive, bfd: "down" } as const) : passive;
		const actions: Action[] = [...story.passes(1000), ...story.happens(reading(seen))];
		flaps = types(actions).includes("restart_peer");
		for (const action of actions) {
			if (action.type === "list") story.happens({ type: "listed", text: "whole" });
			if (action.type === "flush") story.happens({ type: "flushed", deleted: 0, left: 0 });
			if (action.type === "restart_peer")
				story.happens({ type: "peer_restarted", verb: "restart", peer: action.peer });
			if (action.type === "list" || action.type === "flush" || action.type === "restart_peer")
				rungs.push({ at: Math.round((story.time - start) / 1000), type: action.type });
		}
	}
	return rungs;
}

const tried = (story: Story) => statusOf(story.state, identity).peers[0]?.tried;

describe("the attempt", () => {
	test("of a peer that is down for no known reason: table, conntrack, restart, in this order", () => {
		const rungs = live(read(), 45);
		expect(rungs.map(({ type }) => type)).toEqual(["list", "flush", "restart_peer"]);
		const [first, second, third] = rungs;
		expect(first?.at).toBeGreaterThanOrEqual(25);
		expect(second && first && second.at > first.at).toBe(true);
		expect(third && second && third.at >= second.at).toBe(true);
	});

	test("is not late where BIRD is read seldom", () => {
		const story = Story.kept({ pollInterval: 300 });
		story.happens({ type: "bird_up" }, reading(established));
		story.passes(400_000);
		story.happens(reading(established));
		story.passes(20_000);
		story.happens(reading(passive));
		const start = story.time;
		let restarted: number | undefined;
		for (let second = 0; second < 120 && restarted === undefined; second++) {
			const read = story.passes(1000).filter(({ type }) => type === "read_bird");
			for (const action of read.length > 0 ? story.happens(reading(passive)) : []) {
				if (action.type === "list") story.happens({ type: "listed", text: "whole" });
				if (action.type === "flush") story.happens({ type: "flushed", deleted: 0, left: 0 });
				if (action.type === "restart_peer") restarted = story.time - start;
			}
		}
		expect(restarted).toBeLessThan(45_000);
	});

	test("says that its restart has helped, though a reading met that half way", () => {
		const story = read();
		for (let second = 0; second < 45 && live(story, 1).at(-1)?.type !== "restart_peer"; second++);
		story.happens(reading(peer({ ...known, state: "Down", protocolState: "down", bfd: "none" })));
		story.passes(1500);
		story.happens(reading(established));
		expect(tried(story)).toContain("it came up");
	});

	test("is climbed three times, then once in ten minutes", () => {
		const restarts = live(read(), 3600).filter(({ type }) => type === "restart_peer");
		const gaps = restarts.slice(1).map(({ at }, index) => at - (restarts[index]?.at ?? 0));
		for (const gap of gaps.slice(2)) expect(gap).toBeGreaterThanOrEqual(600);
		expect(restarts.length).toBeGreaterThan(5);
		expect(restarts.length).toBeLessThanOrEqual(3 + 3600 / 600);
	});

	test("ends where the session comes up, and says what has helped", () => {
		const story = read();
		live(story, 28);
		expect(tried(story)).toContain("waiting for its effect");
		story.happens(reading(established));
		expect(tried(story)).toMatch(/^deleting its conntrack entries, .*: it came up [\d.]+ s later$/);
	});

	test("says what has not helped", () => {
		const story = read();
		live(story, 50);
		expect(tried(story)).toMatch(/^its restart in BIRD, .*: did not help$/);
	});

	test("is not climbed where only advice is wanted, nor for a peer that is up or switched off", () => {
		expect(live(read({ remediate: false }), 120)).toEqual([]);
		for (const calm of [established, peer({ ...known, state: "Down", protocolState: "down" })]) {
			const story = Story.kept();
			story.happens({ type: "bird_up" }, reading(calm));
			for (let second = 0; second < 120; second++) {
				const asked = types([...story.passes(1000), ...story.happens(reading(calm))]);
				expect(asked).not.toContain("restart_peer");
				expect(asked).not.toContain("flush");
			}
		}
	});

	test("ends with the option, whatever was planned", () => {
		const story = read();
		live(story, 50);
		story.happens({ type: "configured", settings: { ...story.state.settings, remediate: false } });
		expect(live(story, 120).filter(({ type }) => type === "restart_peer")).toEqual([]);
	});

	test("is not climbed for what lies with a person", () => {
		const story = Story.kept();
		const refused = { ...passive, lastError: "BGP Error: Bad peer AS" };
		story.happens({ type: "bird_up" }, reading(refused));
		for (let second = 0; second < 120; second++)
			expect(types([...story.passes(1000), ...story.happens(reading(refused))])).not.toContain(
				"restart_peer",
			);
		expect(statusOf(story.state, identity).peers[0]).toMatchObject({ diagnosis: "rejected" });
	});
});

describe("a rule that was in the way and is gone", () => {
	const drop = {
		id: "1",
		at: 0,
		packet: {
			protocol: "tcp",
			source: "192.168.1.2",
			destination: "192.168.1.1",
			sourcePort: 4000,
			destinationPort: 179,
			flags: ["syn"],
		},
		hops: [{ family: "inet", table: "x", chain: "pre", rule: "drop", verdict: "drop" }],
	} as const;
	const changed = (table: string) =>
		({ type: "ruleset_changed", tables: [table], actor: { process: "nft", pid: 7 } }) as const;

	test("has the peer restarted at once, whatever the backoff", () => {
		const story = read();
		live(story, 60);
		story.happens({ type: "packets_traced", traces: [{ ...drop, at: story.time }] });
		expect(types(story.happens(changed("inet other")))).not.toContain("read_bird");
		expect(types(story.happens(changed("inet x")))).toContain("read_bird");
		expect(live(story, 6).filter(({ type }) => type === "restart_peer")).toHaveLength(1);
	});

	/** The peer dials while BIRD takes the session for Established, its dial is caught, and then the rule is gone. */
	function doubted(): Story {
		const story = read();
		story.passes(5000);
		story.happens(reading(established));
		story.passes(60_000);
		story.happens(reading(established), { type: "packets_traced", traces: [{ ...drop, at: story.time }] });
		expect(statusOf(story.state, identity).peers[0]).toMatchObject({ diagnosis: "hijacked" });
		story.happens(changed("inet x"), reading(established));
		return story;
	}
	const saysNow = (story: Story) => statusOf(story.state, identity).peers[0]?.diagnosis;
	const restarts = (actions: readonly Action[]) => types(actions).filter((type) => type === "restart_peer");

	test("has a peer that BIRD takes for Established restarted once BIRD sees the loss, and not before", () => {
		const story = doubted();
		for (let second = 0; second < 5; second++)
			expect(restarts([...story.passes(1000), ...story.happens(reading(established))])).toEqual([]);
		// Not `healthy`: the peer has given that session up.
		expect(saysNow(story)).toBe("hijacked");
		const reset = { ...passive, lastError: "Socket: Connection reset by peer" };
		expect(restarts([...story.happens(reading(reset)), ...story.passes(500)])).toHaveLength(1);
		story.happens(reading({ ...reset, bfd: "down" }));
		expect(live(story, 10).filter(({ type }) => type === "restart_peer")).toEqual([]);
		story.happens(reading(established));
		expect(saysNow(story)).toBe("healthy");
	});

	test("leaves a session alone that lasts, however often the table changes, and calls it healthy in the end", () => {
		const story = doubted();
		for (let second = 0; second < 60; second++) {
			story.happens(changed("inet x"));
			expect(restarts([...story.passes(1000), ...story.happens(reading(established))])).toEqual([]);
		}
		expect(saysNow(story)).toBe("healthy");
		// What it is lost for later is something else.
		expect(restarts([...story.happens(reading(passive)), ...story.passes(500)])).toEqual([]);
	});

	test("leaves alone a peer that has come back by itself", () => {
		const story = doubted();
		story.passes(1000);
		const since = story.wall + story.time;
		story.passes(1000);
		story.happens(reading({ ...established, since }));
		expect(saysNow(story)).toBe("healthy");
		expect(restarts([...story.happens(reading(passive)), ...story.passes(500)])).toEqual([]);
	});

	test("of a table that changes all the time has the peer restarted seldom", () => {
		const story = read();
		let restarts = 0;
		for (let round = 0; round < 100; round++) {
			story.happens({ type: "packets_traced", traces: [{ ...drop, at: story.time }] }, changed("inet x"));
			restarts += live(story, 6).filter(({ type }) => type === "restart_peer").length;
		}
		expect(restarts).toBeGreaterThan(0);
		expect(restarts).toBeLessThanOrEqual(6);
	});

	test("does not stay as evidence", () => {
		const story = read();
		story.happens({ type: "packets_traced", traces: [{ ...drop, at: story.time }] }, changed("inet x"));
		// Without the evidence the same packet has to come again for the same diagnosis.
		story.happens(reading(established), reading(passive));
		expect(story.status.peers[0]?.diagnosis).not.toBe("hijacked");
	});
});

describe("BIRD's wait after a failure of BFD", () => {
	const idle = peer({
		...known,
		state: "Idle",
		protocolState: "start",
		bfd: "down",
		lastError: "Error: BFD session down",
	});

	test("is ended once, so that the peer can come back with its link", () => {
		const story = Story.kept();
		story.happens({ type: "bird_up" }, reading(established), reading(idle));
		const restarts: number[] = [];
		for (let second = 0; second < 20; second++) {
			if (types([...story.passes(1000), ...story.happens(reading(idle))]).includes("restart_peer"))
				restarts.push(second);
		}
		expect(restarts).toEqual([0]);
	});

	const refused = { ...idle, lastError: "Received: Finite state machine error" };

	test("after a dial that was too early is ended as well, before BFD comes up: the peer dials once, at that moment", () => {
		const story = read();
		const restarts: number[] = [];
		for (let second = 0; second < 20; second++)
			if (types([...story.happens(reading(refused)), ...story.passes(1000)]).includes("restart_peer"))
				restarts.push(second);
		expect(restarts).toEqual([1]);
	});

	test.each([
		{ what: "the peer runs into again and again is ended twice in five minutes", error: refused, most: 5 },
		{
			what: "refuses the session is left alone",
			error: { ...idle, lastError: "Received: Bad peer AS" },
			most: 0,
		},
		{
			what: "a restart cannot cure is left alone: a route limit",
			error: { ...idle, lastError: "Automatic shutdown: Route limit exceeded" },
			most: 0,
		},
		{
			what: "comes without a BFD session is left alone",
			error: { ...refused, bfd: "none" } as const,
			most: 0,
		},
	])("after an error that $what", ({ error, most }) => {
		const story = read();
		let restarts = 0;
		for (let second = 0; second < 600; second++) {
			const seen = reading(second % 6 < 1 ? passive : error);
			const ended = [...story.happens(seen), ...story.passes(1000)].filter(
				(action) => action.type === "log" && action.text.includes("restarted to end BIRD's error wait"),
			);
			restarts += ended.length;
		}
		expect(restarts).toBeLessThanOrEqual(most);
		if (most > 0) expect(restarts).toBeGreaterThan(most / 2);
	});

	test.each([
		{ what: "came up", seen: [established] },
		{ what: "was tried again, unseen", seen: [] },
	])("does not meet the backoff of what failed before the session $what", ({ seen }) => {
		const story = read();
		live(story, 300);
		expect(story.passes(60_000).some(({ type }) => type === "restart_peer")).toBe(false);
		story.happens(...seen.map((each) => reading(each)));
		story.passes(2000);
		const waiting = { ...idle, bfd: "up" } as const;
		const restarts: number[] = [];
		for (let second = 0; second < 30; second++)
			if (types([...story.happens(reading(waiting)), ...story.passes(1000)]).includes("restart_peer"))
				restarts.push(second);
		expect(restarts.length).toBeGreaterThan(0);
		expect(restarts[0]).toBeLessThanOrEqual(5);
		expect(restarts.length).toBeLessThanOrEqual(4);
	});

	test("of a session that only comes up for a moment each time is ended seldom", () => {
		const story = read();
		const reset = peer({ ...known, state: "Idle", bfd: "up", lastError: "Received: Administrative reset" });
		let restarts = 0;
		for (let second = 0; second < 600; second++) {
			const state = second % 6 < 2 ? established : reset;
			if (types([...story.happens(reading(state)), ...story.passes(1000)]).includes("restart_peer"))
				restarts++;
		}
		expect(restarts).toBeLessThanOrEqual(12);
	});

	test("is left alone where only advice is wanted", () => {
		const story = Story.kept({ remediate: false });
		story.happens({ type: "bird_up" }, reading(established), reading(idle));
		for (let second = 0; second < 20; second++)
			expect(types([...story.passes(1000), ...story.happens(reading(idle))])).not.toContain("restart_peer");
	});
});
