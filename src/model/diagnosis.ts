import type { DiagnosisId } from "./catalog.ts";

/** Why a peer is down, or what is wrong with one that is up. */
export interface Diagnosis {
	readonly id: DiagnosisId;
	/** One sentence. */
	readonly explanation: string;
	/** What it rests on, the strongest first. */
	readonly evidence: readonly string[];
	/** What a person should change. */
	readonly remedy?: string;
	/** The table whose rules are the cause, `family name`. */
	readonly table?: string;
}
