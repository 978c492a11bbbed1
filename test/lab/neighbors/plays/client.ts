import { type Mosquitto, startMosquitto } from "../../programs.ts";
import { pause, until } from "../../wait.ts";
import { BOUNDS, type Ledger } from "../ledger.ts";
import { Neighbor } from "../neighbor.ts";
import type { Play } from "../play.ts";
import { base } from "../programs/modes/mode.ts";
import { birdChanges, inWorld, linesOf, redial, sessionKept, stops, type World, wipes } from "../world.ts";

const PER_SECOND = 30_000;
/** Milliseconds until a broker that was left is dialed again, at the latest. */
const COMES_BACK = 65_000;

interface Flood {
	readonly name: string;
	/** Topic, payload, topic, payload, … */
	readonly messages: readonly string[];
	readonly quick?: boolean;
	/** It is also looked at when the broker is dialed again afterwards. */
	readonly ends?: boolean;
}

const FLOODS: readonly Flood[] = [
	{ name: "the router's command topic", messages: [`${base}/command`, "x"], quick: true },
	{
		name: "command topics of peers",
		messages: ["waukeen", "__proto__", "spare", "constructor"].flatMap((name) => [
			`${base}/peer/${name}/command`,
			"restart\u001b[2J",
		]),
	},
	{ name: "Home Assistant's birth message", messages: ["homeassistant/status", "online"], ends: true },
	{
		name: "the router's own retained topics",
		messages: [
			...[`${base}/availability`, "offline", `${base}/state`, '{"started":"x","instance":"y"}'],
			...[`${base}/peer/waukeen/state`, "{}", `${base}/peer/waukeen/availability`, "offline"],
		],
	},
];

/** A client that has no more rights than to publish, on a real mosquitto. */
export const CLIENTS: readonly Play[] = FLOODS.map((flood) => ({
	group: "MQTT client",
	name: `${PER_SECOND} messages a second on ${flood.name}`,
	quick: flood.quick === true,
	run: (ledger: Ledger) => play(flood, ledger),
}));

async function play(flood: Flood, ledger: Ledger): Promise<void> {
	let client: Neighbor | undefined;
	let broker: Mosquitto | undefined;
	const before = async (lab: World["lab"]) => {
		broker = await startMosquitto(lab.broker, { log: ["error", "information", "notice"] });
		client = await Neighbor.start(lab.broker, "publisher", [PER_SECOND, ...flood.messages]);
	};
	try {
		await inWorld(ledger, { broker: true, before }, async (world) => {
			if (!client || !broker) return;
			await drown(client, broker, world, ledger);
			if (flood.ends) {
				await client.stop();
				const { mqtt } = await world.daemon.untilStatus(
					"the broker again",
					({ mqtt }) => mqtt?.connected === true,
					{
						timeout: COMES_BACK,
					},
				);
				ledger.holds(mqtt?.connected === true, "the broker was not dialed again");
			} else {
				// SIGTERM in the middle of it
				redial(world);
				await pause(1500);
			}
			await stops(world, ledger);
		});
	} finally {
		await client?.stop();
	}
}

async function drown(client: Neighbor, broker: Mosquitto, world: World, ledger: Ledger): Promise<void> {
	const { daemon, lab } = world;
	const began = performance.now();
	client.tell("begin");
	// As the broker says, of the daemon's client id: a daemon that does not get to its work says nothing.
	const isLeft = () =>
		broker.process.lines.some((line) => /Client bgpwarden\S* .*(closed|disconnected)/.test(line));
	const left = until("the broker to be left", isLeft, { timeout: BOUNDS.leave, every: 20 }).then(
		() => performance.now() - began,
		() => Number.POSITIVE_INFINITY,
	);
	await wipes(world, ledger);
	await birdChanges(world, ledger);
	const shown = (value: number) => (Number.isFinite(value) ? `${(value / 1000).toFixed(1)} s` : "not at all");
	const taken = await left;
	ledger.note(`left after ${shown(taken)}`);
	ledger.atMost("until the broker was left", taken, BOUNDS.leave, shown);
	const lines = linesOf(world);
	ledger.holds(
		lines.some((line) => /MQTT/.test(line)),
		"the log has no line about the broker that was left",
	);
	sessionKept(world, ledger);
	ledger.cost(world.meter.read(), "flooded");
	ledger.lines(lines.length);
	ledger.clean("status.json", lab.router.read("/var/run/bgpwarden/status.json") ?? "");
	ledger.clean("the log", daemon.process.lines.join("\n"));
	client.tell("count");
	await client.until("to say how much", (reports) => reports.some(({ kind }) => kind === "count"));
	const count = client.told("count").at(-1)?.count ?? 0;
	const rate = count / ((performance.now() - began) / 1000);
	ledger.note(`${rate.toFixed(0)} a second`);

	ledger.holds(rate > PER_SECOND / 2, `the client has published only ${count} messages`);
}
