import { beforeEach, describe, expect, test, vi } from "vitest";
import { type LastMessage, RefusedMessages } from "../../../src/report/mqtt/refused-messages.ts";
import { Bench, DISCOVERY, EVERYTHING, PEER_DISCOVERY, R, settled, status } from "./bench.ts";

/** A broker that hangs up at the same message each time. */

const CLOSED = "the broker closed the connection";
let bench: Bench;
beforeEach(() => {
	bench = new Bench();
	bench.publisher.update(status());
});

/** Connects, and has the broker hang up at a message. @returns the topics that it got before */
function hangUpAt(topic: string, more: Partial<LastMessage> = {}, reason = CLOSED): string[] {
	bench.meet();
	for (let milliseconds = 0; milliseconds < 8000; milliseconds += 10) {
		bench.advance(10);
		const at = bench.published.findIndex((message) => message.topic === topic);
		const sent = bench.published[at];
		if (!sent) continue;
		const topics = bench.topics();
		const before = topics.slice(0, at);
		const alone = bench.alone;
		const others = before.length > 0;
		const inFlight = alone ? [topic] : topics.slice(at);
		bench.disconnect(reason, { ...sent, alone, acknowledged: false, others, inFlight, ...more });
		return before;
	}
	return bench.topics();
}

const connectAndGo = () => {
	bench.meet();
	bench.advance(10_000);
	return bench.topics();
};

describe("a message at which the broker hangs up", () => {
	test("is left out after the second time on its own, and all others arrive, the smallest first", () => {
		expect(hangUpAt(DISCOVERY)).toEqual([]);
		expect(bench.log.at(-1)).toMatch(/closed the connection$/);
		for (let times = 0; times < 2; times++) {
			const before = hangUpAt(DISCOVERY);
			// What has passed on its own is not suspected again.
			const smaller = times === 0 ? [`${R}/availability`, `${R}/state`] : [];
			expect(before).toEqual(expect.arrayContaining(smaller));
			expect(bench.log.at(-1)).toMatch(
				/: the broker closes the connection at a message of \d,\d{3} bytes \(topic homeassistant\/device\/bgpwarden_r1\/config\)$/,
			);
			expect(bench.refusal === undefined).toBe(times === 0);
		}
		expect(bench.refusal).toMatch(
			/^MQTT: 127\.0\.0\.1:1883: .* at a message of \d,\d{3} bytes .*; it is left out/,
		);
		expect(bench.publisher.refusal).toBeDefined();
		const got = connectAndGo();
		expect(got).not.toContain(DISCOVERY);
		for (const topic of EVERYTHING.slice(2)) expect(got).toContain(topic);
		// What it got earlier is not removed either.
		bench.publisher.update(status([{ name: "waukeen", level: "red", state: "Active", flaps: 1 }]));
		bench.advance(5000);
		expect(bench.topics()).toEqual([`${R}/peer/waukeen/state`]);
	});

	test("takes the larger ones of its kind with it, and not the smaller ones", () => {
		for (let times = 0; times < 3; times++) hangUpAt(PEER_DISCOVERY);
		const got = connectAndGo();
		const size = (topic: string) => bench.sizes.get(topic) ?? 0;
		expect(size(DISCOVERY) > size(PEER_DISCOVERY)).toBe(!got.includes(DISCOVERY));
		expect(got).toContain(`${R}/state`);
	});

	test("is told once, with all that is left out for it", () => {
		connectAndGo();
		const size = (topic: string) => bench.sizes.get(topic) ?? 0;
		expect(size(DISCOVERY)).toBeLessThan(size(PEER_DISCOVERY));
		bench.disconnect("gone");
		for (let times = 0; times < 3; times++) hangUpAt(DISCOVERY);
		const told = bench.refusal;
		expect(told).toMatch(/; it is left out, and 1 other$/);
		connectAndGo();
		expect(bench.refusal).toBe(told);
	});

	test("is tried again later, each time after a longer while", () => {
		for (let times = 0; times < 3; times++) hangUpAt(DISCOVERY);
		connectAndGo();
		bench.advance(580_000);
		expect(bench.topics()).not.toContain(DISCOVERY);
		bench.advance(11_000);
		const [[topic, payload] = ["", ""]] = bench.messages();
		expect(topic).toBe(DISCOVERY);
		bench.disconnect(CLOSED, {
			topic,
			payload,
			alone: true,
			acknowledged: false,
			others: true,
			inFlight: [topic],
		});
		connectAndGo();
		bench.advance(1_150_000);
		expect(bench.topics()).not.toContain(DISCOVERY);
		bench.advance(41_000);
		expect(bench.topics()).toContain(DISCOVERY);
		expect(bench.refusal).toBeDefined();
		// The broker takes it now.
		bench.advance(10_000);
		expect(bench.refusal).toBeUndefined();
	});

	test("is tried again at once after a reload", () => {
		for (let times = 0; times < 3; times++) hangUpAt(DISCOVERY);
		connectAndGo();
		expect(bench.refusal).toBeDefined();
		bench.publisher.retry();
		bench.advance(100);
		expect(bench.topics()).toEqual([DISCOVERY]);
		expect(bench.refusal).toBeDefined();
		bench.advance(10_000);
		expect(bench.refusal).toBeUndefined();
	});

	test("is a state: a shorter one is sent at once, a longer one is not", () => {
		const long = (length: number, flaps: number) => {
			const evidence = Array.from({ length: length / 500 }, () => "x".repeat(500));
			return status([{ name: "waukeen", level: "red", state: "Active", flaps, evidence }]);
		};
		const topic = `${R}/peer/waukeen/state`;
		bench.publisher.update(long(9000, 0));
		for (let times = 0; times < 3; times++) hangUpAt(topic);
		const got = connectAndGo();
		expect(got).not.toContain(topic);
		expect(got).toContain(DISCOVERY);
		bench.publisher.update(long(9500, 1));
		bench.advance(2000);
		expect(bench.topics()).toEqual([]);
		bench.publisher.update(long(500, 2));
		bench.advance(2000);
		expect(bench.topics()).toEqual([topic]);
		bench.advance(10_000);
		expect(bench.refusal).toBeUndefined();
	});

	test("is an event: it is dropped, and counted by the next one", () => {
		connectAndGo();
		bench.publisher.event({ event_type: "bird_lost", at: "2025-11-24T03:00:00Z", reason: "x".repeat(5000) });
		for (let times = 0; times < 3; times++) hangUpAt(`${R}/event`);
		expect(bench.refusal).toMatch(/topic bgpwarden\/r1\/event/);
		connectAndGo();
		bench.publisher.event({ event_type: "bird_back", at: "2025-11-24T03:00:01Z", version: undefined });
		bench.advance(2000);
		const [[topic, payload] = ["", "{}"]] = bench.messages();
		expect(topic).toBe(`${R}/event`);
		expect(JSON.parse(payload)).toMatchObject({ event_type: "bird_back", dropped: 1 });
	});

	test("is an event: nothing is done about it until there is another", () => {
		connectAndGo();
		bench.publisher.event({ event_type: "bird_lost", at: "2025-11-24T03:00:00Z", reason: "x".repeat(5000) });
		for (let times = 0; times < 3; times++) hangUpAt(`${R}/event`);
		connectAndGo();
		const looks = vi.spyOn(RefusedMessages.prototype, "admit");
		bench.advance(3_600_000);
		bench.publisher.retry();
		bench.advance(60_000);
		expect(looks.mock.calls.length).toBeLessThan(5);
		looks.mockRestore();
	});

	test("is one of two that wait for each other's size: the time passes without a look each millisecond", () => {
		for (let times = 0; times < 3; times++) hangUpAt(DISCOVERY);
		connectAndGo();
		bench.advance(300_000);
		for (let times = 0; times < 3; times++) hangUpAt(PEER_DISCOVERY);
		connectAndGo();
		const looks = vi.spyOn(RefusedMessages.prototype, "admit");
		bench.advance(3_600_000);
		expect(looks.mock.calls.length).toBeLessThan(50);
		looks.mockRestore();
	});

	test("of a path that lets nothing large through is left out as well", () => {
		const stuck = "the broker has acknowledged nothing for 45 s";
		for (let times = 0; times < 3; times++) hangUpAt(DISCOVERY, {}, stuck);
		expect(bench.refusal).toMatch(/the connection stops at a message of \d,\d{3} bytes/);
		expect(connectAndGo()).not.toContain(DISCOVERY);
	});
});

describe("nothing is left out", () => {
	test("for connections that end at another message each time", () => {
		for (const topic of [DISCOVERY, PEER_DISCOVERY, `${R}/state`, DISCOVERY, `${R}/availability`, DISCOVERY])
			hangUpAt(topic);
		expect(bench.refusal).toBeUndefined();
		expect(connectAndGo()).toHaveLength(EVERYTHING.length);
	});

	test("for a broker that acknowledges nothing at all", () => {
		for (let times = 0; times < 6; times++) hangUpAt(`${R}/availability`, { others: false });
		expect(bench.refusal).toBeUndefined();
		expect(bench.log.at(-1)).toMatch(
			/closes the connection at a message of 6 bytes \(topic bgpwarden\/r1\/availability\)/,
		);
	});

	test("for connections that fail for a reason of their own", () => {
		for (let times = 0; times < 5; times++) hangUpAt(DISCOVERY, {}, "what answers there is no MQTT broker");
		expect(bench.refusal).toBeUndefined();
	});

	test("for an end after a connection that had held", () => {
		for (let times = 0; times < 4; times++) {
			hangUpAt(DISCOVERY);
			connectAndGo();
			bench.disconnect("gone");
		}
		expect(bench.refusal).toBeUndefined();
	});
});

test("what was not on its way when a connection ended is sent as always", () => {
	const names = Array.from({ length: 300 }, (_, index) => `peer_${index}`);
	bench.publisher.update(status(names));
	bench.connect();
	const topics = bench.topics();
	const inFlight = topics.slice(100, 104);
	bench.disconnect(CLOSED, {
		topic: inFlight[0] ?? "",
		payload: "x",
		alone: false,
		acknowledged: false,
		others: true,
		inFlight,
	});
	bench.connect();
	bench.advance(inFlight.length * 250);
	const again = bench.topics();
	expect(new Set(again.slice(0, inFlight.length))).toEqual(new Set(inFlight));
	expect(new Set(again)).toEqual(new Set(topics));
});

test("a broker that hangs up each time without a word: that is said, and nothing more", () => {
	bench = settled();
	bench.disconnect(CLOSED);
	for (let times = 0; times < 4; times++) {
		bench.meet();
		bench.advance(1000);
		bench.disconnect(CLOSED);
	}
	expect(bench.log.at(-1)).toMatch(
		/closed the connection, as each time within 30 s; the broker's log may tell why$/,
	);
	expect(bench.refusal).toBeUndefined();
});
