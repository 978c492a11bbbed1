import { defaultConfig } from "../../../src/config/schema.ts";
import { parseLookup } from "../../../src/report/mqtt/addresses.ts";
import { CommandGate, type Verdict } from "../../../src/report/mqtt/incoming-commands.ts";
import type { MqttLink } from "../../../src/report/mqtt/link.ts";
import { PacketGuard } from "../../../src/report/mqtt/packets.ts";
import { RetainedTopics } from "../../../src/report/mqtt/retained-topics.ts";
import { endReason } from "../../../src/report/mqtt/transport.ts";
import { RouterId } from "../../../src/report/router-id.ts";
import { peerId, topicsFor } from "../../../src/report/topics.ts";
import { FakeFiles } from "../../fakes/files.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";
import { bytesOf } from "./lib.ts";

const { mqtt } = defaultConfig();
const TOPICS = topicsFor(mqtt, "gw_lab");
/** CONNACK, SUBACK, PUBLISH at QoS 0, PINGRESP. */
const PACKETS = ["\x20\x02\x00\x00", "\x90\x03\x00\x01\x00", "\x30\x05\x00\x01ahi", "\xd0\x00"];
const STREAMS = [
	PACKETS.join(""),
	`${PACKETS[0]}${"\x30\x05\x00\x01ahi".repeat(8)}`,
	`${PACKETS[0]}\x30\xac\x02${"x".repeat(300)}`,
];
const LOOKUPS = [
	"Server:\t\t192.168.1.1\nAddress:\t192.168.1.1:53\n\nName:\tbroker.lan\nAddress: 192.168.1.10\nName:\tbroker.lan\nAddress: fd00::10\n",
	"Server:    127.0.0.1\nAddress 1: 127.0.0.1 localhost\n\nName:      broker\nAddress 1: 192.168.1.10 broker.lan\nAddress 2: fd00::10\n",
];
const COMPLAINTS = [
	"40D7AD9C:error:8000006F:system library:BIO_connect:Connection refused:bio_sock2.c:178:calling connect()\nconnect:errno=111\n",
	"verify error:num=18:self-signed certificate\n",
	"nc: can't connect to remote host (192.168.1.10): Connection refused\n",
];
const STATE =
	'{"version":"0.1.0","started":"2026-11-24T00:00:00.000Z","instance":"other","protection":"owned"}';
/** What a router says of a device of its own, by the identifier that it has. */
const discovery = (identifier: string) =>
	JSON.stringify({ device: { identifiers: [identifier] }, availability: [{ topic: TOPICS.availability }] });
const FORMER = TOPICS.former ?? TOPICS;
const OWN = [TOPICS, FORMER].flatMap((topics) => [topics, topics.peer("x")]);
const MESSAGES = [
	...OWN.map(({ device }) => discovery(device)),
	'{"device":{"identifiers":["x"]},"availability":[]}',
];
const OWN_TOPICS = OWN.map(({ discovery: topic }) => topic);
/** Of other routers, with ids that are like this one's. */
const STRANGERS = ["gw", "gw_lab_x", "gw_la"].map((id) => topicsFor(mqtt, id).discovery);
const TOPIC_TEXTS = [
	TOPICS.state,
	TOPICS.peer("x").state,
	TOPICS.discovery,
	TOPICS.peer("x").availability,
	TOPICS.command,
];

/** @returns bytes that are passed on, and what is wrong, if anything is */
function guarded(text: string): { passed: number; complaint?: string; skipped: number[] } {
	const skipped: number[] = [];
	const guard = new PacketGuard(
		256,
		0,
		() => 0,
		(bytes) => skipped.push(bytes),
	);
	let passed = 0;
	const bytes = bytesOf(text);
	for (let at = 0; at < bytes.length; at += 64) {
		const said = guard.push(bytes.subarray(at, at + 64));
		for (const piece of said.passed) passed += piece.length;
		if (said.complaint !== undefined) return { passed, complaint: said.complaint, skipped };
	}
	return { passed, skipped };
}

/** What is told of a retained message, and which topics are held to be the router's own because of it. */
function retained(topic: string, payload: string): { told: string[]; held: string[] } {
	const told: string[] = [];
	const timer = { cancel() {} };
	const platform = { after: () => timer } as never;
	const watch = new RetainedTopics(platform, TOPICS, {
		onHeld() {},
		onSearched() {},
		isKnown: () => false,
		onForeign: ({ started }) => told.push(started),
	});
	watch.start({ publish: () => true, subscribe() {}, unsubscribe() {} } as unknown as MqttLink);
	watch.receive(topic, payload, true, "own");
	return { told, held: [...watch.held, ...watch.former] };
}

function idOf(text: string) {
	const files = new FakeFiles(() => 0);
	files.set("/etc/bgpwarden/router_id", text);
	const { id, state, device } = topicsFor(mqtt, new RouterId(files).get(""));
	return { id, state, device };
}

const id = is.matching(/^[A-Za-z0-9_-]{1,64}$/);
const verdict = is.byKind<Verdict>("kind", {
	obey: is.shape({
		kind: is.oneOf("obey"),
		command: is.shape({
			verb: is.oneOf("ensure", "flush", "restart"),
			peer: is.maybe(is.oneOf("x", "constructor")),
		}),
	}),
	refuse: is.shape({
		kind: is.oneOf("refuse"),
		reason: is.harmless,
		answer: is.flag,
		word: is.harmless,
		peer: is.maybe(is.oneOf("x", "constructor")),
	}),
	ignore: is.shape({ kind: is.oneOf("ignore") }),
} as const);

export const MQTT: readonly Parser[] = [
	parser({
		name: "PacketGuard",
		seeds: [...STREAMS, ...PACKETS],
		parse: guarded,
		check: is.shape<ReturnType<typeof guarded>>({
			passed: is.count,
			complaint: is.maybe(is.line),
			skipped: is.list(is.whole(257, 268_435_455)),
		}),
		limit: 1 << 20,
		shapes: [
			...["\x30\x00", "\xd0\x00", "\x30\x05\x00\x01ahi", "\x30\xff\xff\xff\x7f"].map((repeated) => ({
				start: "\x20\x02\x00\x00",
				repeated,
			})),
		],
	}),
	parser({
		name: "parseLookup",
		seeds: LOOKUPS,
		parse: parseLookup,
		// An interface may be called nearly anything.
		check: is.list(is.matching(/^[0-9a-fA-F.:]+(%[!-$&-.0-9;-~]{1,15})?$/)),
		limit: 16_384,
		shapes: [
			"Name:\n",
			{ start: "Name:\n", repeated: "Address:\n" },
			{ start: "Name:\n", repeated: "Address: 1.1.1.§\n" },
		],
	}),
	parser({
		name: "endReason",
		seeds: COMPLAINTS,
		parse: (text) => [endReason("openssl", { code: 1 }, text), endReason("nc", { signal: 9 }, text)],
		check: is.list(is.some),
		limit: 4096,
		shapes: [":error:A:b:c:d:e:1", ":error:", ":error:A:", "verify error:num=1", "verify error:num=1:\n"],
	}),
	parser({
		name: "a retained state",
		seeds: [STATE, '{"started":"2026-11-24T00:00:00Z","instance":"x"}'],
		parse: (text) => retained(TOPICS.state, text).told,
		check: is.list(is.matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/)),
		limit: 65_536,
		json: true,
		shapes: [{ start: '{"started":', repeated: "[" }],
	}),
	parser({
		name: "a retained discovery",
		seeds: MESSAGES,
		parse: (text) => [...OWN_TOPICS, ...STRANGERS].flatMap((topic) => retained(topic, text).held),
		check: is.list(is.oneOf(...OWN_TOPICS)),
		limit: 65_536,
		json: true,
		shapes: [
			{ start: '{"device":{"identifiers":[1]},"availability":[', repeated: '{"topic":1},', end: "1]}" },
		],
	}),
	parser({
		name: "a topic",
		seeds: TOPIC_TEXTS,
		parse: (text) =>
			[TOPICS.parsePeerTopic(text), TOPICS.isDiscovery(text), retained(text, "online")] as const,
		check: (value) => {
			const [parsed] = value as readonly [unknown];
			return is.orAbsent(
				is.shape<{ id: string; leaf: string }>({
					id: is.matching(/^[^/]+$/s),
					leaf: is.matching(/^[^/]+$/s),
				}),
			)(parsed);
		},
		limit: 65_536,
		shapes: ["bgpwarden/gw/peer/", { start: "bgpwarden/gw/peer/", repeated: "a/" }],
	}),
	parser({
		name: "a command",
		seeds: ["ensure", "flush", "restart", "RESTART", ""],
		parse: (text) =>
			[undefined, "x", "constructor", peerId(text)].map((peer) =>
				new CommandGate().judge(
					peer,
					["x", "constructor"].find((name) => name === peer),
					{ payload: text, retained: false },
					0,
				),
			),
		check: is.list(verdict),
		limit: 65_536,
	}),
	parser({
		name: "a router's id",
		seeds: ["router-1\n", "OpenWrt", "gw office", "__proto__"],
		parse: idOf,
		check: is.shape<ReturnType<typeof idOf>>({
			id,
			state: is.matching(/^bgpwarden\/[A-Za-z0-9_-]{1,64}\/state$/),
			device: is.matching(/^bgpwarden[_/][A-Za-z0-9_-]{1,64}$/),
		}),
		limit: 4096,
	}),
	parser({
		name: "a peer's id",
		seeds: ["waukeen", "node-2.far", "constructor", "a b"],
		parse: peerId,
		check: id,
		limit: 65_536,
	}),
];
