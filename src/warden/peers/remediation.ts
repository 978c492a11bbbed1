import type { DiagnosisId } from "../../model/diagnosis.ts";
import type { PeerRecord } from "../state.ts";
import { isDown, isEstablished } from "../state.ts";
import { requestFlush } from "../table/flush-requests.ts";
import { ensureTable } from "../table/table.ts";
import type { Turn } from "../turn.ts";
import { wantNudge } from "./nudge.ts";
import { readAt } from "./polling.ts";
import { note, PATIENCE, sayRung, take } from "./remedy-step.ts";

/** Causes that the ladder may end. The others lie with a person, or with the other side. */
const CURABLE = new Set<DiagnosisId>(["tracked", "hijacked", "peer-silent", "no-answer"]);
/** A peer that is down for this many ms without a known cause is worth a try. */
const UNKNOWN_PATIENCE = 30_000;

/** After each reading of BIRD: one step for each peer that needs one. */
export function climb(turn: Turn): void {
	for (const record of Object.values(turn.state.peers)) {
		if (isEstablished(record) || isDown(record)) rest(turn, record);
		else if (turn.state.settings.remediate) step(turn, record);
	}
}

function rest(turn: Turn, record: PeerRecord): void {
	const { ladder } = record;
	if (ladder?.outcome !== "pending") return;
	if (!isEstablished(record)) {
		note(turn, record, { ...ladder, outcome: "did not help" });
		return;
	}
	note(turn, record, { ...ladder, outcome: "worked", after: turn.time - ladder.at });
	turn.log(
		"info",
		`peer ${record.peer.name} is up ${Math.round(turn.time - ladder.at) / 1000} s after ${sayRung(ladder.rung)}`,
	);
}

function step(turn: Turn, record: PeerRecord): void {
	const { ladder, nudge } = record;
	if (ladder?.outcome === "pending") {
		if (turn.time < ladder.at + PATIENCE[ladder.rung]) {
			readAt(turn, ladder.at + PATIENCE[ladder.rung]);
			return;
		}
		note(turn, record, { ...ladder, outcome: "did not help" });
		const { name } = record.peer;
		if (ladder.rung === "table") {
			requestFlush(turn, []);
			take(turn, name, "conntrack");
		} else if (ladder.rung === "conntrack") wantNudge(turn, name);
		return;
	}
	// A restart that is planned, or that just failed, decides when the next round may begin.
	if (nudge.wantedSince !== undefined || turn.time < (nudge.notBefore ?? 0)) return;
	if (!isCurable(turn, record)) return;
	ensureTable(turn, []);
	take(turn, record.peer.name, "table");
}

function isCurable(turn: Turn, { diagnosis, stateSince, peer }: PeerRecord): boolean {
	if (diagnosis) return CURABLE.has(diagnosis.id);
	if (peer.state === "OpenSent" || peer.state === "OpenConfirm") return false;
	return turn.time - Math.max(stateSince ?? 0, turn.state.startedAt) >= UNKNOWN_PATIENCE;
}
