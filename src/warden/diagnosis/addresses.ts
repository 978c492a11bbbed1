import type { Diagnosis } from "../../model/diagnosis.ts";
import { configurationOf, downSince } from "../state.ts";
import { lastDial } from "./evidence.ts";
import { describeBird, describePeer, describeTime } from "./evidence-text.ts";
import { routersPort, SILENCE, type View } from "./view.ts";

/** Tries to connect after which another host is no accident: a scan makes one. */
const LEAST_DIALS = 2;

/** BIRD's own address is not this router's: `local-address-missing`. */
export function diagnoseLocalAddress(view: View): Diagnosis | undefined {
	const { record, evidence, state } = view;
	const local = configurationOf(state, record)?.localAddress;
	if (local === undefined || evidence.inspection?.hasLocalAddress !== false) return undefined;
	const source = evidence.inspection.route?.source;
	return {
		id: "local-address-missing",
		explanation: `BIRD is to use ${local} for ${describePeer(record)}, and no interface of this router has that address`,
		evidence: [
			`bird.conf: local ${local}`,
			...(source === undefined ? [] : [`the router would send to the peer from ${source}`]),
			describeBird(record),
		],
		remedy: `add ${local} to the interface${source === undefined ? "" : `, or write \`local ${source}\` in protocol ${record.peer.name} and have the speaker dial it`}`,
	};
}

/** A host of the peer's network dials, and BIRD has no peer of that address: `unknown-address`. */
export function diagnoseUnknownAddress(view: View): Diagnosis | undefined {
	const { record, evidence, now, state } = view;
	const { stranger } = evidence;
	if (!stranger || stranger.dials < LEAST_DIALS || now - stranger.at >= SILENCE) return undefined;
	// The peer is alive at its own address: the other one is another host.
	if (record.peer.bfd === "up") return undefined;
	// The peer itself dials too: it is another host.
	if ((lastDial(evidence)?.syn.at ?? -1) >= downSince(state, record)) return undefined;
	const { network } = evidence.inspection ?? {};
	const where = network === undefined || network === "none" ? "its network" : network.prefix;
	const port = routersPort(view);
	const file = configurationOf(state, record);
	const name = file?.name ?? record.peer.name;
	return {
		id: "unknown-address",
		explanation: `${describePeer(record)} does not dial, but ${stranger.address} in the same network does, and BIRD has no peer of that address`,
		evidence: [
			`SYNs from ${stranger.address} to port ${port}, the latest at ${describeTime(view, stranger.at)}; ${where}`,
			`no SYN from ${record.peer.neighborAddress ?? "the peer"}`,
			describeBird(record),
		],
		remedy: `where ${stranger.address} is the node, write \`neighbor ${stranger.address}\` in protocol ${name}, or a \`neighbor range\` that holds all nodes`,
	};
}
