import { type Actor, describeActor } from "../../model/actor.ts";
import type { Turn } from "../turn.ts";
import type { Contention, TableState } from "./table-state.ts";

/** Repairs a second, whatever happens. */
const MOST_PER_SECOND = 20;
/** This many repairs within `WINDOW` ms are contention. */
const REPAIRS = 10;
const WINDOW = 2000;
/** After this many ms of contention the table is repaired only each `SLOW_PERIOD` ms. */
const FAST_FOR = 10_000;
const SLOW_PERIOD = 1000;
/** Contention is over when nobody touched the table for this many ms. */
const QUIET = 10_000;

/**
 * When the next repair may be made, so that a program that deletes in a loop meets a limit, not a busy loop.
 * @param recent times of the latest repairs, oldest first, at most 20
 * @returns monotonic ms, not after `now` if it may be made at once
 */
export function earliestRepair(
	recent: readonly number[],
	contention: Contention | undefined,
	now: number,
): number {
	const last = recent.at(-1);
	if (last === undefined) return now;
	if (contention && now - contention.since >= FAST_FOR) return last + SLOW_PERIOD;
	const oldest = recent.length >= MOST_PER_SECOND ? recent.at(-MOST_PER_SECOND) : undefined;
	return oldest === undefined ? now : oldest + 1000;
}

/** Counts a repair, and decides whether it is contention. */
export function noteRepair(turn: Turn, opponent: Actor | undefined): void {
	const { table } = turn.state;
	const recent = [...table.recent, turn.time].slice(-MOST_PER_SECOND);
	turn.table({ recent });
	const first = recent.at(-REPAIRS);
	if (table.contention) {
		turn.table({ contention: { ...table.contention, repairs: table.contention.repairs + 1 } });
	} else if (first !== undefined && turn.time - first <= WINDOW) {
		const who = opponent ? { opponent } : {};
		turn.table({ contention: { since: first, lastLoss: turn.time, repairs: REPAIRS, ...who } });
		turn.problem(
			"contention",
			`${describeActor(opponent)} keeps removing or changing table inet ${turn.state.settings.table}; ` +
				"it is repaired each time, after 10 s of this once a second; stop that program",
			"warn",
		);
	}
}

/** Ends the contention when it has been quiet long enough. */
export function contentionTick(turn: Turn): void {
	const { contention, loss } = turn.state.table;
	if (!contention || loss || turn.time < contention.lastLoss + QUIET) return;
	const { opponent, repairs } = contention;
	turn.table({ contention: undefined });
	turn.problem("contention", undefined);
	turn.do({
		type: "report",
		event: "table_restored",
		details: {
			...(opponent ? { by: opponent.process, described: describeActor(opponent) } : {}),
			reason: "fight",
			repairs,
		},
	});
}

/** When `contentionTick` has something to do; not while the table is lost, for then its time may be long past. */
export function contentionEndsAt({ contention, loss }: TableState): number | undefined {
	return loss ? undefined : contention && contention.lastLoss + QUIET;
}
