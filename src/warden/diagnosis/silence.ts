import type { Diagnosis } from "../../model/diagnosis.ts";
import { watchedSince } from "../table/table-state.ts";
import { describeBird, describePeer, describeTime } from "./evidence-text.ts";
import type { View } from "./view.ts";
import { SILENCE } from "./view.ts";

const ALIVE = new Set(["REACHABLE", "DELAY", "PROBE", "PERMANENT", "NOARP"]);

/** The peer's host is alive, and its BGP does not connect: `peer-silent`. */
export function diagnoseSilence(view: View): Diagnosis | undefined {
	const { record, evidence, state, now } = view;
	const { syn, inspection } = evidence;
	const watchSince = watchedSince(state.table);
	if (watchSince === undefined || !inspection) return undefined;
	const since = Math.max(watchSince, syn?.at ?? 0, record.stateSince ?? 0, evidence.established ?? 0);
	if (now - since < SILENCE) return undefined;
	const { neighbor } = inspection;
	const reachable = neighbor !== undefined && neighbor !== "none" && ALIVE.has(neighbor.state);
	const bfdUp = record.peer.bfd === "up";
	if (!reachable && !bfdUp) return undefined;
	const sign = bfdUp ? "BFD is up" : "its host answers ARP or NDP";
	return {
		id: "peer-silent",
		explanation: `${describePeer(record)} is alive and has not tried to connect since ${describeTime(view, since)}`,
		evidence: [`no SYN since ${describeTime(view, since)}`, sign, describeBird(record)],
		remedy:
			"the speaker does not dial: set `ebgpMultiHop: true` in MetalLB's BGPPeer, because its route to the router is " +
			"`kernel`, not `connected` (`show bgp neighbors` there says `No path to specified Neighbor`)",
	};
}
