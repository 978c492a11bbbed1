import { wholeNumber } from "../../lib/number.ts";
import type { Hop, PacketTrace } from "../../model/packet-trace.ts";
import { plainRule } from "./trace-text.ts";

/** A rule's chain: `inet fw4 input_lan`. */
export type ChainName = readonly [family: string, table: string, chain: string];

/** Chains that are listed for one batch of packets, at most. */
const MOST_CHAINS = 8;

/** Rules by their handles, out of `nft -a list chain …`. */
export function parseHandles(listing: string): Map<number, string> {
	const rules = new Map<number, string>();
	for (const line of listing.split("\n")) {
		const [, rule = "", number] = /^\t\t(.+) # handle (\d+)$/.exec(line) ?? [];
		const handle = wholeNumber(number);
		if (handle !== undefined) rules.set(handle, plainRule(rule));
	}
	return rules;
}

/**
 * Chains of other tables whose rules `nft monitor` does not know, for they were made after it was started.
 * @param own the daemon's table, family inet
 */
export function unknownChains(traces: readonly PacketTrace[], own: string): ChainName[] {
	const found = new Map<string, ChainName>();
	for (const { hops } of traces) {
		for (const hop of hops) {
			if (hop.handle === undefined || (hop.family === "inet" && hop.table === own)) continue;
			found.set(nameOf(hop), [hop.family, hop.table, hop.chain]);
		}
	}
	return [...found.values()].slice(0, MOST_CHAINS);
}

/** The traces with the rules' texts. @param listings by `family table chain` */
export function withRules(
	traces: readonly PacketTrace[],
	listings: ReadonlyMap<string, ReadonlyMap<number, string>>,
): PacketTrace[] {
	return traces.map((trace) => ({
		...trace,
		hops: trace.hops.map((hop) => {
			const rule = hop.handle === undefined ? undefined : listings.get(nameOf(hop))?.get(hop.handle);
			return rule === undefined ? hop : { ...hop, rule };
		}),
	}));
}

function nameOf({ family, table, chain }: Hop): string {
	return `${family} ${table} ${chain}`;
}
