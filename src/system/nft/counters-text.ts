import type { Counters } from "../../model/inspection.ts";
import { BFD_PORTS, BGP_PORT } from "../../model/ports.ts";

/**
 * What came in for BGP and BFD since the table was installed, out of `nft list table` with its counters.
 * @returns undefined when the listing has no such rules
 */
export function parseCounters(listing: string): Counters | undefined {
	const chain = /\n\tchain raw_pre \{\n([\s\S]*?)\n\t\}/.exec(listing)?.[1];
	if (chain === undefined) return undefined;
	const sum = (match: string) => {
		let packets: number | undefined;
		for (const line of chain.split("\n")) {
			const found = line.includes(match) ? / counter packets (\d+) bytes/.exec(line) : undefined;
			if (found) packets = (packets ?? 0) + Number(found[1]);
		}
		return packets;
	};
	const [bgp, singleHopBfd, multihopBfd] = [
		sum(`tcp dport ${BGP_PORT} `),
		sum(`udp dport ${BFD_PORTS.singleHop} `),
		sum(`udp dport ${BFD_PORTS.multihop} `),
	];
	if (bgp === undefined || singleHopBfd === undefined || multihopBfd === undefined) return undefined;
	return { bgp, singleHopBfd, multihopBfd };
}
