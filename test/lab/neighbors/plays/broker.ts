import { resident } from "../../meter.ts";
import { pause, until } from "../../wait.ts";
import { BOUNDS, type Ledger } from "../ledger.ts";
import { Neighbor } from "../neighbor.ts";
import type { Play } from "../play.ts";
import { base } from "../programs/modes/mode.ts";
import { MODES, type Mode } from "../programs/modes.ts";
import { birdChanges, inWorld, linesOf, redial, sessionKept, stops, type World, wipes } from "../world.ts";

/** Milliseconds of a mode that has to be left, once the wipes are over, and of the others: what is said slowly takes so long. */
const LEFT_WATCHED = 3000;
const WATCHED = 6000;
/** Of one whose harm would come with the third look at what the broker keeps. */
const WATCHED_LONG = 45_000;

export const BROKERS: readonly Play[] = MODES.map((mode) => ({
	group: "broker",
	name: mode.name,
	quick: mode.quick === true,
	run: (ledger: Ledger) => play(mode, ledger),
}));

async function play(mode: Mode, ledger: Ledger): Promise<void> {
	let broker: Neighbor | undefined;
	const start = async (lab: World["lab"]) => {
		broker = await Neighbor.start(lab.broker, "broker", [mode.name]);
	};
	try {
		await inWorld(ledger, { broker: true, before: start }, async (world) => {
			if (broker) await attack(mode, broker, world, ledger);
		});
	} finally {
		await broker?.stop();
	}
}

async function attack(mode: Mode, broker: Neighbor, world: World, ledger: Ledger): Promise<void> {
	const { daemon, lab } = world;
	await broker.until("to be told everything", () =>
		[`${base}/state`, `${base}/peer/waukeen/state`].every((topic) =>
			broker.told("published").some((each) => each.topic === topic),
		),
	);
	const before = resident(daemon.process.pid);
	const emptied = broker.told("emptied").length;

	broker.tell("begin");
	await broker.until("to be dialed again", (reports) => reports.some(({ kind }) => kind === "attacked"), {
		timeout: 20_000,
	});
	const began = performance.now();
	await wipes(world, ledger);
	await birdChanges(world, ledger);
	const watched = mode.long ? WATCHED_LONG : mode.leaves ? LEFT_WATCHED : WATCHED;
	await pause(Math.max(0, watched - (performance.now() - began)));
	if (mode.leaves) await left(broker, world, ledger);
	sessionKept(world, ledger);
	ledger.cost(world.meter.read(), mode.floods ? "flooded" : "quiet");
	ledger.lines(linesOf(world).length);
	for (const { topic, own } of broker.told("emptied").slice(emptied)) {
		const isShown = own || topic.startsWith(`${base}/`) || mode.shown?.test(topic) === true;
		ledger.holds(isShown, `emptied ${topic}, which was not shown to be the router's`);
	}
	ledger.clean("status.json", lab.router.read("/var/run/bgpwarden/status.json") ?? "");
	ledger.clean("the log", daemon.process.lines.join("\n"));

	// When it is over
	broker.tell("end");
	const after = await until("the memory to be given back", () => resident(daemon.process.pid), {
		holds: (now) => now <= before + BOUNDS.kept,
		every: 200,
		timeout: 5000,
	}).catch(() => resident(daemon.process.pid));
	ledger.note(`${before.toFixed(1)} -> ${after.toFixed(1)} MB`);
	ledger.atMost("memory kept", after - before, BOUNDS.kept, (value) => `${value.toFixed(1)} MB`);

	// SIGTERM in the middle of it
	broker.tell("begin");
	const attacks = broker.told("attacked").length;
	redial(world);
	await broker.until("to be dialed once more", () => broker.told("attacked").length > attacks, {
		timeout: 20_000,
	});
	await pause(500);
	await stops(world, ledger);
}

/** The daemon leaves each connection of these, soon and with a line. */
async function left(broker: Neighbor, world: World, ledger: Ledger): Promise<void> {
	const [first] = broker.told("attacked");
	if (!first) return;
	const closed = () => broker.told("closed").find(({ connection }) => connection === first.connection);
	const end = await until("the connection to be left", closed, { timeout: BOUNDS.leave }).catch(
		() => undefined,
	);
	const taken = end?.milliseconds ?? Number.POSITIVE_INFINITY;
	const shown = (value: number) => (Number.isFinite(value) ? `${(value / 1000).toFixed(1)} s` : "not at all");
	ledger.note(`left after ${shown(taken)}`);
	ledger.atMost("until it was left", taken, BOUNDS.leave, shown);
	const lines = linesOf(world).filter((line) => /MQTT/.test(line));
	ledger.holds(lines.length >= 1, "the log has no line about the broker that was left");
}
