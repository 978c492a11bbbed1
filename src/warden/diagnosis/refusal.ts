import type { Diagnosis } from "../../model/diagnosis.ts";
import { adviseError, describeError, isRefusal } from "./bgp-errors.ts";
import { describeBird, describePeer } from "./evidence-text.ts";
import type { View } from "./view.ts";

/** One side refuses the other's OPEN: `rejected`. */
export function diagnoseRefusal({ record }: View): Diagnosis | undefined {
	const error = record.peer.lastError?.notification;
	if (!error || !isRefusal(error)) return undefined;
	const who =
		error.by === "peer"
			? `${describePeer(record)} refuses this router`
			: `BIRD refuses ${describePeer(record)}`;
	return {
		id: "rejected",
		explanation: `${who}: ${describeError(error)}`,
		evidence: [describeBird(record), ...describeNumbers(record.peer)],
		remedy: adviseError(error),
	};
}

function describeNumbers({ localAs, neighborAs }: { localAs?: number; neighborAs?: number }): string[] {
	if (localAs === undefined || neighborAs === undefined) return [];
	return [`BIRD is AS ${localAs} and expects AS ${neighborAs}`];
}
