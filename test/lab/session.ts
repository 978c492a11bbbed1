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
export async function establish(lab: Lab, config: UciOptions = {}): Promise<Session> {
	const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false }, ...config });
	const bird = await startBird(lab.router, birdMultihop());
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
	const neighbor = await frr.vtysh(`show bgp neighbors ${network.router.lan}`);
	const counts = neighbor.match(/Connections established (\d+); dropped (\d+)/)?.[0];
	const [name, kind, table, state, , info] = protocol?.trim().split(/\s+/) ?? [];
	return `${[name, kind, table, state, info].join(" ")} | ${counts}`;
}

/**
 * The mark of a session that has come to rest. As FRR dials it learns its own address and replaces its BFD session
 * (`bgp_peer_bfd_update_source`), which may cost it the BGP session that it has just begun.
 */
export async function settledMark({ bird, frr }: Pick<Session, "bird" | "frr">): Promise<string> {
	let last: string | undefined;
	return until(
		"one and the same session, in two looks a second apart",
		async () => {
			await untilUp(bird, frr);
			const before = last;
			last = await sessionMark({ bird, frr });
			return last === before ? last : "";
		},
		{ every: 1000, timeout: 30_000 },
	);
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
