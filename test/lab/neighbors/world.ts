import type { StoredEvent } from "../../../src/model/event.ts";
import { configFile, type Daemon, repairing, startDaemon, type UciOptions, type Warden } from "../daemon.ts";
import type { Host } from "../host.ts";
import { type Lab, startLab } from "../lab.ts";
import { Meter } from "../meter.ts";
import { network } from "../network.ts";
import { type Bird, birdBgp, birdDirect, startBird } from "../programs.ts";
import { tableListing } from "../session.ts";
import { pause, until } from "../wait.ts";
import { BOUNDS, type Ledger } from "./ledger.ts";

const { router, peer } = network;

/** A router whose table is repaired, not owned, with a peer that is Established. */
export interface World {
	readonly lab: Lab;
	readonly bird: Bird;
	readonly speaker: Bird;
	/** The configuration of `bird`. */
	readonly routerConfig: string;
	readonly warden: Warden;
	readonly daemon: Daemon;
	/** The table as it has to be; a flood of SYNs makes it another one. */
	table: string;
	/** Lines of the log, and events, before the play. */
	readonly linesBefore: number;
	readonly eventsBefore: number;
	/** Measures the daemon since the world stands. */
	readonly meter: Meter;
}

export const TABLE = ["inet", "custom_bgp"] as const;

/** The speaker's BIRD: it dials soon, and again soon. */
export const speakerBird = (more = ""): string => `router id 9.9.9.9;
log stderr { warning, error, fatal };
protocol device { }
protocol static { ipv4; route ${network.service} unreachable; }
protocol bfd { interface "eth0"; }
protocol bgp up {
	local ${network.speaker.address} as ${network.speaker.as};
	neighbor ${router.lan} as ${router.as};
	connect delay time 1;
	connect retry time 3;
	error wait time 1, 3;
	bfd on;
	ipv4 { import none; export all; };
}
${more}`;

/** A protocol that appears and goes without anything else changing. */
const spare = birdBgp("spare", "192.168.1.99", 65_099, "disabled;");

export interface WorldOptions {
	/** The configurations of the router's BIRD and of the speaker's; by default the two of `waukeen`. */
	readonly router?: string;
	readonly speaker?: string;
	readonly config?: UciOptions;
	/** Started before the daemon. */
	readonly before?: (lab: Lab) => Promise<void>;
	/** Whether a broker has to be connected before the play. */
	readonly broker?: boolean;
}

/** Plays in a world of its own, which is gone afterwards. */
export async function inWorld(
	ledger: Ledger,
	{
		router: routerConfig = birdDirect(),
		speaker: speakerConfig = speakerBird(),
		config = {},
		before,
		broker = false,
	}: WorldOptions,
	play: (world: World) => Promise<void>,
): Promise<void> {
	const lab = await startLab();
	let meter: Meter | undefined;
	try {
		const bird = await startBird(lab.router, routerConfig);
		const speaker = await startBird(lab.speaker, speakerConfig);
		await before?.(lab);
		// A daemon that starts before would restart a peer that is about to come up.
		await until("the session", () => bird.peer(), {
			holds: ({ bgp, bfd }) => bgp === "Established" && (bfd === undefined || bfd === "Up"),
			timeout: 20_000,
		});
		const { warden, daemon } = startDaemon(lab.router, {
			main: { router_id: "router", poll_interval: 1, ...repairing, ...config.main },
			mqtt: broker ? { commands: true } : { enabled: false },
			peers: config.peers ?? [],
		});
		ledger.log = daemon.process;
		await daemon.untilStatus(
			"the peer Established, the table in place",
			({ router, peers, mqtt }) =>
				router.protection === "installed" &&
				(!broker || mqtt?.connected === true) &&
				peers.some(({ name, state }) => name === peer && state === "Established"),
			{ timeout: 30_000 },
		);
		meter = new Meter(daemon.process.pid);
		// With scope `peers` it is installed once more when the peers are known.
		const table =
			config.main?.scope === "peers" ? await tableWithPeer({ lab, warden }) : await tableListing(lab.router);
		const linesBefore = daemon.process.lines.length;
		const eventsBefore = warden.events().length;
		await play({ lab, bird, speaker, routerConfig, warden, daemon, table, linesBefore, eventsBefore, meter });
	} finally {
		meter?.stop();
		await lab.stop();
	}
}

/** Waits until the peer's address is in the table. @returns its listing */
export function tableWithPeer({ lab, warden }: Pick<World, "lab" | "warden">): Promise<string> {
	const neighbor = warden.status()?.peers.find(({ name }) => name === peer)?.neighbor_address;
	return until("the table, with the peer", () => tableListing(lab.router), {
		holds: (listed) => neighbor !== undefined && listed.includes(neighbor),
	});
}

/** Takes the table away and waits until it is as it was. @returns milliseconds, see `untilTable` */
async function wipe(world: World, how: "delete" | "flush" = "delete"): Promise<number> {
	// A daemon that has not repaired the last one leaves nothing to delete.
	const argv = how === "delete" ? ["nft", "delete", "table", ...TABLE] : ["nft", "flush", "ruleset"];
	await world.lab.router.run(argv, { allowFailure: true });
	return untilTable(world);
}

/** Waits until the table is as it was. @returns milliseconds; infinite: not within ten seconds */
export async function untilTable({ lab, table }: World): Promise<number> {
	const start = performance.now();
	return until("the table", () => tableListing(lab.router), {
		holds: (listed) => listed === table,
		every: 5,
		timeout: 10_000,
	}).then(
		() => performance.now() - start,
		() => Number.POSITIVE_INFINITY,
	);
}

/** Wipes the table several times, in each of these ways by turns. */
export async function wipes(
	world: World,
	ledger: Ledger,
	count = 3,
	ways: readonly ("delete" | "flush")[] = ["delete", "flush"],
): Promise<void> {
	const times: number[] = [];
	for (let made = 0; made < count; made++) {
		times.push(await wipe(world, ways[made % ways.length]));
		// Single wipes: a fight, of ten within 2 s, is another matter.
		await pause(300);
	}
	ledger.repairs(times);
}

/** A protocol comes to BIRD and goes, and status.json has to say so. */
export async function birdChanges(
	{ bird, routerConfig, warden }: Pick<World, "bird" | "routerConfig" | "warden">,
	ledger: Ledger,
): Promise<void> {
	for (const [what, more] of [
		["comes", spare],
		["goes", ""],
	] as const) {
		await bird.configure(routerConfig + more);
		const start = performance.now();
		const isThere = () => warden.status()?.peers.some(({ name }) => name === "spare") === true;
		await until(`a peer that ${what}`, isThere, {
			holds: (there) => there === (what === "comes"),
			timeout: BOUNDS.bird + 5000,
		}).catch(() => undefined);
		ledger.atMost(
			`status.json, after a protocol ${what}`,
			performance.now() - start,
			BOUNDS.bird,
			(value) => `${value.toFixed(0)} ms`,
		);
	}
}

/** Lines of the log since the world stood, but for those that wipes and BIRD's changes bring. */
export function linesOf({ daemon, linesBefore }: World): string[] {
	const expected = /^(warn: )?(table inet custom_bgp[ ;]|peer spare |\(\d+ similar messages suppressed\))/;
	return daemon.process.lines.slice(linesBefore).filter((line) => !expected.test(line));
}

/** SIGTERM, whatever goes on: the daemon has to end, and to leave no child. */
export async function stops({ lab, daemon }: Pick<World, "lab" | "daemon">, ledger: Ledger): Promise<void> {
	const start = performance.now();
	const ended = await daemon.process.end("SIGTERM", 10_000).catch(() => undefined);
	const taken = performance.now() - start;
	ledger.atMost("SIGTERM to the end", taken, BOUNDS.stop, (value) => `${value.toFixed(0)} ms`);
	ledger.holds(
		ended?.code === 0,
		`SIGTERM ended it with ${ended ? (ended.signal ?? `code ${ended.code}`) : "nothing"}`,
	);
	const left = () => lab.router.processes().map((pid) => commandLine(lab.router, pid));
	const ours = /^(nft|nc|birdcl|ubus|openssl|conntrack|ping|ip) /;
	await until("its children to be gone", left, {
		holds: (commands) => !commands.some((command) => ours.test(command)),
		timeout: 2000,
	}).catch((error: Error) => ledger.broken.push(error.message));
}

function commandLine(host: Host, pid: number): string {
	return (host.read(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ");
}

/** Nothing that a neighbor of any kind may bring about: the session lost, the daemon's own doing included. */
export function sessionKept(world: World, ledger: Ledger): void {
	const status = world.warden.status()?.peers.find(({ name }) => name === peer);
	ledger.holds(
		status?.state === "Established" && status.flaps === 0,
		`${peer} is ${status?.state} after ${status?.flaps} flaps`,
	);
	ledger.holds(restarts(world, peer) === 0, `${peer} was restarted`);
}

/** How often the daemon has restarted a peer in this play. */
export function restarts(world: World, name: string): number {
	return eventsOf(world).filter((event) => event.event_type === "peer_nudged" && event.peer === name).length;
}

/** Events since the world stood. */
export function eventsOf({ warden, eventsBefore }: World): StoredEvent[] {
	return warden.events().slice(eventsBefore);
}

/** Has the daemon dial the broker at once, in the middle of whatever goes on: as another user, whom the broker takes as well. */
export function redial({ lab, warden, daemon }: Pick<World, "lab" | "warden" | "daemon">): void {
	const text = lab.router.read(configFile) ?? "";
	const heading = "config mqtt 'mqtt'\n";
	warden.configure(text.replace(heading, `${heading}\toption username 'again'\n\toption password 'x'\n`));
	daemon.reload();
}
