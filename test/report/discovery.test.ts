import { describe, expect, test } from "vitest";
import { type DeviceDiscovery, peerDiscovery, routerDiscovery } from "../../src/report/discovery.ts";
import { topicsFor } from "../../src/report/topics.ts";
import { mqttConfig } from "./broker.ts";

const topics = topicsFor(mqttConfig(1883), "Router-1");
const peer = topics.peer("waukeen");
const router = routerDiscovery(topics, "1.2.3");
const waukeen = peerDiscovery(topics, peer, "waukeen", "1.2.3");

/** Keys that homeassistant/components/mqtt/schemas.py knows; any other rejects the message. */
const ROOT = ["device", "origin", "components", "availability", "availability_mode", "state_topic", "qos"];
const DEVICE = ["identifiers", "name", "manufacturer", "model", "hw_version", "sw_version", "via_device"];
const ORIGIN = ["name", "sw_version", "support_url"];

describe.each([
	["router", router],
	["peer", waukeen],
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
			expect(component.state_topic).toMatch(/^bgpwarden\/Router-1\//);
			expect(component.default_entity_id).toMatch(/^(sensor|binary_sensor|event)\.[a-z0-9_]+$/);
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
			if (component.platform !== "event") expect(component.value_template).toMatch(/^\{\{.*\}\}$/);
		}
	});
});

test("the router's entities", () => {
	expect(Object.keys(router.components)).toEqual([
		"protection",
		"repairs",
		"flushed",
		"last_repair",
		"problem",
		"diagnosis",
		"bird",
		"event",
	]);
	expect(router.components.event).toMatchObject({ platform: "event", state_topic: topics.event });
	expect(router.components.event?.event_types).toContain("table_restored");
	expect(router.availability).toEqual([{ topic: topics.availability }]);
});

test("the peer's entities, on a device below the router's", () => {
	expect(Object.keys(waukeen.components)).toEqual([
		"state",
		"established",
		"bfd",
		"imported",
		"exported",
		"flaps",
		"since",
		"last_error",
		"diagnosis",
	]);
	expect(waukeen.device.via_device).toBe(router.device.identifiers[0]);
	expect(waukeen.availability).toEqual([{ topic: topics.availability }, { topic: peer.availability }]);
	expect(waukeen.components.state?.options).toEqual(
		expect.arrayContaining(["Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"]),
	);
	expect(waukeen.components.state?.options).toEqual(expect.arrayContaining(["Passive", "Down", "Close"]));
});
