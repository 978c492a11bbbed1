import type { Diagnosis } from "../../model/diagnosis.ts";
import type { PeerRecord, WardenState } from "../state.ts";
import type { AddressEvidence } from "./evidence.ts";

/** Everything that a diagnosis of one peer may use. */
export interface View {
	readonly state: WardenState;
	readonly record: PeerRecord;
	readonly evidence: AddressEvidence;
	/** Monotonic milliseconds. */
	readonly now: number;
}

/** Checks for one cause; undefined: there is no evidence of it. */
export type Finder = (view: View) => Diagnosis | undefined;

/** A peer that sends no SYN for this many ms is silent: FRR's longest wait between two is 120 s. */
export const SILENCE = 130_000;

/**
 * How long a SYN may stay unanswered before that means something, in ms: less for a retransmission; a single SYN gets the
 * time of two, because BIRD may just be starting the protocol.
 */
export const ANSWER_PATIENCE = { again: 300, once: 2500 } as const;
