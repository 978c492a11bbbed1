import { describe, expect, test } from "vitest";
import type { Action } from "../../../src/warden/actions.ts";
import { peer, reading, type Story, type TestPeer, types } from "../story.ts";
import { at, established, known, PEER, packet, passive, read, seen, told, trace } from "./bench.ts";

const input = at("custom_bgp", "filter_input", "tcp dport 179 accept", "accept");

/** A dial that BIRD answers, and that comes to nothing. */
function dials(story: Story, port: number): void {
	seen(
		story,
		trace(story, packet(["syn"], true, port), input),
		trace(story, packet(["syn", "ack"], false, port)),
		trace(story, packet(["fin", "ack"], true, port)),
	);
}

/** BIRD is read each 5 s. @returns the actions */
function stays(story: Story, seconds: number, which: TestPeer = passive): Action[] {
	return [...Array(seconds / 5)].flatMap(() => [...story.passes(5000), ...story.happens(reading(which))]);
}
/** The moment in a text, in seconds after the story's zero. */
function moment(story: Story, text = ""): number {
	const [found = ""] = /\d{4}-\d\d-\d\dT[\d:]+Z/.exec(text) ?? [];
	return (Date.parse(found) - story.wall) / 1000;
}

describe("a peer of which nothing is known", () => {
	test("is told within 30 s what was looked at and when it is expected, in a text that stays the same", () => {
		const story = read(established);
		story.passes(600_000);
		story.happens(reading(established), reading(passive));
		const began = story.time / 1000;
		story.happens({
			type: "peer_inspected",
			address: PEER,
			inspection: { route: { interface: "br-lan" }, flows: [], neighbor: "none" },
		});
		stays(story, 30);
		const first = told(story);
		expect(first).toMatchObject({ diagnosis: "waiting", level: "red" });
		expect(first?.explanation).toContain("speakers wait for up to 4 min");
		expect(moment(story, first?.explanation)).toBeCloseTo(began + 240, -1);
		expect(first?.evidence?.join("; ")).toContain("looked at and fine: route, conntrack");
		const told_ = types(stays(story, 150)).filter((type) => type === "diagnosis_changed");
		expect(told_).toEqual([]);
		const { tried: _, ...now } = told(story) ?? {};
		const { tried: __, ...before } = first ?? {};
		expect(now).toEqual(before);
	});

	test.each([["Active"], ["Connect"], ["Idle"], ["OpenSent"]])(
		"is told as soon where BIRD goes from Passive to %s and back all the time",
		(state) => {
			const story = read(established);
			story.passes(60_000);
			story.happens(reading(established));
			for (let second = 0; second < 30; second += 2) {
				story.happens(reading(second % 4 === 0 ? { ...passive, state } : passive));
				story.passes(2000);
			}
			expect(told(story)?.diagnosis).toBeDefined();
			expect(told(story)?.level).toBe("red");
		},
	);

	test("is expected by the interval of its own dials in this outage", () => {
		const story = read(passive);
		stays(story, 30);
		dials(story, 1);
		stays(story, 60);
		dials(story, 2);
		const last = story.time / 1000;
		stays(story, 5);
		expect(told(story)?.explanation).toContain("it has dialed every 60 s");
		expect(moment(story, told(story)?.explanation)).toBeCloseTo(last + 75, -1);
		stays(story, 100);
		expect(told(story)?.explanation).toContain("it should have dialed by");
	});

	test("has no interval of the hours that its session lasted, nor of two tries of one dial", () => {
		const story = read(passive);
		dials(story, 1);
		story.passes(100);
		story.happens(reading(established));
		for (let minute = 0; minute < 60; minute++) {
			story.passes(60_000);
			story.happens(reading(established));
		}
		story.happens(reading(passive));
		dials(story, 2);
		story.passes(1000);
		dials(story, 3);
		stays(story, 30);
		expect(told(story)?.explanation).toContain("speakers wait for up to 4 min");
	});

	test("has no interval of a session that lasted two minutes", () => {
		const story = read(passive);
		dials(story, 1);
		story.passes(100);
		story.happens(reading(established));
		for (let minute = 0; minute < 2; minute++) {
			story.passes(60_000);
			story.happens(reading(established));
		}
		story.happens(reading(passive));
		dials(story, 2);
		stays(story, 30);
		expect(told(story)?.explanation).toContain("speakers wait for up to 4 min");
	});

	test("of which no SYN can be seen says so, and is never called silent", () => {
		const story = read(passive);
		story.happens({ type: "watch_ended", reason: "killed" });
		for (let round = 0; round < 10; round++) {
			story.happens({
				type: "peer_inspected",
				address: PEER,
				inspection: { route: { interface: "br-lan" }, neighbor: { interface: "br-lan", state: "REACHABLE" } },
			});
			stays(story, 60);
		}
		expect(told(story)?.diagnosis).toBe("waiting");
		expect(told(story)?.evidence?.join()).toContain("the ruleset cannot be watched");
	});

	test("that BIRD keeps waiting after an error is told that", () => {
		const story = read(established);
		const idle = { ...passive, state: "Idle", lastError: "Received: Administrative reset" } as const;
		story.happens(reading(idle));
		stays(story, 20, idle);
		expect(told(story)).toMatchObject({
			diagnosis: "waiting",
			explanation: expect.stringContaining('BIRD waits after "Received: Administrative reset"'),
			remedy: expect.stringContaining("birdc restart waukeen"),
		});
	});
});

test("a router that cannot see SYNs claims no silence", () => {
	const story = read(passive);
	story.happens({ type: "install_failed", reason: "held by another program" });
	for (let round = 0; round < 60; round++) {
		story.passes(5000);
		story.happens(reading(passive));
	}
	expect(told(story)?.diagnosis).toBe("waiting");
	expect(told(story)?.evidence?.[0]).toMatch(/^SYNs are not seen: the table is not in place/);
});

describe("a handshake", () => {
	const opening = peer({ ...known, state: "OpenSent", protocolState: "start", bfd: "down" });

	test("that takes longer than 10 s is stuck, also where it begins again and again", () => {
		const story = read(passive);
		story.happens(reading(opening));
		stays(story, 5, opening);
		expect(told(story)?.diagnosis).toBeUndefined();
		story.happens(reading(passive), reading(opening));
		stays(story, 10, opening);
		expect(told(story)).toMatchObject({ diagnosis: "handshake-stuck" });
		expect(told(story)?.explanation).toContain("BIRD has waited for its OPEN");
	});

	test("that was stuck is one fault until another has succeeded, or none follows for a minute", () => {
		const story = read(passive);
		story.happens(reading(opening));
		stays(story, 15, opening);
		// FRR gives up after 15 s, and dials again.
		for (let round = 0; round < 4; round++) {
			story.happens(reading(passive));
			stays(story, 5);
			expect(told(story)?.diagnosis).toBe("handshake-stuck");
			story.happens(reading(opening));
			stays(story, 5, opening);
			expect(told(story)?.diagnosis).toBe("handshake-stuck");
		}
		story.happens(reading(established));
		expect(told(story)?.diagnosis).not.toBe("handshake-stuck");
	});

	test("that ended is not, nor is one long after another", () => {
		const story = read(passive);
		story.happens(reading(opening), reading(established));
		story.passes(20_000);
		story.happens(reading(opening));
		stays(story, 5, opening);
		expect(told(story)?.diagnosis).toBeUndefined();
		const later = read(established);
		later.happens(reading(passive), reading(opening));
		stays(later, 10);
		expect(told(later)?.diagnosis).toBeUndefined();
		later.happens(reading(opening));
		stays(later, 5, opening);
		expect(told(later)?.diagnosis).not.toBe("handshake-stuck");
	});

	test("is stuck for what bird.conf says, where it says something", () => {
		const story = read(passive);
		const bgp = { name: "waukeen", disabled: false, password: true, channels: [], ttlSecurity: true };
		story.happens({
			type: "bird_configured",
			configuration: { bgp: [bgp], bfd: [], direct: [], kernel: [], device: true },
		});
		const confirm = { ...opening, state: "OpenConfirm" };
		story.happens(reading(confirm));
		stays(story, 15, confirm);
		expect(told(story)).toMatchObject({
			diagnosis: "handshake-stuck",
			explanation: expect.stringContaining("its KEEPALIVE"),
			remedy: expect.stringContaining("ttl-security hops 1"),
		});
		expect(told(story)?.evidence).toContain("bird.conf: a password is set");
	});
});
