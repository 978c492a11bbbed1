import { beforeEach, describe, expect, test } from "vitest";
import { Bench, status } from "./bench.ts";

let bench: Bench;

describe("a router whose ids were others in 0.1.0", () => {
	const former = (identifier: string, router: string) =>
		JSON.stringify({
			device: { identifiers: [identifier] },
			availability: [{ topic: `bgpwarden/${router}/availability` }],
		});
	const OLD = "homeassistant/device/bgpwarden_my_gw/config";
	const NEW = "homeassistant/device/bgpwarden-my_gw/router/config";
	const PROBE = "homeassistant/device/bgpwarden-my_gw/probe/config";
	const meetAndFind = () => {
		bench.meet();
		bench.receive(OLD, former("bgpwarden_my_gw", "my_gw"), true);
	};
	const messages = () => bench.messages().filter(([topic]) => topic !== PROBE);

	beforeEach(() => {
		bench = new Bench({}, "my_gw");
		bench.publisher.update(status(["waukeen"]));
	});

	test("keeps them where the broker does not take the new ones, and says so", () => {
		meetAndFind();
		bench.advance(10_000);
		const published = messages();
		expect(published.map(([topic]) => topic)).toContain(NEW);
		expect(published.filter(([, payload]) => payload === "")).toEqual([]);
		expect(bench.refusal).toMatch(
			/the broker drops what is published below homeassistant\/device\/bgpwarden-my_gw\/, .*access list/,
		);
		// The access list is right now, and bgpwarden was reloaded.
		bench.publisher.retry();
		bench.receive(PROBE, "");
		bench.advance(1500);
		expect(messages()).toEqual([[OLD, ""]]);
		bench.advance(3000);
		expect(messages().map(([topic]) => topic)).toContain(NEW);
		expect(bench.refusal).toBeUndefined();
	});

	test("finds them though the first connections end at once", () => {
		for (let times = 0; times < 2; times++) {
			bench.meet();
			bench.advance(300);
			bench.disconnect("gone");
		}
		meetAndFind();
		bench.receive(PROBE, "");
		bench.advance(3000);
		// A router whose connections are short shows its state at once, in case another one has its name.
		expect(messages().filter(([topic]) => topic.startsWith("home"))).toEqual([[OLD, ""]]);
	});

	test("publishes nothing while the broker may still show one", () => {
		bench.meet();
		bench.receive(PROBE, "");
		for (let times = 0; times < 4; times++) {
			bench.advance(900);
			bench.receive("homeassistant/device/other/config", "{}", true);
		}
		expect(messages()).toEqual([]);
		bench.receive(OLD, former("bgpwarden_my_gw", "my_gw"), true);
		bench.advance(1100);
		expect(messages()).toEqual([[OLD, ""]]);
	});

	test("takes them back once more where the connection ended before the broker had said that it did", () => {
		bench.acknowledges = false;
		meetAndFind();
		bench.receive(PROBE, "");
		bench.advance(5000);
		expect(messages()).toEqual([[OLD, ""]]);
		bench.disconnect("gone");
		bench.acknowledges = true;
		bench.meet();
		bench.receive(PROBE, "");
		bench.advance(2500);
		expect(messages()).toEqual([[OLD, ""]]);
		bench.advance(2500);
		expect(messages().map(([topic]) => topic)).toContain(NEW);
	});

	test("takes the old devices back before it publishes the new ones, and nobody else's", () => {
		bench.meet();
		bench.receive(PROBE, "");
		const old = [
			"homeassistant/device/bgpwarden_my_gw/config",
			"homeassistant/device/bgpwarden_my_gw_waukeen/config",
		];
		bench.receive(old[0] ?? "", former("bgpwarden_my_gw", "my_gw"), true);
		bench.receive(old[1] ?? "", former("bgpwarden_my_gw_waukeen", "my_gw"), true);
		// The peer `gw_lab` of the router `my`, on a topic that might be this one's.
		bench.receive(
			"homeassistant/device/bgpwarden_my_gw_lab/config",
			former("bgpwarden_my_gw_lab", "my"),
			true,
		);
		bench.advance(3000);
		expect(messages()).toEqual(old.map((topic) => [topic, ""]));
		bench.advance(3000);
		const published = bench.messages().map(([topic]) => topic);
		expect(published).toContain("homeassistant/device/bgpwarden-my_gw/router/config");
		expect(published).toContain("homeassistant/device/bgpwarden-my_gw/peer-waukeen/config");
		expect(published).not.toContain("homeassistant/device/bgpwarden_my_gw_lab/config");
	});

	test("publishes at its usual time where there are none", () => {
		bench.meet();
		bench.advance(2500);
		expect(bench.messages().map(([topic]) => topic)).toContain("bgpwarden/my_gw/state");
	});
});
