import type { Diagnosis } from "../../model/diagnosis.ts";
import { parseLastError } from "../../system/bird/last-error.ts";
import { adviseError, isRefusal, sayError } from "./bgp-errors.ts";
import { sayBird, sayPeer } from "./evidence-text.ts";
import type { View } from "./view.ts";

/** One side refuses the other's OPEN: `rejected`. */
export function ofRefusal({ record }: View): Diagnosis | undefined {
	const error = record.peer.lastError === undefined ? undefined : parseLastError(record.peer.lastError);
	if (!error || !isRefusal(error)) return undefined;
	const who =
		error.by === "peer" ? `${sayPeer(record)} refuses this router` : `BIRD refuses ${sayPeer(record)}`;
	return {
		id: "rejected",
		explanation: `${who}: ${sayError(error)}`,
		evidence: [sayBird(record), ...sayNumbers(record.peer)],
		remedy: adviseError(error),
	};
}

function sayNumbers({ localAs, neighborAs }: { localAs?: number; neighborAs?: number }): string[] {
	if (localAs === undefined || neighborAs === undefined) return [];
	return [`BIRD is AS ${localAs} and expects AS ${neighborAs}`];
}
