import { parsePublish, publish, TYPE } from "../mqtt-packets.ts";
import type { Session } from "../session.ts";
import { base, device, discovery, type Mode, ownDevice } from "./mode.ts";

const retain = { retain: true } as const;

/** One after the other, as slowly as a person would. */
function slowly(session: Session, messages: readonly Uint8Array[]): void {
	for (const [index, message] of messages.entries())
		session.later(index * 150, () => void session.send(message));
}

/** Names that mean something to JavaScript, or to a path. */
const NAMES = [
	"__proto__",
	"constructor",
	"toString",
	"hasOwnProperty",
	"..",
	"",
	"waukeen/../spare",
	"\u001b[2J",
	"x".repeat(60_000),
];

/** What a state of another daemon may hold in the place of what is expected. */
const FORGED = [
	'{"started":"2020-01-01T00:00:00Z\\u001b[31mEVIL\\u202e","instance":"00000000"}',
	'{"started":1e400,"instance":1e400}',
	'{"started":{"toString":1},"instance":[]}',
	'{"__proto__":{"instance":"x","started":"y"},"constructor":1}',
	'{"started":"2020-01-01T00:00:00Z","instance":"","peers":-1}',
	`{"started":"${"9".repeat(60_000)}","instance":"x"}`,
	"[]",
	"null",
	"99999999999999999999999999",
	"{",
	"[".repeat(30_000),
	`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
	'"\\ud800"',
];

/** A stranger's messages that come near to what this router left: whatever is removed for them is somebody else's. */
const NEARLY_OURS: readonly (readonly [topic: string, payload: string])[] = [
	[discovery(`x${device}y`), ownDevice(device)],
	[discovery("other_device"), ownDevice(device)],
	[`secret/${device}/config`, ownDevice(device)],
	// The router `router_lab`, and a state that makes a peer `lab` of this one believable
	[
		discovery(`${device}_lab`),
		JSON.stringify({
			device: { identifiers: [`${device}_lab`] },
			origin: { name: "bgpwarden", sw_version: "0.1.0" },
			availability: [{ topic: `${base}_lab/availability` }],
		}),
	],
	[`${base}/peer/lab/state`, "{}"],
	[`${base}/peer/office/availability`, "online"],
	[
		discovery(`${device}_office`),
		JSON.stringify({
			device: { identifiers: [`${device}_office`], via_device: "zigbee2mqtt" },
			availability: [{ topic: `${base}_office/availability` }],
		}),
	],
	[`${base}/peer/../state`, "{}"],
	[discovery(`${device}_typed`), '{"device":{"identifiers":"bgpwarden_router"},"availability":{}}'],
	[discovery(`${device}_deep`), "[".repeat(30_000)],
];

/** Brokers that keep the protocol, and say what is not so. */
export const LIES: readonly Mode[] = [
	{
		name: "commands that were retained",
		attack: (session) =>
			slowly(session, [
				publish(`${base}/command`, "flush", retain),
				publish(`${base}/command`, "ensure", retain),
				publish(`${base}/peer/waukeen/command`, "restart", retain),
			]),
	},
	{
		name: "commands for peers called __proto__",
		quick: true,
		attack: (session) =>
			slowly(session, [
				...NAMES.map((name) => publish(`${base}/peer/${name}/command`, "restart")),
				...["restart all", "restart\n", "RESTART", "restart\u0000", "\ufeffrestart", "release"].map((word) =>
					publish(`${base}/peer/waukeen/command`, word),
				),
				publish(`${base}/command`, Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80])),
				publish(`${base}/command`, "release"),
			]),
	},
	{
		name: "states of another daemon, with anything in them",
		quick: true,
		attack: (session) =>
			slowly(
				session,
				FORGED.flatMap((state) => [
					publish(`${base}/state`, state, retain),
					publish(`${base}/peer/waukeen/state`, state, retain),
					publish(`${base}/availability`, state),
				]),
			),
	},
	{
		name: "discovery that is almost the router's",
		quick: true,
		attack: (session) =>
			slowly(
				session,
				NEARLY_OURS.map(([topic, payload]) => publish(topic, payload, retain)),
			),
	},
	{
		name: "everything acknowledged, nothing kept",
		long: true,
		answer: (session, packet) => {
			if (packet.type !== TYPE.publish) return false;
			const { id } = parsePublish(packet);
			if (id !== undefined) session.send(Buffer.from([0x40, 2, id >> 8, id & 255]));
			return true;
		},
	},
	{
		name: "last wills, as often as a broker may send something",
		quick: true,
		attack: (session) => session.flood(() => publish(`${base}/availability`, "offline"), { perSecond: 45 }),
	},
	{
		name: "commands that are right, as often as a broker may send something",
		attack: (session) =>
			session.flood((index) => publish(`${base}/command`, index % 2 === 0 ? "ensure" : "flush"), {
				perSecond: 45,
			}),
	},
	{
		name: "birth messages and last wills, once a second",
		attack: (session) =>
			session.flood(
				(index) =>
					index % 2 === 0
						? publish("homeassistant/status", "online")
						: publish(`${base}/availability`, "offline"),
				{ perSecond: 2 },
			),
	},
];
