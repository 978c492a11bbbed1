import { beforeEach, describe, expect, test } from "vitest";
import { Bench, R, settled, status } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
	bench = new Bench();
});

describe("peers", () => {
	const cleared = (name: string) => [
		[`homeassistant/device/bgpwarden_r1_${name}/config`, ""],
		[`${R}/peer/${name}/availability`, ""],
		[`${R}/peer/${name}/state`, ""],
	];

	test("one that BIRD no longer has is taken back, and is itself when it is back", () => {
		bench = settled({}, ["tymora", "waukeen"]);
		bench.publisher.update(status(["waukeen"]));
		expect(bench.messages()).toEqual(cleared("tymora"));
		bench.publisher.update(status(["waukeen"]));
		bench.advance(5000);
		expect(bench.messages()).toEqual([]);
		bench.publisher.update(status(["tymora", "waukeen"]));
		expect(bench.topics()).toEqual(cleared("tymora").map(([topic]) => topic));
	});

	test("one that goes while there is no connection is taken back on the next", () => {
		bench = settled({}, ["tymora", "waukeen"]);
		bench.disconnect("gone");
		bench.publisher.update(status(["waukeen"]));
		bench.connect();
		expect(bench.messages()).toEqual(expect.arrayContaining(cleared("tymora")));
	});

	test("one whose removal was on its way when the connection died is taken back on the next", () => {
		bench = settled({}, ["tymora", "waukeen"]);
		bench.acknowledges = false;
		bench.publisher.update(status(["waukeen"]));
		expect(bench.messages()).toEqual(cleared("tymora"));
		// Long after the second in which no other message goes on that topic.
		bench.advance(30_000);
		bench.publisher.update(status(["waukeen", "xoanon"]));
		bench.disconnect("gone");
		bench.acknowledges = true;
		bench.topics();
		bench.connect();
		expect(bench.messages()).toEqual(expect.arrayContaining(cleared("tymora")));
		bench.disconnect("gone");
		bench.connect();
		expect(bench.messages()).not.toEqual(expect.arrayContaining(cleared("tymora")));
	});

	test("an unreachable BIRD makes them unavailable, not disappear", () => {
		bench = settled();
		bench.publisher.update(status([], false));
		expect(bench.messages()).toContainEqual([`${R}/peer/waukeen/availability`, "offline"]);
		bench.advance(1000);
		bench.publisher.update(status());
		expect(bench.messages()).toContainEqual([`${R}/peer/waukeen/availability`, "online"]);
	});
});

describe("what the broker holds from an earlier run", () => {
	const cleared = (name: string) =>
		[
			[`${R}/peer/${name}/availability`, ""],
			[`${R}/peer/${name}/state`, ""],
			[`homeassistant/device/bgpwarden_r1_${name}/config`, ""],
		].sort();
	const discovery = (router: string, peer: string) =>
		JSON.stringify({
			device: { identifiers: [`bgpwarden_${router}_${peer}`], via_device: `bgpwarden_${router}` },
			availability: [{ topic: `bgpwarden/${router}/availability` }],
		});
	beforeEach(() => {
		bench.publisher.update(status());
		bench.meet();
	});

	test("of peers that BIRD does not have is taken back", () => {
		bench.receive(`${R}/peer/waukeen/state`, '{"name":"waukeen"}', true);
		bench.receive(`${R}/peer/ghost/availability`, "offline", true);
		bench.receive(`${R}/peer/ghost/state`, '{"name":"ghost"}', true);
		bench.receive("homeassistant/device/bgpwarden_r1_ghost/config", discovery("r1", "ghost"), true);
		bench.advance(2500);
		const messages = bench.messages();
		expect(messages.filter(([, payload]) => payload === "").sort()).toEqual(cleared("ghost"));
	});

	test("is left alone where it was not shown to be this router's", () => {
		bench.receive(`${R}/peer/lab/state`, "{}", true);
		bench.receive(`${R}/peer/lab/state`, '{"name":"other"}', true);
		bench.receive(`${R}/peer/lab/availability`, "maybe", true);
		bench.receive(`${R}/peer/lab/command`, "restart", true);
		bench.receive("homeassistant/device/bgpwarden_r1_lab/config", discovery("r1_lab", "x"), true);
		bench.receive("homeassistant/device/bgpwarden_r1_lab/config", discovery("r1", "other"), true);
		bench.receive("homeassistant/device/xbgpwarden_r1_lab/config", discovery("r1", "lab"), true);
		bench.advance(2500);
		expect(bench.messages().filter(([, payload]) => payload === "")).toEqual([]);
	});

	test("discovery alone is enough, if it is this router's", () => {
		bench.receive("homeassistant/device/bgpwarden_r1_ghost/config", discovery("r1", "ghost"), true);
		bench.receive("homeassistant/device/bgpwarden_r1_b_peer/config", discovery("r1_b", "peer"), true);
		bench.receive("homeassistant/device/bgpwarden_r1_c/config", "no JSON", true);
		bench.receive("homeassistant/device/other/config", discovery("r2", "ghost"), true);
		bench.advance(2500);
		expect(bench.messages().filter(([, payload]) => payload === "")).toEqual([
			["homeassistant/device/bgpwarden_r1_ghost/config", ""],
		]);
	});

	test("is not listened to for longer than it takes, and the discovery of all others only once", () => {
		const all = "homeassistant/device/+/config";
		expect(bench.subscribed).toContain(all);
		bench.advance(900);
		bench.receive("homeassistant/device/other/config", "{}", true);
		bench.advance(900);
		expect(bench.unsubscribed).toEqual([]);
		bench.advance(100);
		expect(bench.unsubscribed).toContain(all);
		bench.disconnect("gone");
		bench.subscribed.length = 0;
		bench.meet();
		expect(bench.subscribed).toContain(`${R}/peer/+/state`);
		expect(bench.subscribed).not.toContain(all);
	});

	test("is not touched before BIRD has been read", () => {
		bench = new Bench();
		bench.publisher.update(status([], false));
		bench.meet();
		bench.receive(`${R}/peer/waukeen/availability`, "online", true);
		bench.receive(`${R}/peer/ghost/availability`, "online", true);
		bench.advance(10_000);
		expect(bench.messages().filter(([, payload]) => payload === "")).toEqual([]);
		bench.publisher.update(status(["waukeen"]));
		expect(
			bench
				.messages()
				.filter(([, payload]) => payload === "")
				.sort(),
		).toEqual([[`${R}/peer/ghost/availability`, ""]]);
	});

	test("our own messages coming back are not ghosts", () => {
		bench.receive(`${R}/peer/ghost/state`, "{}", false);
		bench.receive(`${R}/peer/ghost/state`, "", true);
		bench.advance(2500);
		expect(bench.messages().filter(([, payload]) => payload === "")).toEqual([]);
	});
});

describe("another router with the same id", () => {
	const state = (instance: string) => JSON.stringify({ started: "2025-01-01T00:00:00Z", instance });
	const OWN = "80000000";
	const meetAndRead = (instance: string) => {
		bench.disconnect("the broker closed the connection");
		bench.meet();
		bench.receive(`${R}/state`, state(instance), true);
		bench.advance(4000);
	};
	beforeEach(() => {
		bench = settled();
	});

	test("is told when the broker holds, twice, what we have not published, and what to do about it", () => {
		meetAndRead("1a2b3c4d");
		expect(bench.foreign.filter(Boolean)).toEqual([]);
		meetAndRead("1a2b3c4d");
		expect(bench.foreign.filter(Boolean)).toEqual([
			expect.stringMatching(/another router, .* 2025-01-01T00:00:00Z, is 'r1' as well.*option router_id/),
		]);
	});

	test("is told though it has started in the same second, and from a version without this key", () => {
		const started = JSON.stringify({ started: "2025-11-24T03:00:00Z" });
		for (let times = 0; times < 2; times++) {
			bench.disconnect("the broker closed the connection");
			bench.meet();
			bench.receive(`${R}/state`, started, true);
			bench.advance(4000);
		}
		expect(bench.foreign.at(-1)).toMatch(/another router/);
	});

	test("is taken back once the connection has held", () => {
		for (let times = 0; times < 2; times++) meetAndRead("1a2b3c4d");
		expect(bench.foreign.at(-1)).toMatch(/another router/);
		bench.advance(30_000);
		expect(bench.foreign.at(-1)).toBeUndefined();
		meetAndRead("1a2b3c4d");
		expect(bench.foreign.at(-1)).toBeUndefined();
	});

	test.each(["the broker closed the connection", "nc: timed out", "the broker refused: not authorized"])(
		"short connections alone are no sign of it: %s",
		(reason) => {
			for (let times = 0; times < 10; times++) {
				bench.meet();
				bench.advance(4000);
				bench.disconnect(reason);
			}
			expect(bench.foreign.filter(Boolean)).toEqual([]);
			expect(bench.log.at(-1)).toContain(reason);
			expect(bench.log.join()).not.toMatch(/router_id|another/);
		},
	);

	test("finds our state at once when the broker hangs up again and again", () => {
		for (let times = 0; times < 2; times++) {
			bench.disconnect("the broker closed the connection");
			bench.meet();
		}
		expect(bench.topics()).toEqual([`${R}/state`]);
	});

	test("is not suspected because of our own state", () => {
		for (let times = 0; times < 5; times++) meetAndRead(OWN);
		expect(bench.foreign.filter(Boolean)).toEqual([]);
	});

	test("is not suspected because of what an earlier run has left, as long as the broker takes nothing newer", () => {
		bench = new Bench();
		bench.acknowledges = false;
		bench.publisher.update(status());
		for (let times = 0; times < 5; times++) meetAndRead("1a2b3c4d");
		expect(bench.foreign.filter(Boolean)).toEqual([]);
	});
});
