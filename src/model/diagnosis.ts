/**
 * What bgpwarden knows, as it is shown: the shape of status.json, of `status --json` and `peers --json`, and of the
 * retained MQTT payloads. A value that could not be read is absent, never 0.
 */

/** Why a peer is down, or what is wrong with one that is up; stable ids, explained in README.md ("Diagnoses"). */
export const DIAGNOSES = [
	"healthy",
	"hijacked",
	"tracked",
	"blocked",
	"reply-dropped",
	"peer-silent",
	"peer-unreachable",
	"not-listening",
	"no-answer",
	"rejected",
	"bfd-mode-mismatch",
	"bfd-down-session-up",
	"flapping",
	"route-kind",
	"bird-down",
] as const;

export type DiagnosisId = (typeof DIAGNOSES)[number];

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
