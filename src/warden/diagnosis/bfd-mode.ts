import type { Diagnosis } from "../../model/diagnosis.ts";
import { BFD_PORTS } from "../../model/ports.ts";
import { describeBird, describePeer } from "./evidence-text.ts";
import type { View } from "./view.ts";

/** Packets of BFD that came in between two readings of the counters. */
export interface BfdPacketsReceived {
	/** UDP 3784 (RFC 5881). */
	readonly singleHop: number;
	/** UDP 4784 (RFC 5883). */
	readonly multihop: number;
}

/** Milliseconds between two readings that say something: FRR without an answer sends one packet a second. */
const LEAST = 1500;

/** @param since what came before says nothing; monotonic ms */
export function bfdPacketsReceived({ state }: View, since: number): BfdPacketsReceived | undefined {
	const [before, after] = state.evidence.counters;
	if (!before || !after || before.at < since || after.at - before.at < LEAST) return undefined;
	return {
		singleHop: after.singleHopBfd - before.singleHopBfd,
		multihop: after.multihopBfd - before.multihopBfd,
	};
}

/** Without numbers, which would differ each time. */
export function describeArrivals({ singleHop, multihop }: BfdPacketsReceived): string {
	const say = (packets: number) => (packets > 0 ? "packets arrive" : "no packets");
	return `UDP ${BFD_PORTS.singleHop}: ${say(singleHop)}, UDP ${BFD_PORTS.multihop}: ${say(multihop)}`;
}

/** The two sides use different kinds of BFD: `bfd-mode-mismatch`. */
export function diagnoseBfdMode(view: View): Diagnosis | undefined {
	const { record, state, now } = view;
	const { peer, bfdSince, stateSince } = record;
	if ((peer.bfd !== "down" && peer.bfd !== "init") || peer.bfdMode === undefined) return undefined;
	const counted = bfdPacketsReceived(
		view,
		Math.max(stateSince ?? 0, bfdSince ?? 0, state.startedAt, now - 60_000),
	);
	if (!counted) return undefined;
	// Packets of the other kind are another peer's, if one uses that kind successfully.
	const others = Object.values(state.peers).filter(
		(other) => other.peer.bfd === "up" && other.peer.name !== peer.name,
	);
	if (others.some((other) => other.peer.bfdMode !== undefined && other.peer.bfdMode !== peer.bfdMode))
		return undefined;
	const evidence = [describeArrivals(counted), describeBird(record)];
	if (peer.bfdMode === "direct" && counted.multihop > 0 && counted.singleHop === 0) {
		return {
			id: "bfd-mode-mismatch",
			explanation: `BFD of ${describePeer(record)} cannot come up: the speaker uses multihop BFD (UDP ${BFD_PORTS.multihop}), BIRD single-hop BFD (UDP ${BFD_PORTS.singleHop})`,
			evidence,
			remedy:
				"add `multihop 2;` to BIRD's protocol, and `protocol direct`, as `bgpwarden render bird` prints them for " +
				"`option multihop '1'`; or set `ebgpMultiHop: false` in MetalLB's BGPPeer",
		};
	}
	if (peer.bfdMode === "multihop" && counted.singleHop > 0 && counted.multihop === 0) {
		return {
			id: "bfd-mode-mismatch",
			explanation: `BFD of ${describePeer(record)} cannot come up: the speaker uses single-hop BFD (UDP ${BFD_PORTS.singleHop}), BIRD multihop BFD (UDP ${BFD_PORTS.multihop})`,
			evidence,
			remedy: "set `ebgpMultiHop: true` in MetalLB's BGPPeer, or remove `multihop` from BIRD's protocol",
		};
	}
	return undefined;
}
