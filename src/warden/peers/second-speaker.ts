import type { AddressEvidence } from "../diagnosis/evidence.ts";
import type { PeerRecord } from "../peer-record.ts";
import { isEstablished } from "../state.ts";
import type { SessionNote } from "./session-use.ts";

/** Tries besides the session, as many at least, for as many ms at least: BIRD would have noticed a lost session by then. */
const LEAST = 3;
const LASTING = 60_000;
/** Milliseconds after which a try says nothing more: GoBGP dials every 240 s at the longest. */
const FRESH = 300_000;

/** What to do about two speakers on one node. */
export const ONE_SPEAKER =
	"let one of the two announce the services (Calico: `serviceLoadBalancerIPs` in BGPConfiguration), and take this router out of the other's peers";

/**
 * Two speakers on one node, such as Calico's BIRD and MetalLB: BIRD takes one session with an address, and the other speaker
 * dials for ever. (With graceful restart BIRD lets the new connection replace the old one, and the two take turns: `flapping`.)
 */
export function judgeSecondSpeaker(
	record: PeerRecord,
	{ established = 0, besides }: AddressEvidence,
	now: number,
): SessionNote | undefined {
	if (!isEstablished(record) || !besides || now - besides.at >= FRESH) return undefined;
	if (besides.since <= Math.max(established, record.stateSince ?? 0)) return undefined;
	if (besides.dials < LEAST || besides.at - besides.since < LASTING) return undefined;
	const isCalico = record.open?.program === "bird";
	return {
		id: "second-speaker",
		text: `${isCalico ? "BIRD (Calico) on this node has the session" : "the session is up"}, and another speaker on the node dials as well, again and again: BIRD takes one session with an address`,
		remedy: ONE_SPEAKER,
	};
}
