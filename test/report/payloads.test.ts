import { expect, test } from "vitest";
import type { PeerStatus, Status } from "../../src/model/status.ts";
import { Payloads } from "../../src/report/payloads.ts";
import { topicsFor } from "../../src/report/topics.ts";
import { PEER, STATUS } from "../doctor/sample-facts.ts";
import { mqttConfig } from "./mqtt/broker.ts";

const config = mqttConfig(1883);
const topics = topicsFor(config, "Router-1");
const own = topics.peer("waukeen");
const range: PeerStatus = {
	name: "waukeen",
	level: "red",
	neighbor_range: "192.168.1.0/24",
	connected: 0,
	flaps: 0,
};
const status = (...peers: PeerStatus[]): Status => ({ ...STATUS, peers });

test("a peer that becomes a range is another device, and the other way round", () => {
	const payloads = new Payloads(config, topics, "x");
	const sensors = (peer: PeerStatus) =>
		Object.keys(JSON.parse(payloads.retained(status(peer)).get(own.discovery)?.text() ?? "{}").components);
	expect(sensors(PEER)).not.toContain("connected");
	expect(sensors(range)).toContain("connected");
	expect(sensors(PEER)).not.toContain("connected");
	payloads.retained(status());
	expect(sensors(range)).toContain("connected");
});

test("a range is published with its nodes, and a node with its range", () => {
	const node: PeerStatus = { ...PEER, name: "dynbgp1", range: "waukeen" };
	const messages = new Payloads(config, topics, "x").retained(status(node, { ...range, connected: 2 }));
	expect(JSON.parse(messages.get(own.state)?.text() ?? "")).toEqual({
		name: "waukeen",
		level: "red",
		neighbor_range: "192.168.1.0/24",
		connected: 2,
		flaps: 0,
	});
	expect(JSON.parse(messages.get(topics.peer("dynbgp1").state)?.text() ?? "")).toMatchObject({
		range: "waukeen",
	});
});

test("the levels are the status's own", () => {
	const messages = new Payloads(config, topics, "x").retained(status({ ...PEER, level: "yellow" }));
	expect(JSON.parse(messages.get(own.state)?.text() ?? "").level).toBe("yellow");
	expect(JSON.parse(messages.get(topics.state)?.text() ?? "").level).toBe(STATUS.router.level);
});
