import { afterEach, expect, test, vi } from "vitest";
import type { Status } from "../../../src/model/status.ts";
import { Publisher } from "../../../src/report/mqtt/publisher.ts";
import { mqttConfig, TestBroker, testPlatform } from "./broker.ts";

/** The publisher against a real broker: what stays retained in the end. */

const broker = new TestBroker();
let publisher: Publisher | undefined;

afterEach(async () => {
	await publisher?.stop();
	await broker.stop();
});

const status = (...peers: string[]): Status => ({
	router: {
		version: "1.0.0",
		router: "r1",
		pid: 7,
		started: "2025-11-24T03:00:00Z",
		protection: "owned",
		table: "custom_bgp",
		ports: [179],
		level: "green",
		repairs: 0,
		flushed: 0,
		bird: { reachable: true },
	},
	peers: peers.map((name) => ({ name, level: "green", state: "Established", flaps: 0 })),
});

const eventually = (assertion: () => void) => vi.waitFor(assertion, { timeout: 10_000, interval: 10 });
const peersHeld = () =>
	Object.keys(broker.retained())
		.filter((topic) => /\/peer\/|_r1_/.test(topic))
		.map((topic) => /peer\/([^/]+)|_r1_([^/]+)/.exec(topic)?.slice(1).join(""));

test("a broker ends up with this router's peers and nothing else, restarts included", async () => {
	await broker.start();
	await broker.publish("bgpwarden/r1/peer/ghost/state", '{"name":"ghost"}', true);
	await broker.publish("bgpwarden/r1/peer/ghost/availability", "online", true);
	await broker.publish(
		"homeassistant/device/bgpwarden_r1_ghost/config",
		JSON.stringify({
			device: { identifiers: ["bgpwarden_r1_ghost"] },
			availability: [{ topic: "bgpwarden/r1/availability" }],
		}),
		true,
	);
	await broker.publish("bgpwarden/other/peer/theirs/state", "{}", true);

	const log: string[] = [];
	publisher = new Publisher(await testPlatform([], 20), mqttConfig(broker.port), "r1", {
		onCommand: () => log.push("command"),
		onOutcome: () => log.push("outcome"),
		onForeign: () => log.push("foreign"),
		onRefused: (text) => text && log.push(text),
		onLog: (_level, line) => log.push(line),
	});
	publisher.update(status("tymora", "waukeen"));
	publisher.start();
	await eventually(() => expect(new Set(peersHeld())).toEqual(new Set(["tymora", "waukeen", "theirs"])));

	publisher.update(status("waukeen"));
	await eventually(() => expect(new Set(peersHeld())).toEqual(new Set(["waukeen", "theirs"])));

	await broker.stop();
	broker.published.length = 0;
	await broker.start();
	await eventually(() => expect(peersHeld()).toEqual(["waukeen", "waukeen", "waukeen"]));
	await eventually(() => expect(broker.retained()["bgpwarden/r1/availability"]).toBe("online"));

	await publisher.stop();
	await eventually(() =>
		expect(broker.retained()).toMatchObject({
			"bgpwarden/r1/availability": "offline",
			"bgpwarden/r1/peer/waukeen/availability": "offline",
		}),
	);
	expect(log).not.toContain("command");
});
