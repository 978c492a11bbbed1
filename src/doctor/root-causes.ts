import type { DiagnosisId } from "../model/diagnosis.ts";
import type { PeerStatus } from "../model/status.ts";
import { type Facts, isFailure } from "./facts.ts";
import { type Finding, type Level, red } from "./finding.ts";
import type { Peer } from "./known-peers.ts";

/** Diagnoses of a session that works, but not as it should. */
const MILD: ReadonlySet<DiagnosisId> = new Set(["bfd-down-session-up", "flapping", "route-kind"]);

/**
 * Findings of the review that only repeat a diagnosis of the daemon's, or follow from it: one root cause, not two faults.
 */
const REPEATS: Readonly<Partial<Record<DiagnosisId, readonly string[]>>> = {
	hijacked: ["bgp-caught", "bgp-blocked", "bfd-caught"],
	tracked: ["bgp-caught"],
	blocked: ["bgp-blocked", "bfd-caught", "bfd-blocked"],
	"reply-dropped": ["answer-dropped", "answer-diverted"],
	"bfd-mode-mismatch": ["bfd-mode-mismatch"],
	"bfd-down-session-up": ["bfd-mode-mismatch", "bfd-missing", "bfd-not-accepted"],
};

/** The root cause of each peer that is not well: the daemon's diagnosis, or what BIRD says where there is none. */
export function rootCauses(facts: Facts, peers: readonly Peer[]): Finding[] {
	const causes = (facts.status?.peers ?? []).flatMap((peer) => diagnosed(peer) ?? []);
	const whole = causes.filter(({ id }) => id === "bird-down");
	// All peers are down because BIRD is: said once.
	if (whole.length > 1 && whole[0]) {
		const rest = causes.filter(({ id }) => id !== "bird-down");
		causes.splice(0, causes.length, { ...whole[0], subject: "BIRD" }, ...rest);
	}
	const told = new Set(
		(facts.status?.peers ?? []).filter(({ diagnosis }) => diagnosis).map(({ name }) => name),
	);
	const down = isFailure(facts.bird)
		? []
		: peers.filter((peer) => peer.live && !peer.established && !told.has(peer.name));
	return [...causes, ...down.map(undiagnosed)];
}

/** The review without what the root causes say already. */
export function withoutRepeats(review: readonly Finding[], peers: readonly PeerStatus[]): Finding[] {
	const dead = peers.some(({ diagnosis }) => diagnosis === "bird-down");
	return review.filter(({ id, subject }) => {
		if (id === "bird-down" && dead) return false;
		const diagnosis = peers.find(({ name }) => name === subject)?.diagnosis;
		return diagnosis === undefined || !REPEATS[diagnosis]?.includes(id);
	});
}

/** What alone keeps a session down. */
const CAUSES: ReadonlySet<string> = new Set(["bgp-caught", "bgp-blocked", "answer-dropped"]);

/** A peer that is down without a diagnosis: what the review has found against it is the cause, if it has found it. */
export function explain(
	causes: readonly Finding[],
	review: readonly Finding[],
): { causes: Finding[]; review: Finding[] } {
	const promoted = new Set<Finding>();
	const explained = causes.map((cause) => {
		if (cause.id !== "peer-down") return cause;
		const reason = review.find(
			({ id, level, subject }) => level === "red" && subject === cause.subject && CAUSES.has(id),
		);
		if (!reason) return cause;
		promoted.add(reason);
		return reason;
	});
	return { causes: explained, review: review.filter((finding) => !promoted.has(finding)) };
}

function diagnosed({
	name,
	diagnosis,
	explanation,
	evidence = [],
	remedy,
	tried,
}: PeerStatus): Finding | undefined {
	if (diagnosis === undefined || diagnosis === "healthy") return undefined;
	const level: Level = MILD.has(diagnosis) ? "yellow" : "red";
	const lines = tried === undefined ? evidence : [...evidence, `bgpwarden tried: ${tried}`];
	return {
		id: diagnosis,
		level,
		subject: name,
		text: explanation ?? diagnosis,
		...(remedy === undefined ? {} : { advice: remedy }),
		...(lines.length === 0 ? {} : { evidence: lines }),
	};
}

function undiagnosed({ name, live, status }: Peer): Finding {
	const error = live?.lastError ?? status?.last_error;
	return {
		...red(
			"peer-down",
			name,
			`The session is ${live?.state ?? live?.protocolState ?? "down"}, and why is not known yet.`,
		),
		...(error === undefined ? {} : { evidence: [`BIRD's last error: ${error}`] }),
	};
}
