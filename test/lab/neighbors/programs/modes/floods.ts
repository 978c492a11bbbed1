import { publish } from "../mqtt-packets.ts";
import { base, device, discovery, type Mode, ownDevice } from "./mode.ts";

const flood = { floods: true, leaves: true } as const;
const filler = "z".repeat(4000);
/** One byte more than the daemon takes. */
const oversized = Buffer.alloc(65_537, "x");
const identifier = (index: number) => (index % 65_534) + 1;

/** Brokers that send too much. */
export const FLOODS: readonly Mode[] = [
	{
		name: "QoS 2, 60 kB each, though the subscriptions are at QoS 0",
		...flood,
		quick: true,
		attack: (session) => {
			const payload = Buffer.alloc(60_000, "x");
			session.flood((index) => publish(`${base}/availability`, payload, { qos: 2, id: identifier(index) }));
		},
	},
	{
		name: "QoS 1, small, though the subscriptions are at QoS 0",
		...flood,
		quick: true,
		attack: (session) =>
			session.flood((index) => publish(`${base}/availability`, "x", { qos: 1, id: identifier(index) })),
	},
	{
		name: "QoS 0, 10,000 a second",
		...flood,
		quick: true,
		attack: (session) =>
			session.flood(() => publish(`${base}/availability`, "offline"), { perSecond: 10_000 }),
	},
	{
		name: "QoS 0, as fast as it can",
		...flood,
		quick: true,
		attack: (session) => session.flood(() => publish(`${base}/availability`, "offline")),
	},
	{
		name: "commands, 10,000 a second, with escape sequences",
		...flood,
		attack: (session) =>
			session.flood((index) => publish(`${base}/command`, `ensure\u001b[2J${index}`), {
				perSecond: 10_000,
			}),
	},
	{
		name: "birth messages, 1,000 a second",
		floods: true,
		attack: (session) => session.flood(() => publish("homeassistant/status", "online"), { perSecond: 1000 }),
	},
	{
		name: "oversized messages, as fast as it can",
		...flood,
		quick: true,
		attack: (session) => session.flood(() => publish(`${base}/availability`, oversized)),
	},
	{
		name: "oversized retained discovery",
		...flood,
		attack: (session) =>
			session.flood((index) => publish(discovery(`x${index}`), oversized, { retain: true })),
	},
	{
		name: "100 MB of retained discovery that looks like the router's own",
		...flood,
		quick: true,
		shown: new RegExp(`^homeassistant/device/${device}_\\d+/config$`),
		attack: (session) =>
			session.flood(
				(index) =>
					publish(discovery(`${device}_${index}`), ownDevice(`${device}_${index}`, { filler }), {
						retain: true,
					}),
				{ count: 25_000 },
			),
	},
	{
		name: "100 MB of retained discovery of others",
		...flood,
		attack: (session) =>
			session.flood(
				(index) => publish(discovery(`other_${index}`), JSON.stringify({ filler }), { retain: true }),
				{ count: 25_000 },
			),
	},
	{
		name: "100,000 retained states of peers that BIRD does not have",
		...flood,
		quick: true,
		attack: (session) =>
			session.flood((index) => publish(`${base}/peer/p${index}/state`, "{}", { retain: true }), {
				count: 100_000,
			}),
	},
	{
		name: "states of another daemon, 10,000 a second",
		...flood,
		attack: (session) =>
			session.flood(
				(index) =>
					publish(
						`${base}/state`,
						JSON.stringify({ started: `2020-01-01T00:00:0${index % 10}Z\u001b[31m`, instance: index }),
						{ retain: true },
					),
				{ perSecond: 10_000 },
			),
	},
	{
		name: "messages on topics that nobody asked for, 10,000 a second",
		...flood,
		attack: (session) => session.flood((index) => publish(`elsewhere/${index}`, "x"), { perSecond: 10_000 }),
	},
	{
		name: "answers to pings that were not sent, as fast as it can",
		...flood,
		attack: (session) => session.flood(() => Buffer.from([0xd0, 0])),
	},
];
