import { peersIn } from "../../system/nft/table-listing.ts";
import type { Turn } from "../turn.ts";

/** With scope `peers`, which addresses the table covers: those of the configuration, and BIRD's neighbors. */
export function covered(turn: Turn, neighbors: readonly string[]): string[] {
	return [...new Set([...turn.state.settings.addresses, ...neighbors])].sort();
}

/** Until BIRD was asked, the peers that the found table covers stay covered: it may be the one that was loaded at boot. */
export function keepCovered(turn: Turn, listing: string | undefined): void {
	const { settings } = turn.state;
	if (settings.scope === "peers" && listing !== undefined)
		turn.table({ addresses: covered(turn, peersIn(listing)) });
}
