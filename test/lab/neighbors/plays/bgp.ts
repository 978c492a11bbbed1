import { network } from "../../network.ts";
import { birdBgp, birdDirect } from "../../programs.ts";
import { until } from "../../wait.ts";
import type { Ledger } from "../ledger.ts";
import { Neighbor } from "../neighbor.ts";
import type { Play } from "../play.ts";
import {
	birdChanges,
	eventsOf,
	inWorld,
	linesOf,
	restarts,
	sessionKept,
	stops,
	type World,
	wipes,
} from "../world.ts";

const ADDRESS = "192.168.1.66";
const AS = 65_066;
const NAME = "mallory";

/** Restarts of one peer in such a time: three with growing pauses, and then one in ten minutes. */
const RESTARTS = 4;
const FLUSHES = 10;
/** Up, down, what is said of it, and that it is healthy again: five of each kind a minute. */
const LINES = 30;

interface Mode {
	readonly name: string;
	readonly program: string;
	/** Milliseconds. */
	readonly lasts: number;
	/** How often it has to have done it by then, or the play has shown nothing. */
	readonly atLeast: number;
	/** Further lines of its protocol in the router's BIRD. */
	readonly extra?: string;
	readonly quick?: boolean;
}

/** BIRD waits for a minute after an error, longer each time, and takes no connection meanwhile; unless told otherwise. */
const PATIENT = "error wait time 1, 1; error forget time 1;";

const MODES: readonly Mode[] = [
	{
		name: "connects and closes 300 times a second",
		program: "churn",
		lasts: 12_000,
		atLeast: 1000,
		quick: true,
	},
	{ name: "opens and sends half a message, 20 times a second", program: "half", lasts: 12_000, atLeast: 100 },
	{
		name: "says goodbye with escape sequences and lines of BIRD's",
		program: "shutdown",
		lasts: 15_000,
		atLeast: 3,
		extra: PATIENT,
		quick: true,
	},
	{
		name: "has a host name with escape sequences and lines of BIRD's",
		program: "hostname",
		lasts: 15_000,
		atLeast: 2,
		extra: PATIENT,
		quick: true,
	},
	{ name: "announces 100,000 routes and withdraws them", program: "routes", lasts: 20_000, atLeast: 1 },
	{ name: "flaps each second for a minute", program: "flap", lasts: 60_000, atLeast: 20, extra: PATIENT },
	{ name: "flaps whenever BIRD lets it", program: "flap", lasts: 25_000, atLeast: 2 },
];

export const PEERS: readonly Play[] = MODES.map((mode) => ({
	group: "BGP peer",
	name: mode.name,
	quick: mode.quick === true,
	run: (ledger: Ledger) => play(mode, ledger),
}));

async function play(mode: Mode, ledger: Ledger): Promise<void> {
	let mallory: Neighbor | undefined;
	const router = birdDirect(birdBgp(NAME, ADDRESS, AS, `bfd off; ${mode.extra ?? ""}`));
	const before = async (lab: World["lab"]) => {
		await lab.speaker.run(["ip", "address", "add", `${ADDRESS}/24`, "dev", "eth0"]);
		mallory = await Neighbor.start(lab.speaker, "bgp-speaker", [
			...[mode.program, ADDRESS, network.router.lan, AS],
		]);
	};
	try {
		await inWorld(ledger, { router, before }, async (world) => {
			if (mallory) await bother(mode, mallory, world, ledger);
		});
	} finally {
		await mallory?.stop();
	}
}

async function bother(mode: Mode, mallory: Neighbor, world: World, ledger: Ledger): Promise<void> {
	const { daemon, lab, warden } = world;
	const began = performance.now();
	mallory.tell("begin");
	await wipes(world, ledger);
	await birdChanges(world, ledger);
	const isOver = () => performance.now() - began >= mode.lasts;
	await until("the time to be over", isOver, { timeout: mode.lasts + 5000, every: 200 });
	mallory.tell("count");
	await mallory.until("to say how much", (reports) => reports.some(({ kind }) => kind === "count"));
	const count = mallory.told("count").at(-1)?.count ?? 0;
	ledger.note(`${count} times`);
	ledger.holds(count >= mode.atLeast, `it could do so only ${count} times`);

	sessionKept(world, ledger);
	const flushes = eventsOf(world).filter((event) => event.event_type === "conntrack_flushed").length;
	ledger.note(`${restarts(world, NAME)} restarts`);
	ledger.atMost(`restarts of ${NAME}`, restarts(world, NAME), RESTARTS);
	ledger.atMost("flushes of conntrack", flushes, FLUSHES);
	ledger.cost(world.meter.read(), "busy");
	ledger.lines(linesOf(world).length, LINES);
	ledger.clean("status.json", lab.router.read("/var/run/bgpwarden/status.json") ?? "");
	ledger.clean("the log", daemon.process.lines.join("\n"));
	for (const verb of ["status", "peers", "events"]) ledger.clean(verb, (await warden.cli([verb])).stdout);
	await stops(world, ledger);
}
