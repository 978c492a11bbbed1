import type { AddressEvidence } from "../diagnosis/evidence.ts";
import { isEstablished, type PeerRecord } from "../state.ts";
import type { SessionNote } from "./session-use.ts";

/** Tries besides the session, as many at least, of which the first is this many ms ago: BIRD would have noticed a lost session by then. */
const LEAST = 3;
const LASTING = 60_000;
/** Milliseconds after which a try says nothing more: GoBGP dials every 240 s at the longest. */
const FRESH = 300_000;
/** A SYN that comes within this many ms after the session's start may be its own. */
const OWN = 3000;

/**
 * Two speakers on one node, such as Calico's BIRD and MetalLB: BIRD takes one session with an address, and the other speaker
 * dials for ever.
 */
export function judgeSecondSpeaker(
	record: PeerRecord,
	{ established = 0, dials = [] }: AddressEvidence,
	now: number,
): SessionNote | undefined {
	const began = Math.max(established, record.stateSince ?? 0);
	const others = dials.filter(({ since, answer }) => since > began + OWN && now - since < FRESH && answer);
	const [first] = others;
	if (!isEstablished(record) || !first || others.length < LEAST || now - first.since < LASTING)
		return undefined;
	const isCalico = record.open?.program === "bird";
	return {
		id: "second-speaker",
		text: `${isCalico ? "BIRD (Calico) on this node has the session" : "the session is up"}, and another speaker on the node dials as well, again and again: BIRD takes one session with an address`,
		remedy:
			"let one of the two announce the services (Calico: `serviceLoadBalancerIPs` in BGPConfiguration), and take this router out of the other's peers",
	};
}
