import type { PacketTrace } from "../../model/packet-trace.ts";
import type { Nft } from "./nft.ts";

/** Batches that wait; more are dropped. */
const MOST_WAITING = 8;

/** Looks up the rules that traced packets matched, one batch after the other, because an answer must not overtake its SYN. */
export class RuleLookup {
	private waiting = 0;
	private last: Promise<void> = Promise.resolve();

	constructor(
		private readonly nft: Nft,
		private readonly onKnown: (traces: readonly PacketTrace[]) => void,
	) {}

	/** @param own the daemon's table, whose rules need no look */
	add(traces: readonly PacketTrace[], own: string): void {
		if (traces.length === 0 || this.waiting >= MOST_WAITING) return;
		this.waiting++;
		this.last = this.last
			.then(async () => this.onKnown(await this.nft.withRules(traces, own)))
			.finally(() => this.waiting--);
	}
}
