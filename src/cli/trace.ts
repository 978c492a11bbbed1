import { hostAddress } from "../config/kinds.ts";
import { readConfiguration } from "../config/read.ts";
import { printable, quoted } from "../lib/printable.ts";
import { BGP_PORT } from "../model/ports.ts";
import type { Platform } from "../platform/types.ts";
import { readStatus } from "../system/control/client.ts";
import { startTracer } from "../system/nft/tracer.ts";
import type { TextOptions } from "./text/layout.ts";
import { renderTrace } from "./text/trace-lines.ts";

/** What `bgpwarden trace` is asked for. */
export interface Tracing {
	/** A peer's name, or an address. */
	readonly peer: string;
	readonly seconds: number;
	readonly configPath: string;
	readonly runDirectory: string;
}

/**
 * `trace`: a peer's packets, each with its way through the ruleset, until the time is up or SIGINT comes.
 * @returns 0, or 1 when it cannot be
 */
export async function trace(platform: Platform, tracing: Tracing, options: TextOptions): Promise<number> {
	const found = findAddress(platform, tracing);
	if ("unknown" in found) {
		platform.print("stderr", `bgpwarden: trace: ${found.unknown}\n`);
		return 1;
	}
	const { address, ports } = found;
	let seen = 0;
	let finish: (failure?: string) => void = () => {};
	const finished = new Promise<string | undefined>((resolve) => {
		finish = resolve;
	});
	const tracer = await startTracer(platform, {
		address,
		ports,
		onTraces(traces) {
			const { monotonic, wall } = platform.now();
			for (const each of traces) {
				seen++;
				platform.print("stdout", `${renderTrace(each, wall - (monotonic - each.at), options)}\n`);
			}
		},
		onEnd: finish,
	});
	if ("reason" in tracer) {
		const needs = "a kernel from 5.12 on and nft from 0.9.9 on, and to be root";
		platform.print("stderr", `bgpwarden: trace: ${printable(tracer.reason, 300)} (this needs ${needs})\n`);
		return 1;
	}
	const who = address === tracing.peer ? address : `${tracing.peer} (${address})`;
	platform.print("stderr", `Tracing BGP and BFD of ${who} for ${tracing.seconds} s; Ctrl-C ends it.\n\n`);
	platform.onSignal("SIGINT", () => finish());
	platform.onSignal("SIGTERM", () => finish());
	platform.onSignal("SIGHUP", () => finish());
	const timer = platform.after(tracing.seconds * 1000, () => finish());
	const failure = await finished;
	timer.cancel();
	await tracer.stop();
	if (failure !== undefined) {
		platform.print("stderr", `bgpwarden: trace: ${printable(failure, 300)}\n`);
		return 1;
	}
	const nothing = `No BGP or BFD packet from or to ${address} was seen.`;
	const count = `${seen} ${seen === 1 ? "packet" : "packets"}; of very many, only some are shown.`;
	platform.print("stderr", `${seen === 0 ? nothing : count}\n`);
	return 0;
}

/** The peer's address: as it is, or as the daemon knows it, or as it is configured; and BGP's ports. */
function findAddress(
	platform: Platform,
	{ peer, configPath, runDirectory }: Tracing,
): { address: string; ports: readonly number[] } | { unknown: string } {
	const given = hostAddress.read(peer);
	const addresses = new Map<string, string>();
	const read = readConfiguration(platform.files, configPath);
	const peers = "config" in read ? read.config.peers : [];
	for (const { name, address } of peers) if (address !== undefined) addresses.set(name, address);
	const status = runningStatus(platform, runDirectory);
	for (const { name, neighbor_address } of status?.peers ?? [])
		if (neighbor_address !== undefined) addresses.set(name, neighbor_address);
	const ports = status?.router.ports ?? [...new Set([BGP_PORT, ...peers.flatMap(({ port }) => port ?? [])])];
	const address = given ?? addresses.get(peer);
	if (address !== undefined) return { address, ports };
	const known = [...addresses.keys()].sort().join(", ");
	const hint =
		known === ""
			? "; without a daemon that runs, give its address, or configure it"
			: `; there is ${printable(known, 200)}`;
	return { unknown: `no peer ${quoted(peer)} with an address is known${hint}` };
}

/** A state that cannot be read is no reason not to look at packets. */
function runningStatus(platform: Platform, runDirectory: string) {
	try {
		return readStatus(platform, runDirectory);
	} catch {
		return undefined;
	}
}
