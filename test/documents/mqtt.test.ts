import { expect, test } from "vitest";
import { EVENT_TYPES } from "../../src/model/event.ts";
import type { PeerStatus, RouterStatus } from "../../src/model/status.ts";
import { peerDiscovery } from "../../src/report/discovery/peer-device.ts";
import { routerDiscovery } from "../../src/report/discovery/router-device.ts";
import { Payloads } from "../../src/report/payloads.ts";
import { topicsFor } from "../../src/report/topics.ts";
import { mqttConfig } from "../report/mqtt/broker.ts";
import { codeSpans, read, section, tableRows } from "./markdown.ts";

const document = read("docs/mqtt.md");
const home = read("docs/home-assistant.md");
const topics = topicsFor(mqttConfig(1883), "R");
const peer = topics.peer("P");
const names = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

/** With every key that there is: the compiler notices one that is missing here. */
const router: Required<RouterStatus> = {
	version: "0.2.0",
	router: "R",
	pid: 1,
	started: "2026-01-01T00:00:00Z",
	...{ released: true, table_file: "1a2b3c4d", problem_kind: "released" },
	protection: "owned",
	table: "custom_bgp",
	ports: [179],
	level: "green",
	repairs: 1,
	last_repair: { at: "", by: "", described: "", pid: 1, service: "", reason: "deleted", milliseconds: 1 },
	flushed: 1,
	unknown_dialers: [{ address: "", interface: "", since: "", last: "" }],
	bird: { reachable: true, version: "3" },
	problem: "x",
	diagnosis: "blocked",
	explanation: "x",
};
const status: Required<PeerStatus> = {
	name: "P",
	level: "red",
	neighbor_address: "192.0.2.1",
	neighbor_range: "192.0.2.0/24",
	connected: 1,
	range: "k8s",
	node: "n",
	speaker: "frr",
	neighbor_as: 1,
	local_as: 1,
	state: "Idle",
	since: "2026-01-01T00:00:00Z",
	bfd: "down",
	imported: 1,
	exported: 1,
	preferred: 1,
	flaps: 1,
	last_error: "x",
	diagnosis: "blocked",
	explanation: "x",
	evidence: ["x"],
	remedy: "x",
	tried: "x",
	note: "x",
};
const messages = new Payloads(mqttConfig(1883), topics, "1a2b3c4d").retained({ router, peers: [status] });
const keysOf = (topic: string): string[] => Object.keys(JSON.parse(messages.get(topic)?.text() ?? ""));

test("has every topic", () => {
	const rows = tableRows(section(document, "## Topics"));
	const documented = new Map(rows.map(([topic, , retained]) => [names(topic)[0], retained?.trim()]));
	expect([...documented.keys()].sort()).toEqual(
		[...messages.keys(), topics.event, topics.command, peer.command, topics.birth].sort(),
	);
	for (const topic of messages.keys()) expect(documented.get(topic)).toBe("yes");
	expect(documented.get(topics.event)).toBe("no");
	expect(document).toContain(topics.anyDiscovery);
});

test.each([
	["## State of the router", topics.state],
	["## State of a peer", peer.state],
])("%s has every key of the payload and no other", (heading, topic) => {
	const documented = tableRows(section(document, heading)).flatMap(([key]) => names(key));
	expect(documented.sort()).toEqual(keysOf(topic).sort());
});

test("the router's objects have every key", () => {
	const rows = tableRows(section(document, "## State of the router"));
	for (const key of ["last_repair", "bird"] as const) {
		const meaning = rows.find(([name]) => name === `\`${key}\``)?.[1];
		for (const inner of Object.keys(router[key])) expect(names(meaning)).toContain(inner);
	}
});

test("has every type of event and no other", () => {
	const documented = tableRows(section(document, "## Events")).flatMap(([type]) => names(type));
	expect(documented).toEqual(EVENT_TYPES);
});

test.each([
	["router", "bgpwarden_R_", routerDiscovery(topics, { version: "1", commands: true })],
	[
		"peer",
		"bgpwarden_R_P_",
		peerDiscovery(topics, peer, { name: "P", isRange: true }, { version: "1", commands: true }),
	],
])("docs/home-assistant.md has every entity of the %s", (_, prefix, { components }) => {
	const documented = codeSpans(home).filter((text) =>
		new RegExp(`^\\w+\\.${prefix}${prefix.includes("P_") ? "" : "(?!P_)"}\\w+$`).test(text),
	);
	expect(documented.sort()).toEqual(
		Object.entries(components)
			.map(([key, { platform }]) => `${platform}.${prefix}${key}`)
			.sort(),
	);
});
