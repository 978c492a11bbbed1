import type { Flow } from "../../model/flow.ts";
import type { Platform } from "../../platform/types.ts";
import { filterOf } from "./delete-filter.ts";
import { parseFlow } from "./flow-text.ts";
import { eachFlow, readLocalAddresses, runConntrack } from "./list-flows.ts";
import type { IsLocal } from "./local-addresses.ts";

export type FlushResult =
	| {
			readonly ok: true;
			readonly deleted: number;
			readonly left: number;
			/** A few of those that were found first. */
			readonly flows: readonly Flow[];
	  }
	| { readonly ok: false; readonly reason: string };

/** What is stale right now: how many flows, a few of them, and the filters of `conntrack -D` that take them all. */
type Listing =
	| {
			readonly ok: true;
			readonly count: number;
			readonly flows: readonly Flow[];
			readonly filters: ReadonlySet<string>;
	  }
	| { readonly ok: false; readonly reason: string };

/** How often to delete: mid-stream packets make entries anew (tcp_loose) until the table keeps them out. */
const PASSES = 3;
/** Flows kept as evidence. */
const MOST_FLOWS = 8;

/**
 * Deletes the conntrack entries of BGP and BFD that end at this router, of all zones and both address families, then
 * looks again, up to 3 times. Starts no process when /proc shows that there is nothing to delete.
 * @returns how many entries were deleted, how many there were at the last look, and a few of them
 */
export async function flushConntrack(platform: Platform): Promise<FlushResult> {
	try {
		return await flush(platform, readLocalAddresses(platform));
	} catch (error) {
		return { ok: false, reason: error instanceof Error ? error.message : String(error) };
	}
}

async function flush(platform: Platform, isLocal: IsLocal): Promise<FlushResult> {
	let deleted = 0;
	let flows: readonly Flow[] = [];
	for (let pass = 0; ; pass++) {
		const listing = await list(platform, isLocal);
		if (!listing.ok) return listing;
		if (pass === 0) flows = listing.flows;
		if (listing.count === 0 || pass === PASSES) return { ok: true, deleted, left: listing.count, flows };
		const deletion = await deleteAll(platform, listing.filters);
		if (typeof deletion === "string") return { ok: false, reason: deletion };
		deleted += deletion;
	}
}

async function list(platform: Platform, isLocal: IsLocal): Promise<Listing> {
	const found = new Stale(isLocal);
	const failure = await eachFlow(platform, (flow) => found.take(flow));
	return failure === undefined ? found.listing() : { ok: false, reason: failure };
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

/** Gathers stale flows one by one, keeping a few. */
class Stale {
	private count = 0;
	private readonly flows: Flow[] = [];
	private readonly filters = new Set<string>();

	constructor(private readonly isLocal: IsLocal) {}

	take(flow: Flow): void {
		const filter = filterOf(flow, this.isLocal);
		if (filter === undefined) return;
		this.count++;
		if (this.flows.length < MOST_FLOWS) this.flows.push(flow);
		this.filters.add(filter);
	}

	listing(): Listing {
		return { ok: true, count: this.count, flows: this.flows, filters: this.filters };
	}
}
