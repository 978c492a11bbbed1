import type { BirdPeer } from "../../model/bird.ts";
import { DIAGNOSES } from "../../model/catalog.ts";
import type { Diagnosis } from "../../model/diagnosis.ts";
import { isNote } from "../../model/peer-level.ts";
import type { PeerRecord } from "../peer-record.ts";
import { isSuspectedHalfOpen } from "../peers/restart.ts";
import { judgeSecondSpeaker } from "../peers/second-speaker.ts";
import { judgeUse, USE_AFTER } from "../peers/session-use.ts";
import type { WardenState } from "../state.ts";
import { evidenceKey, indexOf, isDown, isEstablished, wordsFor } from "../state.ts";
import type { Turn } from "../turn.ts";
import { diagnose, diagnoseBird } from "./diagnose.ts";
import { BFD_GRACE } from "./established.ts";
import type { AddressEvidence } from "./evidence.ts";
import { calmAt } from "./flapping.ts";
import { diagnoseAt } from "./plan-diagnoses.ts";
import { STUCK_AFTER } from "./stuck-handshake.ts";

/**
 * Diagnoses peers again, and reports what has changed.
 * @param key the evidence that has changed; absent: of all peers
 */
export function updateDiagnoses(turn: Turn, key?: string): void {
	if (healthy.size > 2 * turn.state.peers.size + 16) healthy.clear();
	for (const peer of concerned(turn.state, key)) {
		for (const update of [updateNote, updateDiagnosis]) {
			const record = turn.state.peers.get(peer.name);
			if (record) update(turn, record);
		}
	}
}

/** Ranges last: what a range is told is what its nodes are. */
function concerned(state: WardenState, key: string | undefined): readonly BirdPeer[] {
	const { byKey, single, ranges } = indexOf(state);
	if (key !== undefined) return [...(byKey.get(key) ?? []), ...ranges];
	return ranges.length === 0 ? single : [...single, ...ranges];
}

/** Says once that a session is of no use. */
function updateNote(turn: Turn, record: PeerRecord): void {
	const { peer, note: before, stateSince, birdSince } = record;
	const since = stateSince ?? birdSince ?? turn.state.startedAt;
	if (isEstablished(record)) diagnoseAt(turn, since + USE_AFTER);
	// What BIRD said last may have changed meanwhile.
	const note = turn.state.bird.reachable
		? (judgeUse(peer, turn.time - since, wordsFor(turn.state, record)) ??
			judgeSecondSpeaker(record, evidenceFor(turn.state, record), turn.time))
		: undefined;
	if (note === before || (note && before && note.id === before.id && note.text === before.text)) return;
	const { note: _, ...rest } = record;
	turn.peer(peer.name, note ? { ...rest, note } : rest);
	if (note && note.id !== before?.id)
		turn.log("info", `peer ${peer.name}: ${note.id}: ${note.text}; ${note.remedy}`);
}

/** When `diagnosesTick` has something to do. */
export function diagnosesDueAt({ evidence }: WardenState): number | undefined {
	return evidence.due[0];
}

export function diagnosesTick(turn: Turn): void {
	const { due } = turn.state.evidence;
	if (due[0] === undefined || due[0] > turn.time) return;
	turn.evidence({ due: due.filter((time) => time > turn.time) });
	updateDiagnoses(turn);
}

function evidenceFor({ evidence }: WardenState, record: PeerRecord): AddressEvidence {
	return evidence.addresses.get(evidenceKey(record) ?? "") ?? NO_EVIDENCE;
}

/** Peers that stay healthy while that by which they were found so stays the same. */
const healthy = new Map<string, readonly unknown[]>();
const NO_EVIDENCE: AddressEvidence = {};

function updateDiagnosis(turn: Turn, record: PeerRecord): void {
	const { peer, diagnosis: before } = record;
	const evidence = evidenceFor(turn.state, record);
	const { bird } = turn.state;
	const by = [record, evidence, bird.configuration] as const;
	if (bird.reachable && healthy.get(peer.name)?.every((each, index) => each === by[index])) return;
	// Time alone makes it no other: nothing is going on with it.
	if (before?.id === "healthy" && isEstablished(record) && !record.flapTimes && !evidence.dials)
		healthy.set(peer.name, by);
	else healthy.delete(peer.name);
	const found = diagnose({ state: turn.state, record, evidence, now: turn.time });
	const diagnosis = found ?? stillValid(record, turn.time);
	if (record.handshake) diagnoseAt(turn, record.handshake.since + STUCK_AFTER);
	if (isEstablished(record)) {
		diagnoseAt(turn, (record.bfdSince ?? record.stateSince ?? turn.time) + BFD_GRACE);
		const calm = calmAt(record.flapTimes ?? [], turn.time);
		if (calm !== undefined) diagnoseAt(turn, calm);
	}
	if (diagnosis === before || (diagnosis && before && isSame(diagnosis, before))) return;
	const { diagnosis: _, ...rest } = record;
	turn.peer(peer.name, diagnosis ? { ...rest, diagnosis } : rest);
	if (diagnosis) reportChange(turn, record, before, diagnosis);
}

function isSame(one: Diagnosis, other: Diagnosis): boolean {
	return (
		one.id === other.id &&
		one.explanation === other.explanation &&
		one.remedy === other.remedy &&
		one.table === other.table &&
		one.evidence.length === other.evidence.length &&
		one.evidence.every((line, index) => line === other.evidence[index])
	);
}

/** A cause stays until another is found or the peer is up; an earlier `healthy` says nothing about a peer that is down. */
function stillValid(record: PeerRecord, now: number): Diagnosis | undefined {
	const { diagnosis } = record;
	if (diagnosis === undefined || diagnosis.id === "healthy" || diagnosis.id === "bird-down") return undefined;
	const up = isEstablished(record) && !isSuspectedHalfOpen(record, now);
	return isDown(record) || up || diagnosis.id === "disabled" ? undefined : diagnosis;
}

function reportChange(
	turn: Turn,
	{ peer }: PeerRecord,
	before: Diagnosis | undefined,
	{ id, explanation, remedy }: Diagnosis,
): void {
	if (id === before?.id || (id === "healthy" && before === undefined)) return;
	// The loss of BIRD was reported once for all peers.
	if (id === "bird-down") return;
	if (id === "healthy") turn.log("info", `peer ${peer.name}: healthy again (it was ${before?.id})`);
	else
		turn.log("warn", `peer ${peer.name}: ${id}: ${explanation}${remedy === undefined ? "" : `; ${remedy}`}`);
	turn.do({
		type: "report",
		event: "diagnosis_changed",
		details: { peer: peer.name, diagnosis: id, before: before?.id, explanation, remedy },
	});
}

/** The gravest diagnosis of all peers; `healthy` when every one is. */
export function gravest(state: WardenState): Diagnosis | undefined {
	const bird = diagnoseBird(state);
	if (bird) return bird;
	const all = [...state.peers.values()].flatMap(({ diagnosis }) => diagnosis ?? []);
	const ids = new Set(all.map(({ id }) => id));
	// That one peer is healthy, or meant to be down, says nothing about the others.
	const id = DIAGNOSES.find((each) => each !== "healthy" && !isNote(each) && ids.has(each));
	if (id !== undefined) return all.find((diagnosis) => diagnosis.id === id);
	// A peer that has yet to be diagnosed may be ill.
	const healthy = all.length > 0 && all.length === state.peers.size;
	return healthy ? { id: "healthy", explanation: "every peer is healthy", evidence: [] } : undefined;
}
