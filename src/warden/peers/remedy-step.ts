import type { PeerRecord, RemedyAttempt, RemedyStep } from "../peer-record.ts";
import type { Turn } from "../turn.ts";
import { pollBirdAt } from "./polling.ts";

/** Milliseconds that a step has to show its effect. */
export const STEP_TIMEOUT: Readonly<Record<RemedyStep, number>> = {
	table: 1500,
	conntrack: 1500,
	reset: 10_000,
	restart: 15_000,
};

/** Notes that a step was taken for a peer. */
export function beginStep(turn: Turn, name: string, step: RemedyStep): void {
	const record = turn.state.peers.get(name);
	if (!record) return;
	setAttempt(turn, record, { step, at: turn.time, outcome: "pending" });
	pollBirdAt(turn, turn.time + STEP_TIMEOUT[step]);
}

export function setAttempt(turn: Turn, record: PeerRecord, attempt: RemedyAttempt): void {
	turn.peer(record.peer.name, { ...record, attempt });
}

/** What was done, in words, without its outcome. */
export function describeStep(step: RemedyStep): string {
	switch (step) {
		case "table":
			return "a check of the table";
		case "conntrack":
			return "deleting its conntrack entries";
		case "reset":
			return "resetting its half-open connection";
		case "restart":
			return "its restart in BIRD";
	}
}
