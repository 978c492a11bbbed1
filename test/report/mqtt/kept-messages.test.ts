import { beforeEach, expect, test } from "vitest";
import { Bench, DISCOVERY, PEER_DISCOVERY, R, status } from "./bench.ts";

/** A broker that acknowledges everything and drops some of it. */

let bench: Bench;
beforeEach(() => {
	bench = new Bench();
	bench.publisher.update(status());
});

const isLarge = (payload: string, limit: number) => payload.length > limit;
/** Time enough for two looks. */
const look = (keeps: Bench["keeps"]) => {
	bench.keeps = keeps;
	bench.connect();
	bench.advance(40_000);
};

test("that keeps everything is asked once on each connection, and nothing is said", () => {
	look(() => true);
	expect(bench.refusal).toBeUndefined();
	const asked = () => bench.subscribed.filter((topic) => topic === DISCOVERY).length;
	expect(asked()).toBe(1);
	expect(bench.unsubscribed).toContain(DISCOVERY);
	// It is listened to for as long as the connection lasts.
	expect(bench.unsubscribed).not.toContain(`${R}/availability`);
	bench.publisher.update(status([{ name: "waukeen", level: "red", state: "Active", flaps: 1 }]));
	bench.advance(100_000);
	expect(asked()).toBe(1);
	bench.disconnect("gone");
	bench.connect();
	bench.advance(20_000);
	expect(asked()).toBe(2);
});

test("that drops what is large: the message is named, until it is kept or asked for again after a reload", () => {
	look((_topic, payload) => !isLarge(payload, 1000));
	expect(bench.refusal).toMatch(
		/: the broker acknowledges a message of \d,\d{3} bytes \(topic homeassistant\/.*\/config\) and 1 more and drops it/,
	);
	bench.publisher.retry();
	bench.advance(20_000);
	expect(bench.refusal).toMatch(/drops it/);
	bench.keeps = () => true;
	for (const { topic, payload } of bench.published) bench.held.set(topic, payload);
	bench.advance(600_000);
	expect(bench.refusal).toBeUndefined();
});

test("that keeps since a reload what it dropped before gets it once more", () => {
	look((_topic, payload) => !isLarge(payload, 1000));
	expect(bench.refusal).toMatch(/drops it/);
	bench.keeps = () => true;
	bench.publisher.retry();
	bench.advance(20_000);
	expect(bench.held.get(DISCOVERY)).toBeDefined();
	expect(bench.refusal).toBeUndefined();
});

test("that drops one of two of a kind, though an older version of it is there", () => {
	bench.held.set(PEER_DISCOVERY, "{}");
	look((topic) => topic !== PEER_DISCOVERY);
	expect(bench.refusal).toMatch(/topic homeassistant\/device\/bgpwarden_r1_waukeen\/config\) and drops it/);
	// It stays said while there is no connection.
	bench.disconnect("gone");
	bench.connect();
	expect(bench.refusal).toMatch(/drops it/);
	bench.publisher.update(status([]));
	bench.advance(30_000);
	expect(bench.refusal).toBeUndefined();
});

test.each<[string, Bench["keeps"]]>([
	["nothing", () => false],
	["its discovery", (topic) => topic.startsWith(R)],
	["its states", (topic) => !topic.startsWith(R)],
])("where the router may not read %s, nothing is said", (_, keeps) => {
	look(keeps);
	bench.advance(2_000_000);
	expect(bench.refusal).toBeUndefined();
});

test("a state that grows over the limit later is noticed", () => {
	look((_topic, payload) => !isLarge(payload, 6000));
	expect(bench.refusal).toBeUndefined();
	bench.publisher.update(
		status([
			{
				name: "waukeen",
				level: "red",
				state: "Active",
				flaps: 1,
				evidence: Array.from({ length: 10 }, () => "x".repeat(700)),
			},
		]),
	);
	bench.advance(40_000);
	expect(bench.refusal).toMatch(/topic bgpwarden\/r1\/peer\/waukeen\/state/);
});
