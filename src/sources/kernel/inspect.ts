import { runToEnd } from "../../platform/supervise.ts";
import type { Platform } from "../../platform/types.ts";
import type { Inspection } from "../../warden/diagnosis/evidence.ts";
import { listFlows } from "../conntrack/list.ts";
import { parseNeighbor, parseNoRoute, parseRoute } from "./parse.ts";

/** Milliseconds until an `ip` that does not end is killed. */
const PATIENCE = 2000;
/** Conntrack entries kept as evidence. */
const MOST_FLOWS = 4;

/**
 * Asks the kernel about a peer that is down: its route, its neighbor entry and conntrack's entries of BGP with it.
 * @param peer.zone interface of a link-local address
 * @returns never a rejection; what could not be asked is absent
 */
export async function inspectPeer(
	platform: Platform,
	peer: { readonly address: string; readonly zone?: string | undefined },
): Promise<Inspection> {
	const [path, flows] = await Promise.all([askPath(platform, peer), askFlows(platform, peer.address)]);
	return { ...path, ...(flows ? { flows } : {}) };
}

async function askPath(
	platform: Platform,
	{ address, zone }: { readonly address: string; readonly zone?: string | undefined },
): Promise<Inspection> {
	const family = address.includes(":") ? "-6" : "-4";
	const through = zone === undefined ? [] : ["oif", zone];
	const asked = await runToEnd(platform, ["ip", family, "route", "get", address, ...through], {
		timeout: PATIENCE,
		limit: 4096,
	});
	const noRoute = parseNoRoute(asked.complaint);
	if (noRoute !== undefined) return { noRoute };
	const route = parseRoute(asked.stdout);
	if (!route) return {};
	const next = route.gateway ?? address;
	const seen = await runToEnd(
		platform,
		["ip", next.includes(":") ? "-6" : "-4", "neigh", "show", "to", next],
		{
			timeout: PATIENCE,
			limit: 4096,
		},
	);
	const fine = "code" in seen.status && seen.status.code === 0;
	const neighbor = fine ? parseNeighbor(seen.stdout) : undefined;
	return { route, ...(neighbor === undefined ? {} : { neighbor }) };
}

async function askFlows(platform: Platform, address: string): Promise<Inspection["flows"]> {
	const flows = await listFlows(platform, (flow) => {
		if (flow.protocol !== "tcp") return false;
		const { source, destination } = flow.original;
		return source === address || destination === address;
	});
	return typeof flows === "string" ? undefined : flows.slice(0, MOST_FLOWS);
}
