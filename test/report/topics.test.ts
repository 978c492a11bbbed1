import { describe, expect, test } from "vitest";
import { peerIds, reduceId, topicsFor } from "../../src/report/topics.ts";
import { mqttConfig } from "./broker.ts";

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
	expect(topics.discovery).toBe("ha/device/bgpwarden_my_router__1/config");
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

describe("peerIds", () => {
	test("keeps names that need no change, and changes alone-standing others only as far as needed", () => {
		expect([...peerIds(["waukeen", "my.peer"])]).toEqual([
			["my.peer", "my_peer"],
			["waukeen", "waukeen"],
		]);
	});

	test("tells colliding names apart, whatever their order", () => {
		const names = ["a_b", "a.b", "a b"];
		const ids = peerIds(names);
		expect(ids.get("a_b")).toBe("a_b");
		expect(new Set(ids.values()).size).toBe(3);
		for (const id of ids.values()) expect(id).toMatch(/^[A-Za-z0-9_-]+$/);
		expect(peerIds(names.reverse())).toEqual(ids);
		expect(peerIds(["a.b", "a b"]).get("a.b")).toBe(ids.get("a.b"));
	});

	test("never gives an id that is another peer's name", () => {
		const suffixed = peerIds(["a.b", "a b"]).get("a.b") ?? "";
		const ids = peerIds(["a.b", "a b", suffixed]);
		expect(ids.get(suffixed)).toBe(suffixed);
		expect(new Set(ids.values()).size).toBe(3);
	});
});
