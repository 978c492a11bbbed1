import type { Diagnosis } from "../../model/diagnosis.ts";
import { BGP_PORT } from "../../model/ports.ts";
import type { SpeakerWords } from "../../model/speaker.ts";
import type { PeerRecord } from "../peer-record.ts";
import { configurationOf, type WardenState, wordsFor } from "../state.ts";
import { watchedSince } from "../table/table-state.ts";
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

/**
 * A reading of BIRD that is done this many ms after a packet was also begun after it. With 1,000 peers on a PC one takes 55 ms of
 * processor time.
 */
export const READ_AFTER = 1000;
/**
 * A peer that sends no SYN for this many ms is silent: FRR waits for up to 150 s after an outage without BFD, GoBGP for up to
 * 240 s.
 */
export const SILENCE = 250_000;

/** A peer that is down for this many ms without a known cause is told what was looked at. */
export const WAITING_AFTER = 15_000;

/** What things are called on the peer's end. */
export function wordsOf({ state, record }: View): SpeakerWords {
	return wordsFor(state, record);
}

/** Since when SYNs are seen: the table traces them, and `nft monitor` shows it; undefined: they are not. */
export function hearingSince({ table, problems }: WardenState): number | undefined {
	return table.present && problems.install === undefined ? watchedSince(table) : undefined;
}

/** The port that the peer dials on this router. */
export function routersPort({ state, record }: View): number {
	return configurationOf(state, record)?.localPort ?? BGP_PORT;
}

/**
 * How long a SYN may stay unanswered before that means something, in ms: less for a retransmission; a single SYN gets the
 * time of two, because BIRD may just be starting the protocol.
 */
export const ANSWER_PATIENCE = { again: 300, once: 2500 } as const;
