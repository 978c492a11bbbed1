import { wholeNumber, within } from "../../lib/number.ts";
import type { Counters } from "../../model/inspection.ts";
import { BFD_PORTS } from "../../model/ports.ts";
import { chainOf } from "./table-listing.ts";

/**
 * The packets of BGP and BFD since the table was installed, out of `nft list table` with its counters.
 * @returns undefined when the listing has no such rules
 */
export function parseCounters(listing: string): Counters | undefined {
	const chain = chainOf(listing, "raw_pre");
	const sent = chainOf(listing, "raw_out") ?? "";
	if (chain === undefined) return undefined;
	const sum = (match: string, text = chain) => {
		let packets: number | undefined;
		for (const line of text.split("\n")) {
			const found = line.includes(match) ? / counter packets (\d+) bytes/.exec(line) : undefined;
			if (found) packets = (packets ?? 0) + (wholeNumber(found[1]) ?? Number.NaN);
		}
		return within(packets);
	};
	const [bgp, singleHopBfd, multihopBfd] = [
		sum("tcp dport "),
		sum(`udp dport ${BFD_PORTS.singleHop} `),
		sum(`udp dport ${BFD_PORTS.multihop} `),
	];
	const [sentSingleHopBfd, sentMultihopBfd] = [
		sum(`udp dport ${BFD_PORTS.singleHop} `, sent),
		sum(`udp dport ${BFD_PORTS.multihop} `, sent),
	];
	if (bgp === undefined || singleHopBfd === undefined || multihopBfd === undefined) return undefined;
	return {
		...{ bgp, singleHopBfd, multihopBfd },
		...(sentSingleHopBfd === undefined ? {} : { sentSingleHopBfd }),
		...(sentMultihopBfd === undefined ? {} : { sentMultihopBfd }),
	};
}
