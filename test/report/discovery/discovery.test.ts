import { describe, expect, test } from "vitest";
import type { DeviceDiscovery } from "../../../src/report/discovery/entity.ts";
import { peerDiscovery } from "../../../src/report/discovery/peer-device.ts";
import { routerDiscovery } from "../../../src/report/discovery/router-device.ts";
import { peerId, topicsFor } from "../../../src/report/topics.ts";
import { mqttConfig } from "../mqtt/broker.ts";

const topics = topicsFor(mqttConfig(1883), "Router-1");
const peer = topics.peer("waukeen");
const options = { version: "1.2.3", commands: true };
const router = routerDiscovery(topics, options);
const waukeen = peerDiscovery(topics, peer, { name: "waukeen", isRange: false }, options);

/** Keys that homeassistant/components/mqtt/schemas.py knows; any other rejects the message. */
const ROOT = ["device", "origin", "components", "availability", "availability_mode", "state_topic", "qos"];
const DEVICE = ["identifiers", "name", "manufacturer", "model", "hw_version", "sw_version", "via_device"];
const ORIGIN = ["name", "sw_version", "support_url"];

describe.each([
	["router", router],
	["peer", waukeen],
	["range", peerDiscovery(topics, peer, { name: "k8s", isRange: true }, options)],
] as [string, DeviceDiscovery][])("%s", (_name, message) => {
	const components = Object.entries(message.components);

	test("has only keys that Home Assistant accepts", () => {
		for (const key of Object.keys(message)) expect(ROOT).toContain(key);
		for (const key of Object.keys(message.device)) expect(DEVICE).toContain(key);
		for (const key of Object.keys(message.origin)) expect(ORIGIN).toContain(key);
	});

	test("has literal topics and unique, valid ids", () => {
		expect(JSON.stringify(message)).not.toMatch(/"[^"]*~[^"]*"/);
		const ids = components.map(([, component]) => component.unique_id);
		expect(new Set(ids).size).toBe(ids.length);
		for (const [, component] of components) {
			expect(component.state_topic ?? component.command_topic).toMatch(/^bgpwarden\/Router-1\//);
			// homeassistant/core.py, VALID_ENTITY_ID
			expect(component.default_entity_id).toMatch(
				/^(sensor|binary_sensor|event|button)\.(?!_)(?!.*__)[a-z0-9_]+(?<!_)$/,
			);
			expect(component.default_entity_id).toBe(`${component.platform}.${component.object_id}`);
		}
	});

	test("obeys the rules of its entities", () => {
		for (const [, component] of components) {
			if (component.device_class === "enum") {
				expect(component.options).toBeInstanceOf(Array);
				expect(component).not.toHaveProperty("unit_of_measurement");
				expect(component).not.toHaveProperty("state_class");
			} else expect(component).not.toHaveProperty("options");
			expect(component.entity_category ?? "diagnostic").toBe("diagnostic");
			if (component.platform.endsWith("sensor")) expect(component.value_template).toMatch(/^\{[{%].*\}\}$/);
		}
	});
});

test("the router's entities", () => {
	expect(Object.keys(router.components)).toEqual([
		...["protection", "protection_mode", "problem", "repairs", "flushed", "last_repair", "last_repair_by"],
		...["bird", "bird_version", "started", "version", "event", "ensure", "flush"],
	]);
	expect(router.components.event).toMatchObject({ platform: "event", state_topic: topics.event });
	expect(router.components.event?.event_types).toEqual(
		expect.arrayContaining(["table_restored", "command_done"]),
	);
	expect(router.availability).toEqual([{ topic: topics.availability }]);
	expect(router.components.flush).toMatchObject({ command_topic: topics.command, payload_press: "flush" });
});

test("the peer's entities, on a device below the router's", () => {
	expect(Object.keys(waukeen.components)).toEqual([
		...["session", "state", "since", "bfd", "imported", "exported", "preferred", "flaps"],
		...["last_error", "diagnosis", "remedy", "restart"],
	]);
	expect(waukeen.device.via_device).toBe(router.device.identifiers[0]);
	expect(waukeen.availability).toEqual([{ topic: topics.availability }, { topic: peer.availability }]);
	expect(waukeen.components.session).toMatchObject({ name: null, device_class: "connectivity" });
	expect(waukeen.components.restart).toMatchObject({ command_topic: peer.command, payload_press: "restart" });
	expect(waukeen.components.state?.options).toEqual(
		expect.arrayContaining(["Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"]),
	);
});

test("without commands, buttons of before are taken back", () => {
	const off = { version: "1.2.3", commands: false };
	expect(routerDiscovery(topics, off).components).toMatchObject({
		ensure: { platform: "button" },
		flush: { platform: "button" },
	});
	expect(peerDiscovery(topics, peer, { name: "waukeen", isRange: false }, off).components.restart).toEqual({
		platform: "button",
	});
});

test("a dirty name harms neither ids nor what is shown", () => {
	const name = `+/#\u0000\u202e${"ü".repeat(300)}`;
	const dirty = peerDiscovery(topics, topics.peer(peerId(name)), { name, isRange: false }, options);
	expect(JSON.stringify(dirty)).not.toMatch(/\\u0000|\u202e/);
	expect(dirty.device.name.length).toBeLessThan(100);
	for (const { unique_id, default_entity_id } of Object.values(dirty.components)) {
		expect(unique_id).toMatch(/^[A-Za-z0-9_-]{1,200}$/);
		expect(default_entity_id).toMatch(/^[a-z_]+\.(?!_)(?!.*__)[a-z0-9_]{1,200}(?<!_)$/);
	}
});

test("a range has its network as an attribute and counts its nodes", () => {
	const { components } = peerDiscovery(topics, peer, { name: "k8s", isRange: true }, options);
	expect(JSON.stringify(components.session)).toContain("neighbor_range");
	expect(JSON.stringify(components.session)).not.toContain("neighbor_address");
	expect(components.connected).toMatchObject({ unit_of_measurement: "nodes" });
	expect(waukeen.components).not.toHaveProperty("connected");
});
