import { packet, publish, TYPE, twoBytes, withLength } from "../mqtt-packets.ts";
import type { Session } from "../session.ts";
import { base, type Mode } from "./mode.ts";

const CONNACK = packet(0x20, Buffer.from([0, 0]));
const times = (count: number, make: (index: number) => Buffer): Buffer =>
	Buffer.concat(Array.from({ length: count }, (_, index) => make(index + 1)));

/** A mode that sends this once the connection is up, after which it has to be left. */
function breach(name: string, bytes: () => Uint8Array, more: Partial<Mode> = {}): Mode {
	return { name, leaves: true, attack: (session) => void session.send(bytes()), ...more };
}

/** A mode that answers CONNECT in its own way. */
function greeting(name: string, greet: (session: Session) => void, more: Partial<Mode> = {}): Mode {
	return {
		name,
		answer: (session, { type }) => {
			if (type !== TYPE.connect) return false;
			greet(session);
			return true;
		},
		...more,
	};
}

/** Brokers that break the protocol, or do not keep it up. */
export const BREACHES: readonly Mode[] = [
	breach("a remaining length of five bytes", () => Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f]), {
		quick: true,
	}),
	breach("a topic longer than its message", () => Buffer.from([0x30, 5, 0xff, 0xff, 65, 65, 65])),
	breach("an empty topic", () => publish("", "x")),
	breach("a topic that is no UTF-8", () => publish(Buffer.from([0x62, 0xff, 0xfe, 0xc0, 0x80]), "x")),
	breach("a topic with a wildcard and a zero", () => publish(`${base}/peer/#\u0000/command`, "restart")),
	breach("QoS 3", () => publish(`${base}/command`, "ensure", { qos: 3 })),
	breach("one oversized message at QoS 1", () =>
		publish(`${base}/command`, Buffer.alloc(65_537, "x"), { qos: 1 }),
	),
	breach("20,000 PUBACKs for nothing", () => times(20_000, (id) => packet(0x40, twoBytes(id))), {
		quick: true,
	}),
	breach("20,000 PUBRELs for nothing", () => times(20_000, (id) => packet(0x62, twoBytes(id)))),
	breach("PUBRECs and PUBCOMPs for nothing", () =>
		times(5000, (id) => Buffer.concat([packet(0x50, twoBytes(id)), packet(0x70, twoBytes(id))])),
	),
	breach("a second CONNACK, a hundred times", () => times(100, () => CONNACK)),
	breach("a thousand SUBACKs for nothing", () =>
		times(1000, (id) => packet(0x90, Buffer.from([...twoBytes(id), 0x80]))),
	),
	breach("UNSUBACKs for nothing", () => times(1000, (id) => packet(0xb0, twoBytes(id)))),
	breach("AUTH, of MQTT 5", () => packet(0xf0, Buffer.from([0x18, 0]))),
	breach("DISCONNECT, of MQTT 5", () => packet(0xe0)),
	breach("a SUBSCRIBE of the broker's", () =>
		packet(0x82, Buffer.concat([twoBytes(1), withLength("#"), Buffer.from([0])])),
	),
	breach("a CONNECT of the broker's", () =>
		packet(0x10, Buffer.concat([withLength("MQTT"), Buffer.from([4, 2, 0, 0]), withLength("x")])),
	),
	breach("reserved flags set", () => Buffer.concat([packet(0xdf), packet(0x4f, twoBytes(1))]), {
		quick: true,
	}),
	breach("packet type 0", () => packet(0x00)),
	{
		name: "a stall in the middle of a packet",
		attack: (session) =>
			void session.send(publish(`${base}/availability`, Buffer.alloc(60_000, "x")).subarray(0, 20_000)),
		// Nothing else may stand in the middle of it.
		answer: ({ attackedAt }) => attackedAt !== undefined,
	},
	{
		name: "one byte a millisecond",
		quick: true,
		attack: (session) => {
			const bytes = publish(`${base}/command`, "ensure");
			session.flood((index) => bytes.subarray(index % bytes.length, (index % bytes.length) + 1), {
				perSecond: 1000,
			});
		},
		answer: ({ attackedAt }) => attackedAt !== undefined,
	},
	{
		name: "no SUBACK",
		answer: (_, { type }) => type === TYPE.subscribe,
	},
	{
		name: "every subscription refused",
		answer: (session, { type, body }) => {
			if (type !== TYPE.subscribe) return false;
			// As many codes as there can be topics in so many bytes.
			const codes = Buffer.alloc(countTopics(body), 0x80);
			session.send(packet(0x90, Buffer.concat([body.subarray(0, 2), codes])));
			return true;
		},
	},
	{ name: "no PINGRESP", answer: (_, { type }) => type === TYPE.pingreq },
	{ name: "no PUBACK", answer: (_, { type }) => type === TYPE.publish, quick: true },
	greeting("CONNACK, then the end", (session) => {
		session.send(CONNACK);
		session.later(30, () => session.reset());
	}),
	greeting(
		"HTTP in the place of MQTT",
		(session) => {
			session.send(Buffer.from("HTTP/1.1 400 Bad Request\r\nServer: \u001b[31mx\r\n\r\n"));
		},
		{ leaves: true },
	),
	greeting("silence", () => {}, { quick: true }),
	greeting("a CONNACK in two pieces, 8 s apart", (session) => {
		session.send(CONNACK.subarray(0, 1));
		session.later(8000, () => session.send(CONNACK.subarray(1)));
	}),
	greeting("a CONNACK with an unknown code", (session) => {
		session.send(packet(0x20, Buffer.from([0, 0xee])));
	}),
	greeting(
		"a flood in the place of CONNACK",
		(session) => session.flood(() => publish(`${base}/availability`, "offline")),
		{ floods: true, leaves: true },
	),
];

function countTopics(body: Buffer): number {
	let count = 0;
	for (let at = 2; at < body.length; at += 3 + body.readUInt16BE(at)) count++;
	return count;
}
