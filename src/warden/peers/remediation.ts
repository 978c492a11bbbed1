import { catalogEntry } from "../../model/catalog.ts";
import type { PeerRecord, RemedyAttempt } from "../peer-record.ts";
import { downSince, isDown, isEstablished } from "../state.ts";
import { requestFlush } from "../table/flush-requests.ts";
import { ensureTable } from "../table/table.ts";
import type { Turn } from "../turn.ts";
import { isBeyondRestart } from "./error-wait.ts";
import { pollBirdAt } from "./polling.ts";
import { beginStep, describeStep, STEP_TIMEOUT, setAttempt } from "./remedy-step.ts";
import { isDeafToRestart, scheduleRestart } from "./restart.ts";

/** A peer that is down for this many ms without a known cause gets the steps too. */
const UNKNOWN_CAUSE_AFTER = 30_000;
const ROUNDS_APART = 600_000;
/** Peers whose table and conntrack entries are looked at in the same few seconds; the others follow. */
const AT_A_TIME = 16;
/** Milliseconds until they do. */
const NEXT = 1000;

/** After each poll of BIRD: one step for each peer that needs one. */
export function remediatePeers(turn: Turn): void {
	const under = [...turn.state.peers.values()].filter(({ attempt }) => isUnderWay(attempt)).length;
	const rounds = { left: AT_A_TIME - under };
	for (const record of turn.state.peers.values()) {
		if (isEstablished(record) || isDown(record)) finishAttempt(turn, record);
		else if (turn.state.settings.remediate) nextStep(turn, record, rounds);
	}
}

function isUnderWay(attempt: RemedyAttempt | undefined): boolean {
	return attempt?.outcome === "pending" && attempt.step !== "restart";
}

function finishAttempt(turn: Turn, record: PeerRecord): void {
	const { attempt } = record;
	if (attempt?.outcome !== "pending") return;
	if (!isEstablished(record)) {
		// Every restart passes through this state.
		if (attempt.step === "restart" && turn.time < attempt.at + STEP_TIMEOUT.restart) return;
		setAttempt(turn, record, { ...attempt, outcome: "did not help" });
		return;
	}
	setAttempt(turn, record, { ...attempt, outcome: "worked", after: turn.time - attempt.at });
	turn.log(
		"info",
		`peer ${record.peer.name} is up ${Math.round(turn.time - attempt.at) / 1000} s after ${describeStep(attempt.step)}`,
	);
}

/** @param rounds how many more peers may begin with their first step */
function nextStep(turn: Turn, record: PeerRecord, rounds: { left: number }): void {
	const { attempt, restart } = record;
	if (attempt?.outcome === "pending") {
		if (turn.time < attempt.at + STEP_TIMEOUT[attempt.step]) {
			pollBirdAt(turn, attempt.at + STEP_TIMEOUT[attempt.step]);
			return;
		}
		setAttempt(turn, record, { ...attempt, outcome: "did not help" });
		const { name } = record.peer;
		if (attempt.step === "table") {
			requestFlush(turn, []);
			beginStep(turn, name, "conntrack");
		} else if (attempt.step === "conntrack") scheduleRestart(turn, name);
		return;
	}
	// A planned restart, or one that just failed, decides when the next round may begin.
	if (restart.wantedSince !== undefined || turn.time < (restart.notBefore ?? 0)) return;
	if (!isCurable(turn, record) || hasHadRound(turn, record)) return;
	if (record.diagnosis?.id === "bfd-not-sending") {
		// Neither the table nor conntrack keeps BIRD from sending.
		scheduleRestart(turn, record.peer.name);
		return;
	}
	if (rounds.left <= 0) {
		pollBirdAt(turn, turn.time + NEXT);
		return;
	}
	rounds.left--;
	ensureTable(turn, []);
	beginStep(turn, record.peer.name, "table");
}

/** A round that no restart may end, as a range's, is made once in `ROUNDS_APART` ms. */
function hasHadRound({ state, time }: Turn, record: PeerRecord): boolean {
	const { attempt } = record;
	if (!attempt || attempt.at < downSince(state, record)) return false;
	return (
		time - attempt.at < ROUNDS_APART && (isBeyondRestart(record, time) || isDeafToRestart(state, record))
	);
}

function isCurable(turn: Turn, record: PeerRecord): boolean {
	const { diagnosis, peer } = record;
	const due = downSince(turn.state, record) + UNKNOWN_CAUSE_AFTER;
	if (turn.time < due) pollBirdAt(turn, due);
	// What is only waited for has its time first.
	if (diagnosis && diagnosis.id !== "waiting") return catalogEntry(diagnosis.id)?.curable === true;
	if (peer.state === "OpenSent" || peer.state === "OpenConfirm") return false;
	return turn.time >= due;
}
