import { readdirSync, readlinkSync } from "node:fs";
import type { Status } from "../../src/model/status.ts";
import { bareListing } from "../../src/system/nft/table-listing.ts";
import { type Daemon, startDaemon, type UciOptions, type Warden } from "./daemon.ts";
import { contained, type Host } from "./host.ts";
import type { Lab } from "./lab.ts";
import { network } from "./network.ts";
import {
	type Bird,
	birdDirect,
	birdMultihop,
	type Frr,
	startBird,
	startFrr,
	startProxy,
} from "./programs.ts";
import { pause, until } from "./wait.ts";
import { bfdComesFirst } from "./world.ts";

/** BGP and BFD up between router and speaker, and the daemon running. */
export interface Session {
	readonly bird: Bird;
	readonly frr: Frr;
	readonly warden: Warden;
	readonly daemon: Daemon;
}

/** Starts BIRD, FRR (multihop) and the daemon (without MQTT, unless told), and waits until both ends are up. */
export async function establish(
	lab: Lab,
	config: UciOptions = {},
	birdConfig = birdMultihop(),
): Promise<Session> {
	const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false }, ...config });
	const bird = await startBird(lab.router, birdConfig);
	const frr = await startFrr(lab.speaker);
	await untilEstablished(daemon, { timeout: 30_000 });
	await untilUp(bird, frr);
	return { bird, frr, warden, daemon };
}

/**
 * Starts BIRD and FRR on a router whose proxy catches BGP. Where FRR begins multihop BFD only with a first session, they
 * have one before the proxy comes, and lose it.
 */
export async function meetProxy(lab: Lab, { multihop = true } = {}) {
	const haveMet = multihop && !bfdComesFirst;
	const early = haveMet ? undefined : await startProxy(lab.router);
	const bird = await startBird(lab.router, multihop ? birdMultihop() : birdDirect());
	const frr = await startFrr(lab.speaker, { multihop });
	if (early) return { proxy: early, bird, frr };
	await untilUp(bird, frr);
	const proxy = await startProxy(lab.router);
	await bird.control(`restart ${network.peer}`);
	return { proxy, bird, frr };
}

async function untilUp(bird: Bird, frr: Frr): Promise<void> {
	await until("BGP and BFD on both ends", async () => [await bird.peer(), await frr.peer()], {
		holds: (ends) => ends.every(({ bgp, bfd }) => bgp === "Established" && bfd?.toLowerCase() === "up"),
		timeout: 20_000,
	});
}

/** Waits until the daemon says that the speaker's session is up. */
export async function untilEstablished(daemon: Daemon, options: { timeout: number }): Promise<void> {
	const isUp = ({ name, state }: { name: string; state?: string }) =>
		name === network.peer && state === "Established";
	await daemon.untilStatus("the peer is Established", ({ peers }) => peers.some(isUp), options);
}

/**
 * What stays the same as long as one and the same session lasts, as each end tells it. Without BIRD's time of it, which is
 * the time of day less the session's age, computed anew for each answer: BIRD 2's differs by milliseconds.
 */
export async function sessionMark({ bird, frr }: Pick<Session, "bird" | "frr">): Promise<string> {
	const protocol = (await bird.control(`show protocols ${network.peer}`))
		.split("\n")
		.find((line) => line.startsWith(network.peer));
	const counts = await sessionCounts(frr);
	const [name, kind, table, state, , info] = protocol?.trim().split(/\s+/) ?? [];
	return `${[name, kind, table, state, info].join(" ")} | ${counts}`;
}

/** How many sessions FRR has had, and lost, in its words. */
async function sessionCounts(frr: Frr): Promise<string | undefined> {
	const neighbor = await frr.vtysh(`show bgp neighbors ${network.router.lan}`);
	return neighbor.match(/Connections established (\d+); dropped (\d+)/)?.[0];
}

/** Waits until two looks a second apart see the same; undefined is nothing to compare. */
async function settled(look: () => Promise<string | undefined>): Promise<string> {
	let last: string | undefined;
	const found = await until(
		"one and the same session, in two looks a second apart",
		async () => {
			const before = last;
			last = await look();
			return last === before ? last : undefined;
		},
		{ every: 1000, timeout: 30_000 },
	);
	return found ?? "";
}

/** As `settledMark`, by what FRR alone says: for a node that BIRD has under another name. */
export async function untilSettled(frr: Frr): Promise<void> {
	await settled(async () => ((await frr.peer()).bgp === "Established" ? sessionCounts(frr) : undefined));
}

/**
 * The mark of a session that has come to rest. As FRR dials it learns its own address and replaces its BFD session
 * (`bgp_peer_bfd_update_source`), which may cost it the BGP session that it has just begun.
 */
export async function settledMark({ bird, frr }: Pick<Session, "bird" | "frr">): Promise<string> {
	return settled(async () => {
		await untilUp(bird, frr);
		return sessionMark({ bird, frr });
	});
}

/** How often the daemon has seen the speaker's session lost, once that is up with BFD. */
export async function flapsSoFar(daemon: Daemon): Promise<number> {
	const speakers = ({ peers }: Status) => peers.find(({ name }) => name === network.peer);
	const status = await daemon.untilStatus("the session with its BFD", (status) => {
		const { state, bfd } = speakers(status) ?? {};
		return state === "Established" && bfd === "up";
	});
	return speakers(status)?.flaps ?? Number.NaN;
}

/** The processes of `nft monitor` on a host. */
export function monitorsOf(host: Host): number[] {
	return host
		.processes()
		.filter((pid) => /^(?:\/usr\/sbin\/)?nft\0monitor\0/.test(host.read(`/proc/${pid}/cmdline`) ?? ""));
}

/** Whether a process has subscribed to netfilter's messages: a socket of proto 12 in /proc/net/netlink, with groups. */
function listens(host: Host, pid: number): boolean {
	const sockets = (host.read(`/proc/${pid}/net/netlink`) ?? "").split("\n").flatMap((line) => {
		const [, protocol, , groups = "", ...columns] = line.trim().split(/\s+/);
		return protocol === "12" && Number.parseInt(groups, 16) !== 0 ? `socket:[${columns.at(-1)}]` : [];
	});
	try {
		return readdirSync(`/proc/${pid}/fd`).some((fd) =>
			sockets.includes(readlinkSync(`/proc/${pid}/fd/${fd}`)),
		);
	} catch {
		return false; // ended meanwhile
	}
}

/**
 * Waits until an `nft monitor` on the host listens. A change from before that is put back by the install that a new monitor is
 * shown, and counts as no repair.
 */
export async function untilWatched(host: Host): Promise<void> {
	await until("nft monitor to listen", () => monitorsOf(host).some((pid) => listens(host, pid)));
}

/** Looks at BIRD for half a second. @returns every state that was seen, once */
export async function statesSeen(bird: Bird): Promise<string[]> {
	const seen = new Set<string>();
	for (const end = performance.now() + 500; performance.now() < end; await pause(50)) {
		seen.add((await bird.peer()).bgp ?? "none");
	}
	return [...seen];
}

/** The kernel's own listing of the daemon's table, whoever owns it; empty when there is none. */
export async function tableListing(host: Host): Promise<string> {
	const listed = await host.run(["nft", "-s", "list", "table", "inet", "custom_bgp"], { allowFailure: true });
	return bareListing(listed.stdout);
}

/** Runs nft to its end. @returns its process id */
export async function nftPid(host: Host, argv: readonly string[]): Promise<number> {
	const nft = host.start(["nft", ...argv], { name: "nft" });
	const ended = await nft.ended;
	if (ended.code !== 0) throw new Error(`nft ${argv.join(" ")}:\n${nft.tail()}`);
	return nft.pid;
}

/** How a program is called in the log and the status of which nothing more than its name can be known. */
export const unknownProcess = "nft (pid unknown: this is a container)";

/** What is told of who changed the table: all of it, or in a container the program's name alone. */
export function toldOf<Told extends object>(told: Told): Told | Record<string, never> {
	return contained ? {} : told;
}
