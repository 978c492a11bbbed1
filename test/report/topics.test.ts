import { describe, expect, test } from "vitest";
import { reduceId } from "../../src/lib/id.ts";
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
