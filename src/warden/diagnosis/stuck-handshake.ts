import type { Diagnosis } from "../../model/diagnosis.ts";
import { configurationOf } from "../state.ts";
import { describeBird, describePeer, describeTime } from "./evidence-text.ts";
import type { View } from "./view.ts";

/** A handshake takes a second; one that takes this many ms does not get any further. */
export const STUCK_AFTER = 10_000;

/** TCP is connected, and BGP's OPEN or KEEPALIVE is not answered: `handshake-stuck`. */
export function diagnoseStuckHandshake(view: View): Diagnosis | undefined {
	const { record, now, state } = view;
	const { handshake, peer } = record;
	if (!handshake || (handshake.ended ?? now) - handshake.since < STUCK_AFTER) return undefined;
	const file = configurationOf(state, record);
	const waits = peer.state === "OpenConfirm" ? "KEEPALIVE" : "OPEN";
	const said = [
		...(file?.ttlSecurity === true ? ["bird.conf: ttl security on"] : []),
		...(file?.password ? ["bird.conf: a password is set"] : []),
	];
	return {
		id: "handshake-stuck",
		explanation: `${describePeer(record)} is connected, and the handshake does not get any further: BIRD has waited for its ${waits} since ${describeTime(view, handshake.since)}`,
		evidence: [...said, describeBird(record)],
		remedy:
			file?.ttlSecurity === true
				? "set TTL security on both sides (FRR: `neighbor … ttl-security hops 1`) or on neither (`ttl security off` in BIRD)"
				: "packets of one direction or of one size do not arrive: look for a firewall on the node, a smaller MTU on the way, TTL security on one side only, or a speaker that hangs (its log)",
	};
}
