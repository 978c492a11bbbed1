import type { Actor } from "../../model/actor.ts";
import { describeActor } from "../../model/actor.ts";
import type { Fight, TableState } from "../state.ts";
import type { Turn } from "../turn.ts";

/** Repairs a second, whatever happens. */
const MOST_PER_SECOND = 20;
/** This many repairs within `FIGHT_WINDOW` ms are a fight. */
const FIGHT_REPAIRS = 10;
const FIGHT_WINDOW = 2000;
/** After this many ms of fighting the table comes back only each `SLOW_PERIOD` ms. */
const PATIENCE = 10_000;
const SLOW_PERIOD = 1000;
/** A fight is over when nobody touched the table for this many ms. */
const TRUCE = 10_000;

/**
 * When the next repair may be made, so that a program that deletes in a loop meets a limit, not a busy loop.
 * @param recent times of the latest repairs, oldest first, at most 20
 * @returns monotonic ms, not after `now` if it may be made at once
 */
export function earliestRepair(recent: readonly number[], fight: Fight | undefined, now: number): number {
	const last = recent.at(-1);
	if (last === undefined) return now;
	if (fight && now - fight.since >= PATIENCE) return last + SLOW_PERIOD;
	const oldest = recent.length >= MOST_PER_SECOND ? recent.at(-MOST_PER_SECOND) : undefined;
	return oldest === undefined ? now : oldest + 1000;
}

/** Notes a repair that was made, and whether it makes this a fight. */
export function noteRepair(turn: Turn, actor: Actor | undefined): void {
	const { table } = turn.state;
	const recent = [...table.recent, turn.time].slice(-MOST_PER_SECOND);
	turn.table({ recent });
	const first = recent.at(-FIGHT_REPAIRS);
	if (table.fight) {
		turn.table({ fight: { ...table.fight, repairs: table.fight.repairs + 1 } });
	} else if (first !== undefined && turn.time - first <= FIGHT_WINDOW) {
		const opponent = describeActor(actor);
		turn.table({
			fight: { since: first, lastLoss: turn.time, repairs: FIGHT_REPAIRS, opponent },
		});
		turn.problem(
			"fight",
			`${opponent} keeps removing or changing table inet ${turn.state.settings.table}; ` +
				"it is put back, after 10 s of this once a second; stop that program",
		);
	}
}

/** Ends the fight when it has been quiet long enough. */
export function noteTruce(turn: Turn): void {
	const { fight, loss } = turn.state.table;
	if (!fight || loss || turn.time < fight.lastLoss + TRUCE) return;
	turn.table({ fight: undefined });
	turn.problem("fight", undefined);
	turn.do({
		type: "report",
		event: "table_restored",
		details: { by: fight.opponent, reason: "fight", repairs: fight.repairs },
	});
}

/** When `noteTruce` has something to look at; not while the table is lost, for then its time may be long past. */
export function truceAt({ fight, loss }: TableState): number | undefined {
	return loss ? undefined : fight && fight.lastLoss + TRUCE;
}
