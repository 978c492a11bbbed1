import type { Diagnosis } from "../../model/diagnosis.ts";
import { downSince, isEstablished } from "../state.ts";
import { describeBird, describePeer } from "./evidence-text.ts";
import type { View } from "./view.ts";

/** A route that was there during the last session explains its loss for this many ms. */
const VALID = 300_000;
/** A route of a session that is over is withdrawn within this many ms. */
const WITHDRAWN_WITHIN = 15_000;

/** The session itself brings a route to the peer, which leads elsewhere: `own-route`. */
export function diagnoseOwnRoute(view: View): Diagnosis | undefined {
	const { record, evidence, now, state } = view;
	const { detour, inspection, established } = evidence;
	if (!detour || !inspection || detour.session !== established) return undefined;
	const network = inspection.network === "none" ? undefined : inspection.network;
	if (isEstablished(record)) {
		// Of a peer that is further away nobody knows which route is right as long as it works.
		if (!network) return undefined;
	} else {
		// It went with the session: only then it came with it.
		const { route } = inspection;
		// BIRD takes a moment to withdraw it, and leaves an unreachable one behind meanwhile.
		const gone = route === undefined || detour.interface === undefined || route.gateway !== detour.gateway;
		if (!gone || now - downSince(state, record) > (route ? VALID : WITHDRAWN_WITHIN)) return undefined;
		// Of a peer that is further away, a way that changes once may be any other's doing.
		const losses = (record.flapTimes ?? []).filter((time) => now - time < VALID).length;
		if (!network && losses < 2) return undefined;
	}
	const way =
		detour.gateway === undefined
			? detour.interface === undefined
				? "no usable route"
				: `a route through ${detour.interface}`
			: `a route by way of ${detour.gateway}`;
	return {
		id: "own-route",
		explanation: `${describePeer(record)} announces a route to its own address: while the session is up, the router has ${way} to it, and the session breaks`,
		evidence: [
			`ip route get during the session: ${way}`,
			...(network
				? [`the peer's address is in the connected network ${network.prefix} on ${network.interface}`]
				: []),
			describeBird(record),
		],
		remedy: `leave that route out: an \`import where\` in protocol ${record.peer.name} that takes the services' addresses only, or announce less on the other side`,
	};
}
