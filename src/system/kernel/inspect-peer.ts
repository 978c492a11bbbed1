import { parseAddress } from "../../lib/address.ts";
import type { Inspection } from "../../model/inspection.ts";
import { runToEnd } from "../../platform/supervise.ts";
import type { Platform } from "../../platform/types.ts";
import { filterOf } from "../conntrack/delete-filter.ts";
import { listFlows, readLocalAddresses } from "../conntrack/list-flows.ts";
import type { IsLocal } from "../conntrack/local-addresses.ts";
import { parseNeighbor } from "./ip-text.ts";
import { findListener } from "./listeners.ts";
import { connectedNetwork } from "./networks.ts";
import { askRoute, type RouteTarget } from "./route.ts";

/** Milliseconds until an `ip` that does not end is killed. */
const PATIENCE = 2000;
/** Conntrack entries kept as evidence. */
const MOST_FLOWS = 4;

/** What is to be asked about a peer. */
export interface InspectionTarget extends RouteTarget {
	/** TCP ports of BGP. */
	readonly ports: readonly number[];
	/** The address that BIRD is to use, canonical text. */
	readonly localAddress?: string | undefined;
	/** Where BIRD could not listen: who does? Without an address: on all of the family. */
	readonly listen?: { readonly port: number; readonly address?: string } | undefined;
}

/**
 * Asks the kernel about a peer that is down: its route, its neighbor entry, conntrack's entries of BGP with it, and whether
 * this router is what BIRD takes it for.
 * @returns never a rejection; what could not be asked is absent
 */
export async function inspectPeer(platform: Platform, peer: InspectionTarget): Promise<Inspection> {
	const isLocal = readLocal(platform);
	// Nobody has a route to a whole range.
	if (peer.address.includes("/")) return askOwn(platform, peer, isLocal);
	const [path, flows] = await Promise.all([askPath(platform, peer), askFlows(platform, peer, isLocal)]);
	return { ...path, ...(flows ? { flows } : {}), ...askOwn(platform, peer, isLocal) };
}

function readLocal(platform: Platform): IsLocal | undefined {
	try {
		return readLocalAddresses(platform);
	} catch {
		return undefined;
	}
}

function askOwn(
	{ files }: Platform,
	{ address, zone, localAddress, listen }: InspectionTarget,
	isLocal: IsLocal | undefined,
): Inspection {
	const [host = "", bits] = address.split("/");
	const parsed = parseAddress(host);
	if (!parsed) return {};
	const network = bits === undefined ? connectedNetwork(files, parsed, zone) : undefined;
	const listener = listen && findListener(files, { family: parsed.family, ...listen });
	return {
		...(network === undefined ? {} : { network }),
		...(localAddress === undefined || !isLocal ? {} : { hasLocalAddress: isLocal(localAddress) }),
		...(listener === undefined ? {} : { listener }),
	};
}

async function askPath(platform: Platform, target: RouteTarget): Promise<Inspection> {
	const asked = await askRoute(platform, target);
	const { route } = asked;
	if (!route) return asked;
	const { address, zone } = target;
	const next = route.gateway ?? address;
	let neighbor = await askNeighbor(platform, next);
	if (neighbor !== undefined && neighbor !== "none" && neighbor.state === "STALE") {
		// It was there once. One packet has the kernel find out whether it still is.
		const from = zone === undefined ? [] : ["-I", zone];
		await runToEnd(platform, ["ping", "-c", "1", "-W", "1", ...from, next], {
			timeout: PATIENCE,
			limit: 4096,
		});
		neighbor = await askNeighbor(platform, next);
	}
	return { route, ...(neighbor === undefined ? {} : { neighbor }) };
}

async function askNeighbor(platform: Platform, address: string): Promise<Inspection["neighbor"]> {
	const family = address.includes(":") ? "-6" : "-4";
	const seen = await runToEnd(platform, ["ip", family, "neigh", "show", "to", address], {
		timeout: PATIENCE,
		limit: 4096,
	});
	return "code" in seen.status && seen.status.code === 0 ? parseNeighbor(seen.stdout) : undefined;
}

async function askFlows(
	platform: Platform,
	{ address, ports }: InspectionTarget,
	isLocal: IsLocal | undefined,
): Promise<Inspection["flows"]> {
	if (!isLocal) return undefined;
	const flows = await listFlows(platform, ports, (flow) => {
		// What merely passes through this router stays tracked.
		if (flow.protocol !== "tcp" || filterOf(flow, isLocal, ports) === undefined) return false;
		const { source, destination } = flow.original;
		return source === address || destination === address;
	});
	return typeof flows === "string" ? undefined : flows.slice(0, MOST_FLOWS);
}
