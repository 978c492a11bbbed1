import type { Connection } from "../../model/connection.ts";
import type { Platform } from "../../platform/types.ts";
import type { IsLocal } from "../kernel/local-addresses.ts";
import { readAddresses } from "../kernel/router-addresses.ts";
import { connectionOf, filterOf } from "./delete-filter.ts";
import { parseFlow } from "./flow-text.ts";
import { eachFlow, runConntrack } from "./list-flows.ts";

export type FlushResult =
	| {
			readonly ok: true;
			readonly deleted: number;
			readonly left: number;
			/** What the deleted ones were for the hosts that had dialed this router. */
			readonly connections: readonly Connection[];
	  }
	| { readonly ok: false; readonly reason: string };

/** What is stale right now: how many flows, and the filters of `conntrack -D` that delete them all. */
interface StaleFlows {
	count: number;
	readonly filters: Set<string>;
	/** Those that hosts take for established, the first few. */
	readonly connections: Map<string, Connection>;
}

/** How often to delete: until the table keeps them out, mid-stream packets create entries again (tcp_loose). */
const PASSES = 3;
/** Anybody can make entries: so many connections are told of. */
const MOST_CONNECTIONS = 64;
/**
 * Deletes the conntrack entries of BGP and BFD that end at this router, of all zones and both address families, until there
 * are none, 3 times at most. Starts no process when /proc shows that there is nothing to delete.
 * @param ports TCP ports of BGP
 * @returns how many entries were deleted, and how many were left in the end
 */
export async function flushConntrack(platform: Platform, ports: readonly number[]): Promise<FlushResult> {
	try {
		const addresses = await readAddresses(platform);
		if (typeof addresses === "string") return { ok: false, reason: addresses };
		return await flush(platform, addresses.isLocal, ports);
	} catch (error) {
		return { ok: false, reason: error instanceof Error ? error.message : String(error) };
	}
}

async function flush(platform: Platform, isLocal: IsLocal, ports: readonly number[]): Promise<FlushResult> {
	let deleted = 0;
	let fruitless = false;
	let connections: readonly Connection[] = [];
	for (let pass = 0; ; pass++) {
		const stale = await listStale(platform, isLocal, ports);
		if (typeof stale === "string") return { ok: false, reason: stale };
		const left = stale.count;
		if (left === 0 || pass === PASSES) return { ok: true, deleted, left, connections };
		if (pass === 0) connections = [...stale.connections.values()];
		if (fruitless) return { ok: false, reason: "conntrack deletes none of them" };
		const deletion = await deleteAll(platform, stale.filters);
		if (typeof deletion === "string") return { ok: false, reason: deletion };
		deleted += deletion;
		// They may have ended by themselves meanwhile.
		fruitless = deletion === 0;
	}
}

/** @returns or what went wrong, as one line */
async function listStale(
	platform: Platform,
	isLocal: IsLocal,
	ports: readonly number[],
): Promise<StaleFlows | string> {
	const stale: StaleFlows = { count: 0, filters: new Set(), connections: new Map() };
	const failure = await eachFlow(platform, ports, (flow) => {
		const filter = filterOf(flow, isLocal, ports);
		if (filter === undefined) return;
		stale.count++;
		stale.filters.add(filter);
		const connection = connectionOf(flow, isLocal, ports);
		if (connection && stale.connections.size < MOST_CONNECTIONS)
			stale.connections.set(Object.values(connection).join(" "), connection);
	});
	return failure ?? stale;
}

/** @returns entries deleted, or what went wrong */
async function deleteAll(platform: Platform, filters: ReadonlySet<string>): Promise<number | string> {
	const input = [...filters].map((filter) => `-D ${filter}\n`).join("");
	let deleted = 0;
	// One process for all of them. `-R -` would open /dev/stdin, which not every /dev has.
	const failure = await runConntrack(platform, ["-R", "/proc/self/fd/0"], input, (line) => {
		// It prints each entry that it has deleted.
		if (parseFlow(line)) deleted++;
	});
	return failure ?? deleted;
}
