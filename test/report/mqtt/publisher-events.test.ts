import { beforeEach, describe, expect, test } from "vitest";
import { Bench, EVERYTHING, R, settled, status } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
	bench = new Bench();
});

describe("events", () => {
	const event = (number: number) => ({
		event_type: "bird_lost" as const,
		at: "2025-11-24T03:00:00Z",
		number,
	});
	const numbers = () =>
		bench
			.messages()
			.flatMap(([topic, payload]) => (topic === `${R}/event` ? JSON.parse(payload).number : []));

	test("are not retained", () => {
		bench = settled();
		bench.publisher.event({ event_type: "bird_back", at: "2025-11-24T03:00:01Z", version: undefined });
		expect(bench.published).toEqual([
			{
				topic: `${R}/event`,
				payload: '{"event_type":"bird_back","at":"2025-11-24T03:00:01Z"}',
				retain: false,
			},
		]);
	});

	test("wait for a connection, and come after the states", () => {
		bench.publisher.update(status());
		bench.publisher.event(event(1));
		bench.connect();
		expect(bench.topics()).toEqual([...EVERYTHING, `${R}/event`]);
	});

	test("beyond 200 of them the oldest are dropped, and the next one says how many", () => {
		for (let number = 1; number <= 250; number++) bench.publisher.event(event(number));
		bench.publisher.update(status());
		bench.connect();
		bench.advance(300_000);
		const events = bench.messages().flatMap(([topic, payload]) => (topic === `${R}/event` ? [payload] : []));
		expect(events).toHaveLength(200);
		expect(JSON.parse(events[0] ?? "")).toMatchObject({ number: 51, dropped: 50 });
		expect(JSON.parse(events[1] ?? "")).not.toHaveProperty("dropped");
		expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ number: 250 });
	});

	test("a storm of them goes out ten at once, then one a second", () => {
		bench = settled();
		for (let number = 1; number <= 20; number++) bench.publisher.event(event(number));
		expect(numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
		bench.advance(1000);
		expect(numbers()).toEqual([11]);
		bench.advance(9000);
		expect(numbers()).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20]);
	});

	test("what was not acknowledged comes again on the next connection", () => {
		bench = settled();
		bench.acknowledges = false;
		bench.publisher.event(event(1));
		bench.publisher.event(event(2));
		expect(numbers()).toEqual([1, 2]);
		bench.disconnect("gone");
		bench.acknowledges = true;
		bench.publisher.event(event(3));
		bench.connect();
		expect(numbers()).toEqual([1, 2, 3]);
	});
});

describe("Home Assistant's birth", () => {
	beforeEach(() => {
		bench = settled();
	});

	test("is answered with everything, at a random moment, once", () => {
		bench.receive("homeassistant/status", "online");
		bench.receive("homeassistant/status", "online");
		expect(bench.topics()).toEqual([]);
		bench.advance(1250);
		expect(bench.topics()).toEqual(EVERYTHING);
		bench.advance(10_000);
		expect(bench.topics()).toEqual([]);
	});

	test("neither its death nor an old birth is", () => {
		bench.receive("homeassistant/status", "offline");
		bench.receive("homeassistant/status", "online", true);
		bench.advance(10_000);
		expect(bench.topics()).toEqual([]);
	});
});
