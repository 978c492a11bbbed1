import { describe, expect, test } from "vitest";
import type { Action } from "../../../src/warden/actions.ts";
import { at } from "../diagnosis/bench.ts";
import { peer, reading, Story, types } from "../story.ts";
import { flapping, passive, read, repair } from "./bench.ts";

/** What was asked for and reported, but for diagnoses. */
const said = (actions: readonly Action[]) => types(actions).filter((type) => type !== "diagnosis_changed");

describe("a restart", () => {
	test("goes to a peer that is not Established after a repair, once", () => {
		const story = read(passive);
		expect(types(repair(story))).toContain("read_bird");
		expect(said(story.happens(reading(passive)))).toEqual(["restart_peer", "peer_nudged"]);
		story.happens(reading(flapping));
		story.passes(500);
		for (let round = 0; round < 20; round++) {
			expect(said(story.happens(reading(passive)))).toEqual([]);
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
		expect(said(story.happens(reading(passive)))).toEqual([]);
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

	test("leaves a handshake its second, however long the restart has been wanted", () => {
		const story = read({ ...passive, bfd: "down" });
		repair(story);
		story.happens(reading({ ...passive, bfd: "down" }));
		story.passes(6000);
		// The node is there: BFD is up, and it dials.
		const dialing = { ...passive, state: "OpenSent", bfd: "up" } as const;
		expect(said(story.happens(reading(dialing)))).not.toContain("restart_peer");
		story.passes(900);
		expect(said(story.happens(reading(dialing)))).not.toContain("restart_peer");
		story.passes(200);
		expect(said(story.happens(reading(dialing)))).toContain("restart_peer");
	});

	test.each([
		["", { bfd: "none" }],
		[" and BFD is down", { bfd: "down" }],
	] as const)("is not made while BIRD keeps the routes of a speaker that restarts%s", (_, { bfd }) => {
		const up = peer({ bfd, imported: 3 });
		const kept = { ...passive, bfd, imported: 3, keepsRoutes: true } as const;
		const story = read(up);
		const asked = [...story.happens(reading(kept)), ...repair(story)];
		for (let second = 0; second < 118; second++)
			asked.push(...story.passes(1000), ...story.happens(reading(kept)));
		expect(said(asked)).not.toContain("restart_peer");
		// Its time is over: there is nothing to lose any more.
		const { keepsRoutes: _kept, ...over } = kept;
		repair(story);
		const later = [...Array(40)].flatMap(() => [...story.passes(1000), ...story.happens(reading(over))]);
		expect(said(later)).toContain("restart_peer");
	});

	test.each([
		["since the loss", ["lost", "dial"], true],
		["while BIRD still said Established", ["pause", "dial", "lost"], true],
		["for the session that was lost alone", ["dial", "lost"], false],
	] as const)("of a peer whose routes are kept waits for its dial: one %s", (_, story_, restarted) => {
		const known = { neighborAddress: "192.168.1.2" };
		const kept = { ...passive, ...known, bfd: "up", keepsRoutes: true } as const;
		const story = read({ ...passive, ...known });
		story.happens(reading(peer(known)));
		const syn = {
			...({ protocol: "tcp", source: "192.168.1.2", destination: "192.168.1.1" } as const),
			...({ sourcePort: 4000, destinationPort: 179, flags: ["syn"] } as const),
		};
		const happens = {
			dial: () =>
				story.happens({
					type: "packets_traced",
					traces: [{ id: "1", at: story.time, packet: syn, hops: [] }],
				}),
			lost: () => story.happens(reading(kept)),
			pause: () => story.passes(10_000),
		};
		for (const each of story_) happens[each]();
		story.passes(1000);
		const asked = [...repair(story), ...story.happens(reading(kept))];
		expect(said(asked).includes("restart_peer")).toBe(restarted);
	});

	describe("ends BIRD's wait after a loss without BFD", () => {
		const up = peer({ neighborAddress: "192.168.1.2", bfd: "none" });
		const expired = "BGP Error: Hold timer expired";
		const waits = (lastError = expired) =>
			({ ...up, state: "Idle", protocolState: "start", lastError }) as const;
		const syn = {
			...({ protocol: "tcp", source: "192.168.1.2", destination: "192.168.1.1" } as const),
			...({ sourcePort: 4000, destinationPort: 179, flags: ["syn"] } as const),
		};
		const arrives = at("custom_bgp", "filter_input", "tcp dport 179 accept", "accept");
		const dial = (story: Story) =>
			story.happens({
				type: "packets_traced",
				traces: [{ id: "1", at: story.time, packet: syn, hops: [arrives] }],
			});
		const ended = (actions: readonly Action[]) =>
			actions.filter((action) => action.type === "log" && /to end BIRD's error wait/.test(action.text))
				.length;
		function begin(remediate = true): Story {
			const story = Story.kept({ remediate });
			story.happens({ type: "bird_up", version: "3.1.8" }, reading(up));
			story.passes(20_000);
			return story;
		}
		/** BIRD says so for some seconds, a reading each; the peer dials in the first. @returns how often a wait was ended */
		function ends(story: Story, state: ReturnType<typeof waits>, seconds = 8): number {
			const actions = [...story.happens(reading(state)), ...story.passes(1000), ...dial(story)];
			for (let second = 1; second < seconds; second++)
				actions.push(...story.passes(1000), ...story.happens(reading(state)));
			return ended(actions);
		}

		test.each([expired, "Received: Hold timer expired", "Error: Link down", "Socket: Connection closed"])(
			"with %s, once the peer has dialed, and once",
			(error) => {
				expect(ends(begin(), waits(error))).toBe(1);
			},
		);

		test("with a dial that BIRD is read for, after its loss", () => {
			const story = begin();
			const lost = story.wall + story.time;
			story.passes(3000);
			dial(story);
			story.passes(100);
			const state = { ...waits(), since: lost };
			const actions = [1, 2, 3].flatMap(() => [...story.happens(reading(state)), ...story.passes(1000)]);
			expect(ended(actions)).toBe(1);
		});

		test("not without a dial, nor for one that came before", () => {
			const story = begin();
			dial(story);
			story.passes(10_000);
			const state = { ...waits(), since: story.wall + story.time };
			const actions = [...Array(8)].flatMap(() => [...story.happens(reading(state)), ...story.passes(1000)]);
			expect(ended(actions)).toBe(0);
		});

		test("not with an error that does not pass, and not without remediation", () => {
			expect(ends(begin(), waits("Received: Bad peer AS"))).toBe(0);
			expect(ends(begin(), waits("Automatic shutdown: Route limit exceeded"))).toBe(0);
			expect(ends(begin(false), waits())).toBe(0);
		});

		test("not after a handshake that came to nothing, whatever ended the session before", () => {
			const story = begin();
			expect(ends(story, waits())).toBe(1);
			story.happens(reading({ ...waits(), state: "OpenSent" }));
			story.passes(240_000);
			expect(ends(story, waits())).toBe(0);
		});

		test("a minute apart, and not once it flaps", () => {
			const round = (story: Story, apart: number) => {
				const count = ends(story, waits());
				story.happens(reading(up));
				story.passes(apart);
				return count;
			};
			const soon = begin();
			expect([round(soon, 20_000), round(soon, 0)]).toEqual([1, 0]);
			const later = begin();
			expect([round(later, 60_000), round(later, 60_000), round(later, 60_000)]).toEqual([1, 1, 0]);
		});
	});

	test("comes at once after a flush that deleted something, however often restarts have failed", () => {
		const story = read(passive);
		for (let second = 0; second < 300; second++)
			for (const action of [...story.passes(1000), ...story.happens(reading(passive))]) {
				if (action.type === "list") story.happens({ type: "listed", text: "whole" });
				if (action.type === "flush") story.happens({ type: "flushed", deleted: 0, left: 0 });
			}
		repair(story);
		expect(said(story.happens(reading(passive)))).not.toContain("restart_peer");
		story.happens({ type: "flushed", deleted: 1, left: 0 });
		const asked = [...Array(8)].flatMap(() => [...story.happens(reading(passive)), ...story.passes(1000)]);
		expect(said(asked)).toContain("restart_peer");
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

	test("is repeated for a peer that its own BFD flap took down", () => {
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
