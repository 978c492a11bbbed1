import { clockOffset, isoSeconds } from "../../lib/clock.ts";
import { type Actor, describeActor } from "../../model/actor.ts";
import type { ChangedBy } from "../../model/event.ts";
import { pollSoon } from "../peers/polling.ts";
import { requestRestarts } from "../peers/restart.ts";
import { attribute } from "../services/attribution.ts";
import type { Turn } from "../turn.ts";
import { earliestRepair, noteRepair } from "./contention.ts";
import { mayOwn } from "./firewall.ts";
import { answer, install, scheduleInstall, settleInstall } from "./requests.ts";
import { type Loss, scheduledInstall } from "./table-state.ts";

/** A reference younger than this many ms was perhaps read after somebody's change that is not reported yet. */
const REFERENCE_DOUBT = 1000;
/** Milliseconds until an install that has failed is tried again, where something has changed. */
const SOON = 250;
/** Milliseconds between two owners of the table, whatever ends them. */
const OWNERS_APART = 1000;

/** The monitor showed a change of the table that was not the daemon's. */
export function tableTouched(turn: Turn, touch: "deleted" | "changed", actor: Actor): void {
	const { table, settings } = turn.state;
	// A reference read a moment ago may already have been this change.
	const doubtful = table.reference && turn.time - table.reference.at < REFERENCE_DOUBT;
	turn.table({
		listing: table.listing === "none" ? "none" : "stale",
		...(doubtful ? { reference: undefined } : {}),
		...(table.contention ? { contention: { ...table.contention, lastLoss: turn.time } } : {}),
	});
	if (table.phase === "starting") return;
	lost(turn, { at: turn.time, reason: touch, actor });
	if (!table.contention)
		turn.log("warn", `table inet ${settings.table} was ${touch} by ${describeActor(actor)}`);
}

/** The monitor showed the daemon's own change: what was lost before it is restored. */
export function ownTransaction(turn: Turn): void {
	const { install: progress } = turn.state.table;
	if (progress.is === "idle" || (progress.is === "running" && progress.shown)) return;
	if (progress.is === "running") turn.table({ install: { ...progress, shown: true } });
	else settleInstall(turn);
	turn.table({ unshown: undefined, present: true });
	restored(turn);
}

/** The table is in place, but its owner has ended and everybody can change it: it gets another owner. */
export function ownerLost(turn: Turn, reason: string): void {
	const { table, settings } = turn.state;
	turn.table({ owned: false });
	if (table.released || !mayOwn(table.firewall, turn.time)) return;
	// Without an owner before, this is another try.
	if (table.owned)
		turn.log("warn", `lost ownership of table inet ${settings.table} (${reason}); taking it again`);
	if (table.install.is === "running" || scheduledInstall(table) !== undefined) return;
	const earliest = (table.installedAt ?? turn.time) + OWNERS_APART;
	if (earliest <= turn.time) install(turn);
	else scheduleInstall(turn, earliest);
}

/** The table is gone or another one: it is repaired as soon as the limits of `contention.ts` allow. */
export function lost(turn: Turn, loss: Loss): void {
	const { table } = turn.state;
	if (loss.reason === "deleted") turn.table({ present: false });
	if (table.released) return;
	if (!table.loss) {
		turn.table({ loss });
		if (!table.contention) {
			const event = loss.reason === "deleted" ? "table_lost" : "table_changed";
			turn.do({ type: "report", event, details: changedBy(turn, loss) });
		}
	} else {
		// Who did it may be known later than that it was done: a listing can be quicker than the monitor.
		const { actor = loss.actor, reason, ...known } = table.loss;
		const worst = loss.reason === "deleted" ? "deleted" : reason;
		turn.table({ loss: { ...known, reason: worst, ...(actor ? { actor } : {}) } });
	}
	// What fails is tried again in its own time; but who deletes the table has had nft do something, so that may work again.
	const planned = scheduledInstall(table);
	if (table.failures > 0 && planned !== undefined) {
		if (loss.reason === "deleted" && planned > turn.time + SOON) scheduleInstall(turn, turn.time + SOON);
		return;
	}
	// The monitor keeps the kernel's order: a running install that it has not shown yet comes after this change.
	if (table.install.is === "running" && !table.install.shown) return;
	const earliest = earliestRepair(table.recent, table.contention, turn.time);
	if (earliest <= turn.time) install(turn);
	else scheduleInstall(turn, earliest);
}

/** What was lost is in place again. */
export function restored(turn: Turn): void {
	const { table, settings } = turn.state;
	const { loss } = table;
	if (!loss) return;
	const milliseconds = Math.round((turn.time - loss.at) * 10) / 10;
	const by = changedBy(turn, loss);
	const { by: process, described, pid, service } = by;
	turn.table({
		loss: undefined,
		lastLoss: loss,
		repairs: table.repairs + 1,
		lastRepair: {
			at: isoSeconds(clockOffset(turn.state.clockOffset, turn.now), turn.time),
			...(process === undefined ? {} : { by: process }),
			...(described === undefined ? {} : { described }),
			...(pid === undefined ? {} : { pid }),
			...(service === undefined ? {} : { service }),
			reason: loss.reason,
			milliseconds,
		},
	});
	if (!table.contention) {
		turn.do({
			type: "report",
			event: "table_restored",
			details: { ...by, reason: loss.reason, milliseconds },
		});
		turn.log("info", `table inet ${settings.table} restored after ${milliseconds} ms`);
	}
	noteRepair(turn, loss.actor ?? table.lastLoss?.actor);
	answer(turn, true, `table inet ${settings.table} was ${loss.reason}; restored`);
	requestRestarts(turn);
	pollSoon(turn);
}

function changedBy(turn: Turn, { actor, at }: Loss): ChangedBy {
	const service = attribute(actor, at, turn.state.services);
	const named = service === undefined ? {} : { service };
	if (!actor) return named;
	const { process, pid, command, parent } = actor;
	return {
		by: process,
		described: describeActor(actor),
		...(pid === undefined ? {} : { pid }),
		...(command === undefined ? {} : { command }),
		...(parent === undefined ? {} : { parent }),
		...named,
	};
}
