import { describe, expect, test } from "vitest";
import { reduceId } from "../../src/lib/id.ts";
import type { DeviceDiscovery } from "../../src/report/discovery/entity.ts";
import { peerDiscovery } from "../../src/report/discovery/peer-device.ts";
import { routerDiscovery } from "../../src/report/discovery/router-device.ts";
import { peerId, topicsFor } from "../../src/report/topics.ts";
import { mqttConfig } from "./mqtt/broker.ts";

test("topics are those of the design", () => {
	const topics = topicsFor(mqttConfig(1883), "router1");
	const peer = topics.peer("waukeen");
	expect({ ...topics, peer, parsePeerTopic: undefined }).toMatchObject({
		availability: "bgpwarden/router1/availability",
		state: "bgpwarden/router1/state",
		event: "bgpwarden/router1/event",
		command: "bgpwarden/router1/command",
		discovery: "homeassistant/device/bgpwarden_router1/config",
		birth: "homeassistant/status",
		anyPeerCommand: "bgpwarden/router1/peer/+/command",
		peer: {
			state: "bgpwarden/router1/peer/waukeen/state",
			availability: "bgpwarden/router1/peer/waukeen/availability",
			command: "bgpwarden/router1/peer/waukeen/command",
			discovery: "homeassistant/device/bgpwarden_router1_waukeen/config",
		},
	});
});

test("base topic and prefix may end in a slash, the router id may be dirty", () => {
	const config = mqttConfig(1883, { baseTopic: "net/bgp/", discoveryPrefix: "ha/" });
	const topics = topicsFor(config, "my router/#1");
	expect(topics.state).toBe("net/bgp/my_router__1/state");
	expect(topics.discovery).toBe("ha/device/bgpwarden-my_router__1/router/config");
});

test("no two devices of whatever routers share an id, a topic or an entity", () => {
	const routers = ["gw", "gw_office", "gw_office_x", "gw-office", "GW", "gw_", "_gw", "gw_state"];
	const peers = ["office", "office_x", "x", "gw_office", "router", "state", "peer-x", "_", "office_x_last"];
	const seen = new Map<string, string>();
	const only = (id: string, whose: string) => {
		expect(seen.get(id) ?? whose, id).toBe(whose);
		seen.set(id, whose);
	};
	for (const router of routers) {
		const topics = topicsFor(mqttConfig(1883), router);
		const options = { version: "1", commands: true };
		const device = (whose: string, topic: string, { device, components }: DeviceDiscovery) => {
			only(topic, whose);
			for (const identifier of device.identifiers) only(`device ${identifier}`, whose);
			for (const [key, { unique_id }] of Object.entries(components))
				only(`entity ${unique_id}`, `${whose}, ${key}`);
		};
		device(`router ${router}`, topics.discovery, routerDiscovery(topics, options));
		for (const name of peers) {
			const own = topics.peer(peerId(name));
			const about = { name, isRange: true };
			device(`peer ${name} of ${router}`, own.discovery, peerDiscovery(topics, own, about, options));
		}
		only(`client ${topics.clientId}`, router);
	}
	expect(seen.size).toBeGreaterThan(1000);
});

test("a router without an underscore in its id keeps the ids that it had", () => {
	const topics = topicsFor(mqttConfig(1883), "gw-1");
	expect([topics.device, topics.peer("office_x").device]).toEqual([
		"bgpwarden_gw-1",
		"bgpwarden_gw-1_office_x",
	]);
	expect(topics.former).toBeUndefined();
	const { components } = routerDiscovery(topics, { version: "1", commands: false });
	expect(components.repairs?.unique_id).toBe("bgpwarden_gw-1_repairs");
});

test("another router proposes the entity ids that it had, and knows its former ids", () => {
	const topics = topicsFor(mqttConfig(1883), "my_gw");
	const own = topics.peer("a_b");
	const { components } = peerDiscovery(
		topics,
		own,
		{ name: "a_b", isRange: false },
		{ version: "1", commands: true },
	);
	expect(components.state?.default_entity_id).toBe("sensor.bgpwarden_my_gw_a_b_state");
	expect(topics.former?.peer("a_b").discovery).toBe("homeassistant/device/bgpwarden_my_gw_a_b/config");
});

describe("parsePeerTopic", () => {
	const topics = topicsFor(mqttConfig(1883), "r");
	test.each([
		["bgpwarden/r/peer/a/state", { id: "a", leaf: "state" }],
		["bgpwarden/r/peer/a/command", { id: "a", leaf: "command" }],
		["bgpwarden/r/peer/a/state/more", undefined],
		["bgpwarden/r/peer//state", undefined],
		["bgpwarden/r/peer/a", undefined],
		["bgpwarden/r/state", undefined],
		["bgpwarden/rr/peer/a/state", undefined],
	])("%s", (topic, expected) => expect(topics.parsePeerTopic(topic)).toEqual(expected));
});

test("reduceId leaves only what topics and entity ids may hold", () => {
	expect(reduceId("my.peer/#+ ä")).toMatch(/^[A-Za-z0-9_-]+$/);
	expect(reduceId("k8s-node_1")).toBe("k8s-node_1");
	expect(reduceId("")).toBe("_");
});

describe("peerId", () => {
	test.each(["waukeen", "k8s-node_1", "A", "x".repeat(64)])("%s is its own id", (name) => {
		expect(peerId(name)).toBe(name);
	});

	test("tells names apart that reduce to the same, without asking who else is there", () => {
		const names = ["a_b", "a.b", "a b", "a:b", "+", "#", "", "\u0000", "ä", "\ufffd"];
		const ids = names.map(peerId);
		expect(new Set(ids).size).toBe(names.length);
		for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
		expect(peerId("a.b")).toMatch(/^a_b_[0-9a-f]{8}$/);
	});

	test("keeps long names apart and short", () => {
		const ids = ["a", "b"].map((end) => peerId("x".repeat(300) + end));
		expect(ids[0]).not.toBe(ids[1]);
		for (const id of ids) expect(id).toHaveLength(64);
	});
});
