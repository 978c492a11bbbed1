import type { Diagnosis, View } from "./diagnose.ts";
import { sayBird, sayPeer } from "./say.ts";

/** BFD comes up a moment after the session: so many ms it may be down without meaning anything. */
export const BFD_GRACE = 3000;

/** What may be wrong with a session that is up: its BFD. `healthy` otherwise. */
export function ofSession(view: View): Diagnosis | undefined {
	const { record, state, now } = view;
	const { peer, stateSince, bfdSince } = record;
	const fine: Diagnosis = {
		id: "healthy",
		explanation: `${sayPeer(record)} is Established${peer.bfd === "up" ? " and BFD is up" : ""}`,
		evidence: [sayBird(record)],
	};
	if (peer.bfd !== "down" && peer.bfd !== "init") return fine;
	const since = Math.max(stateSince ?? 0, bfdSince ?? 0, state.startedAt);
	if (now - since < BFD_GRACE) return undefined;
	const [before, after] = state.evidence.counters;
	if (!before || !after || before.at < since) return undefined;
	const single = after.singleHopBfd - before.singleHopBfd;
	const multi = after.multihopBfd - before.multihopBfd;
	const counts = `UDP 3784: ${single} packets, UDP 4784: ${multi} packets in ${Math.round((after.at - before.at) / 1000)} s`;
	const mode = peer.bfdMode;
	const others = Object.values(state.peers).filter(
		(other) => other.peer.name !== peer.name && other.peer.bfd === "up",
	);
	// Packets of the other kind are another peer's, where one speaks that kind with success.
	const foreign =
		mode !== undefined &&
		others.some((other) => other.peer.bfdMode !== undefined && other.peer.bfdMode !== mode);
	if (!foreign && mode === "direct" && multi > 0 && single === 0) {
		return {
			id: "bfd-mode-mismatch",
			explanation: `BFD of ${sayPeer(record)} cannot come up: the speaker uses multihop BFD (UDP 4784), BIRD single-hop BFD (UDP 3784)`,
			evidence: [counts, sayBird(record)],
			remedy:
				"give BIRD `multihop 2;` in the protocol and `multihop { … };` in `protocol bfd`, as `bgpwarden render bird` " +
				"writes it for `option multihop '1'`; or set `ebgpMultiHop: false` in MetalLB's BGPPeer",
		};
	}
	if (!foreign && mode === "multihop" && single > 0 && multi === 0) {
		return {
			id: "bfd-mode-mismatch",
			explanation: `BFD of ${sayPeer(record)} cannot come up: the speaker uses single-hop BFD (UDP 3784), BIRD multihop BFD (UDP 4784)`,
			evidence: [counts, sayBird(record)],
			remedy: "set `ebgpMultiHop: true` in MetalLB's BGPPeer, or take `multihop` out of BIRD's protocol",
		};
	}
	return {
		id: "bfd-down-session-up",
		explanation: `${sayPeer(record)} is Established without BFD: a failure is noticed only after the hold time`,
		evidence: [counts, sayBird(record)],
		remedy:
			single + multi === 0
				? "no BFD comes from the speaker: set `bfdProfile` in MetalLB's BGPPeer, or `bfd off` in BIRD"
				: "BFD comes from the speaker and is not accepted: compare addresses, interfaces and authentication of BFD on both sides",
	};
}
