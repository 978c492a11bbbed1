import type { Diagnosis } from "../../model/diagnosis.ts";
import type { PeerRecord, WardenState } from "../state.ts";
import type { AddressEvidence } from "./evidence.ts";

/** Everything that a diagnosis of one peer may look at. */
export interface View {
	readonly state: WardenState;
	readonly record: PeerRecord;
	readonly evidence: AddressEvidence;
	/** Monotonic milliseconds. */
	readonly now: number;
}

/** A cause to look for; undefined: there is no evidence of it. */
export type Finder = (view: View) => Diagnosis | undefined;

/** A peer that sends no SYN for this many ms is silent: FRR's longest wait between two is 120 s. */
export const SILENCE = 130_000;

/**
 * When a SYN without an answer says something, in ms after it: a retransmission soon, a single one only after the time of
 * two, for BIRD may just be starting the protocol.
 */
export const ANSWER_PATIENCE = { again: 300, once: 2500 } as const;
