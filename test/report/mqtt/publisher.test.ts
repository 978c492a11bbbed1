import { beforeEach, describe, expect, test } from "vitest";
import { Bench, EVERYTHING, R, settled, status } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
	bench = new Bench();
});

describe("publishing", () => {
	test("everything, at a random moment after a connection: discovery, availability, states, all retained", () => {
		bench.publisher.update(status());
		expect(bench.published).toEqual([]);
		bench.meet();
		bench.advance(1249);
		expect(bench.published).toEqual([]);
		bench.advance(1);
		expect(bench.published.every(({ retain }) => retain)).toBe(true);
		expect(bench.topics()).toEqual(EVERYTHING);
	});

	test("the payloads of the design, without what is unknown", () => {
		bench.publisher.update(status());
		bench.connect();
		const messages = new Map(bench.messages());
		expect(JSON.parse(messages.get(`${R}/state`) ?? "")).toEqual({
			version: "1.0.0",
			started: "2025-11-24T03:00:00Z",
			instance: "80000000",
			protection: "owned",
			repairs: 0,
			flushed: 0,
			bird: { reachable: true },
			level: "green",
		});
		expect(JSON.parse(messages.get(`${R}/peer/waukeen/state`) ?? "")).toEqual({
			name: "waukeen",
			level: "green",
			state: "Established",
			flaps: 0,
		});
		expect(messages.get(`${R}/availability`)).toBe("online");
	});

	test("no message grows with what a program or a peer says", () => {
		const long = "x".repeat(100_000);
		const told = { explanation: long, evidence: Array.from({ length: 500 }, () => long), last_error: long };
		bench.publisher.update(status([{ name: "waukeen", level: "red", state: "Active", flaps: 0, ...told }]));
		bench.publisher.event({ event_type: "table_lost", at: "2025-11-24T03:00:00Z", by: "nft", command: long });
		bench.connect();
		const sizes = bench.messages().map(([, payload]) => payload.length);
		expect(sizes).toHaveLength(EVERYTHING.length + 1);
		expect(Math.max(...sizes)).toBeLessThan(32_000);
	});

	test("only what changed, afterwards", () => {
		bench = settled();
		bench.publisher.update(status());
		expect(bench.topics()).toEqual([]);
		bench.publisher.update(status([{ name: "waukeen", level: "red", state: "Active", flaps: 1 }]));
		expect(bench.topics()).toEqual([`${R}/peer/waukeen/state`]);
	});

	test("at most one message on a topic in a second, and the latest wins", () => {
		bench = settled();
		for (let flaps = 1; flaps <= 100; flaps++) {
			bench.publisher.update(status([{ name: "waukeen", level: "red", state: "Active", flaps }]));
			bench.advance(100);
		}
		bench.advance(1000);
		const flaps = bench.messages().map(([, payload]) => JSON.parse(payload).flaps);
		expect(flaps).toEqual([1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
	});

	test("everything again after each connection", () => {
		bench = settled();
		bench.disconnect("gone");
		bench.publisher.update(status([{ name: "waukeen", level: "red", state: "Active", flaps: 1 }]));
		bench.advance(60_000);
		expect(bench.topics()).toEqual([]);
		bench.connect();
		expect(bench.topics()).toEqual(EVERYTHING);
		expect(bench.log).toEqual([
			"info: MQTT: 127.0.0.1:1883: connected",
			"warn: MQTT: 127.0.0.1:1883: gone",
			"info: MQTT: 127.0.0.1:1883: connected",
		]);
	});

	test("goes on where it was refused for lack of room", () => {
		bench.room = 3;
		bench.publisher.update(status());
		bench.connect();
		expect(bench.topics()).toEqual(EVERYTHING.slice(0, 3));
		bench.roomAgain();
		expect(bench.topics()).toEqual(EVERYTHING.slice(3));
	});

	test("no discovery and no birth with discovery off", () => {
		bench = new Bench({ discovery: false });
		bench.publisher.update(status());
		bench.connect();
		expect(bench.topics()).toEqual(EVERYTHING.slice(2));
		expect(bench.subscribed).not.toContain("homeassistant/status");
	});

	test("online again, when the broker publishes the last will of an older connection late", () => {
		bench = settled();
		for (let count = 0; count < 1000; count++) bench.receive(`${R}/availability`, "offline");
		expect(bench.messages()).toEqual([]);
		bench.advance(100);
		expect(bench.messages()).toEqual([[`${R}/availability`, "online"]]);
	});

	test("a warning at each connection that is not verified", () => {
		bench = new Bench({ tls: true, tlsInsecure: true });
		bench.connect();
		bench.disconnect("gone");
		bench.connect();
		expect(bench.log.filter((line) => /^warn: .*not verified \(tls_insecure\)/.test(line))).toHaveLength(2);
	});
});

describe("the end", () => {
	test("says offline for the router and its peers, after that what is waiting", async () => {
		bench = settled();
		for (let number = 0; number < 11; number++)
			bench.publisher.event({ event_type: "bird_lost", at: "2025-11-24T03:00:00Z", number });
		bench.topics();
		await bench.publisher.stop();
		expect(bench.published).toEqual([
			{ topic: `${R}/availability`, payload: "offline", retain: true },
			{ topic: `${R}/peer/waukeen/availability`, payload: "offline", retain: true },
			expect.objectContaining({ topic: `${R}/event`, retain: false }),
		]);
	});

	test("as a router that is called otherwise from now on takes back all that it has published", async () => {
		bench = settled();
		await bench.publisher.retire();
		expect(bench.published).toEqual(EVERYTHING.map((topic) => ({ topic, payload: "", retain: true })));
	});

	test("without a connection leaves that to the next publisher", async () => {
		bench = settled();
		bench.disconnect("gone");
		const left = await bench.publisher.retire();
		expect(left).toEqual(EVERYTHING);
		const next = new Bench({}, "r2");
		next.publisher.remove(left);
		next.publisher.update(status());
		next.connect();
		const published = next.messages();
		expect(published.filter(([, payload]) => payload === "").map(([topic]) => topic)).toEqual(EVERYTHING);
		expect(published.map(([topic]) => topic)).toContain("bgpwarden/r2/state");
	});
});
