import { describe, expect, test } from "vitest";
import type { Obstacle } from "../../../src/model/obstacle.ts";
import type { Action } from "../../../src/warden/actions.ts";
import { peer, reading, type Story, type TestPeer } from "../story.ts";
import { established, passive, read, told } from "./bench.ts";

const caught: Obstacle = {
	...{ id: "bgp-caught", effect: "tproxy", certain: true, packet: "the peer's SYN to port 179" },
	...{
		place: "chain pre of table inet x (hook prerouting)",
		table: "inet x",
		hook: "prerouting",
		evidence: [],
	},
};
const walked = (...obstacles: Obstacle[]) =>
	({ type: "ruleset_walked", obstacles: new Map([["waukeen", obstacles]]) }) as const;
const changed = (table: string) =>
	({ type: "ruleset_changed", tables: [table], actor: { process: "nft", pid: 7 } }) as const;

/** BIRD is read each 2 s, and what is asked is answered. @returns the names of the peers of each listing */
function walks(story: Story, seconds: number, peers: readonly TestPeer[], ...found: Obstacle[]): string[][] {
	const asked: string[][] = [];
	const answer = (actions: readonly Action[]) => {
		for (const action of actions) {
			if (action.type !== "walk_ruleset") continue;
			asked.push(action.peers.map(({ name }) => name));
			const each = action.peers.map(({ name }): [string, Obstacle[]] => [name, found]);
			story.happens({ type: "ruleset_walked", obstacles: new Map(each) });
		}
	};
	for (let second = 0; second < seconds; second += 2)
		answer([...story.passes(2000), ...story.happens(reading(...peers))]);
	return asked;
}

describe("a peer that is waited for", () => {
	const waits = (unreviewed: readonly string[], ...obstacles: Obstacle[]) => {
		const story = read(established);
		story.passes(60_000);
		story.happens(reading(established), reading(passive));
		story.passes(16_000);
		story.happens(reading(passive), { ...walked(...obstacles), unreviewed });
		return told(story)?.evidence ?? [];
	};

	test("has the ruleset among what is fine where all of it was looked at and nothing was found", () => {
		expect(waits([]).join()).toContain("looked at and fine: ruleset");
	});

	test.each<[string, readonly string[], Obstacle[], string]>([
		["what was not looked at", ["table bridge br"], [], "not looked at: table bridge br"],
		[
			"a rule that may matter",
			[],
			[{ ...caught, certain: false, evidence: ["perhaps: inet x pre: meta skuid 7 drop"] }],
			"may be in the way: inet x pre: meta skuid 7 drop",
		],
	])("has %s instead", (_, unreviewed, obstacles, line) => {
		const evidence = waits(unreviewed, ...obstacles);
		expect(evidence).toContain(line);
		expect(evidence.join()).not.toContain("ruleset");
	});
});

describe("the ruleset", () => {
	test("is listed once in an outage, after 3 s, and again after each change of rules", () => {
		const story = read(established);
		story.passes(60_000);
		story.happens(reading(established), reading(passive));
		expect(walks(story, 2, [passive])).toEqual([]);
		expect(walks(story, 120, [passive])).toEqual([["waukeen"]]);
		story.happens(changed("inet other"));
		expect(walks(story, 120, [passive])).toEqual([["waukeen"]]);
		for (let change = 0; change < 60; change++) {
			story.happens(changed("inet other"));
			expect(walks(story, 2, [passive]).length).toBeLessThanOrEqual(1);
		}
	});

	test("is not listed again and again where BIRD goes from one state to another", () => {
		const story = read(established);
		story.passes(60_000);
		story.happens(reading(established));
		let asked = 0;
		for (let round = 0; round < 60; round++)
			asked += walks(story, 4, [{ ...passive, state: round % 2 === 0 ? "Active" : "Connect" }]).length;
		expect(asked).toBe(1);
	});

	test("is listed at most each 20 s while rules change all the time, or while it cannot be listed", () => {
		const story = read(passive);
		let asked = 0;
		for (let second = 0; second < 200; second += 2) {
			story.happens(changed("inet other"));
			asked += walks(story, 2, [passive]).length;
		}
		expect(asked).toBeGreaterThan(2);
		expect(asked).toBeLessThanOrEqual(11);
	});

	test("is never listed for peers that are up or that BIRD does not run, and for 64 peers at once at the most", () => {
		const up = [...Array(100)].map((_, number) =>
			peer({ name: `up${number}`, neighborAddress: `10.0.0.${number}` }),
		);
		const off = peer({ name: "off", neighborAddress: "10.1.0.1", state: "Down", protocolState: "down" });
		const healthy = read(...up, off);
		expect(walks(healthy, 120, [...up, off])).toEqual([]);
		const down = up.map((each) => ({ ...each, state: "Passive", protocolState: "start" }));
		const story = read(...down, off);
		const asked = walks(story, 120, [...down, off]);
		expect(asked.map((names) => names.length)).toEqual([64, 36]);
		expect(new Set(asked.flat()).size).toBe(100);
	});
});

describe("what it has in the way", () => {
	function found(...obstacles: Obstacle[]): Story {
		const story = read(passive);
		walks(story, 20, [passive], ...obstacles);
		return story;
	}

	test.each<[string, Obstacle, string | undefined]>([
		["caught", caught, "hijacked"],
		[
			"dropped by fw4",
			{ ...caught, id: "bgp-blocked", effect: "drop", table: "inet fw4", zone: "lan" },
			"blocked",
		],
		["dropped by another", { ...caught, id: "bgp-blocked", effect: "drop" }, "hijacked"],
		["an answer dropped", { ...caught, id: "answer-dropped", effect: "drop" }, "reply-dropped"],
		["perhaps", { ...caught, certain: false }, undefined],
		["a mark only", { ...caught, id: "connect-caught", effect: "mark" }, undefined],
		["BFD only", { ...caught, id: "bfd-blocked", effect: "drop" }, undefined],
	])("%s", (_, obstacle, diagnosis) => {
		const story = found(obstacle);
		if (diagnosis === undefined) expect(told(story)?.diagnosis).toBe("waiting");
		else expect(told(story)).toMatchObject({ diagnosis, level: "red" });
	});

	test("has the peer restarted once its table is changed, and is forgotten", () => {
		const story = found(caught);
		const asked = [...story.happens(changed("inet x")), ...story.happens(reading({ ...passive, bfd: "up" }))];
		expect(asked).toContainEqual({ type: "restart_peer", peer: "waukeen", verb: "restart" });
		walks(story, 30, [passive]);
		expect(told(story)?.diagnosis).toBe("waiting");
	});

	test("is not believed of a table that was changed while the ruleset was listed", () => {
		const story = read(established);
		story.happens(reading(passive));
		story.passes(4000);
		const asked = story.happens(reading(passive));
		expect(asked).toContainEqual(expect.objectContaining({ type: "walk_ruleset" }));
		story.passes(50);
		story.happens(changed("inet x"));
		story.passes(50);
		story.happens(
			walked(caught, { ...caught, id: "bgp-blocked", effect: "drop", place: "the other", table: "inet y" }),
		);
		expect(told(story)?.explanation).toContain("the other");
		expect(told(story)?.explanation ?? "").not.toContain("table inet x");
		// It is asked again, for the new rules.
		expect(walks(story, 40, [passive])).toEqual([["waukeen"]]);
		expect(told(story)?.diagnosis).toBe("waiting");
	});

	test("says nothing about a session that has come up since", () => {
		const story = found(caught);
		story.happens(reading(established));
		expect(told(story)?.diagnosis).toBe("healthy");
		story.happens(reading(passive));
		expect(told(story)?.diagnosis).not.toBe("hijacked");
	});
});
