import type { Diagnosis } from "../../model/diagnosis.ts";
import { configurationOf } from "../state.ts";
import {
	type BfdPackets,
	bfdPackets,
	describeArrivals,
	diagnoseBfdMode,
	diagnoseNotSending,
	diagnoseOneWay,
} from "./bfd-mode.ts";
import { describeBird, describePeer } from "./evidence-text.ts";
import { type View, wordsOf } from "./view.ts";

/** BFD comes up a moment after the session: this many ms it may be down without meaning anything. */
export const BFD_GRACE = 3000;
/** After this many ms it is told, too, where the packets could not be counted. */
const UNCOUNTED_AFTER = 30_000;

/** A session that is up: its BFD may be down; otherwise it is `healthy`. */
export function diagnoseEstablished(view: View): Diagnosis | undefined {
	const { record, state, now } = view;
	const { peer, stateSince, bfdSince } = record;
	const fine: Diagnosis = {
		id: "healthy",
		explanation: `${describePeer(record)} is Established${peer.bfd === "up" ? " and BFD is up" : ""}`,
		evidence: [describeBird(record)],
	};
	const wanted = configurationOf(state, record)?.bfd;
	const missing = peer.bfd === "none" && (wanted === "on" || wanted === "graceful");
	if (!missing && peer.bfd !== "down" && peer.bfd !== "init") return fine;
	const since = Math.max(stateSince ?? 0, bfdSince ?? 0, state.startedAt);
	if (now - since < BFD_GRACE) return undefined;
	if (missing) return diagnoseNoSession(view, wanted);
	const counted = bfdPackets(view, since);
	if (!counted && now - since < UNCOUNTED_AFTER) return undefined;
	return (
		diagnoseBfdMode(view) ?? diagnoseNotSending(view) ?? diagnoseOneWay(view) ?? diagnoseNoBfd(view, counted)
	);
}

function diagnoseNoSession({ record }: View, wanted: string): Diagnosis {
	return {
		id: "bfd-down-session-up",
		explanation: `${describePeer(record)} is Established without BFD: only the hold timer detects a failure`,
		evidence: [`bird.conf has bfd ${wanted} for it, and BIRD has no BFD session`, describeBird(record)],
		remedy:
			"add `protocol bfd { }` to bird.conf, or have its `accept` take such sessions; `birdc configure` if the file was changed since BIRD read it",
	};
}

function diagnoseNoBfd(view: View, counted: BfdPackets | undefined): Diagnosis {
	const { record } = view;
	const { name, bfd } = wordsOf(view);
	return {
		id: "bfd-down-session-up",
		explanation: `${describePeer(record)} is Established without BFD: only the hold timer detects a failure`,
		evidence: [...(counted ? [describeArrivals(counted)] : []), describeBird(record)],
		remedy:
			counted?.singleHop === 0 && counted.multihop === 0
				? bfd === undefined
					? `the speaker sends no BFD, for ${name} has none: set \`bfd off\` in BIRD`
					: `the speaker sends no BFD: set ${bfd}, or \`bfd off\` in BIRD`
				: "the speaker's BFD packets are not accepted: compare BFD addresses, interfaces and authentication on both sides",
	};
}
