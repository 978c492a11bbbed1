import { retryDelay } from "../../lib/backoff.ts";
import { clockOffset, isoSeconds } from "../../lib/clock.ts";
import type { Actor } from "../../model/actor.ts";
import { describeActor } from "../../model/actor.ts";
import { requestNudges } from "../peers/nudge.ts";
import { pollSoon } from "../peers/polling.ts";
import { attribute } from "../services/attribution.ts";
import type { Loss } from "../state.ts";
import type { Turn } from "../turn.ts";
import { keepCovered } from "./covered.ts";
import { earliestRepair, noteRepair } from "./fight.ts";
import { requestFlush } from "./flush-requests.ts";

const INSTALL_RETRY = { first: 1000, longest: 10_000 };
/** Milliseconds in which the monitor must show an install that the kernel has confirmed. */
const OWN_PATIENCE = 500;
/** The same when the table is known to be touched, so that nothing stays broken meanwhile. */
const OWN_PATIENCE_LOST = 250;
/** Without a monitor, the table is looked at once in this many milliseconds. */
const BLIND_PERIOD = 1000;
/** A monitor younger than this may have missed the install because it was just starting. */
const WATCH_YOUTH = 2000;
/** A monitor that has not shown this many installs in a row is deaf, and not only slow under a program that fights. */
const DEAF_AFTER = 5;
/** A reference younger than this was perhaps taken after somebody's change that is not reported yet. */
const REFERENCE_DOUBT = 1000;
/** This many different listings after the daemon's own installs, and nft's output itself has changed. */
const MISMATCH_LIMIT = 3;

/** First of all: what is there now? The answer starts the first install. */
export function startTable(turn: Turn): void {
	list(turn);
}

/**
 * Puts the table in place because what it should be has changed, not because it was lost.
 * @param ids `ensure` commands that are answered then
 */
export function reinstall(turn: Turn, ids: readonly string[] = []): void {
	turn.table({ reference: undefined, mismatches: 0, waiting: [...turn.state.table.waiting, ...ids] });
	if (turn.state.table.phase !== "starting") install(turn);
}

/** Looks at the table; the answers go to these `ensure` commands. */
export function ensureTable(turn: Turn, ids: readonly string[]): void {
	turn.table({ waiting: [...turn.state.table.waiting, ...ids] });
	if (turn.state.table.phase === "kept" && !turn.state.table.loss) list(turn);
}

export function tableTouched(turn: Turn, touch: "deleted" | "changed", actor: Actor): void {
	const { table, settings } = turn.state;
	// A reference taken a moment ago may already have been this change.
	const doubtful = table.reference && turn.time - table.reference.at < REFERENCE_DOUBT;
	turn.table({
		listingStale: table.listing,
		...(doubtful ? { reference: undefined } : {}),
		...(table.fight ? { fight: { ...table.fight, lastLoss: turn.time } } : {}),
	});
	if (table.phase === "starting") return;
	lost(turn, { at: turn.time, reason: touch, actor });
	const verb = touch === "deleted" ? "deleted" : "changed";
	if (!table.fight) turn.log("warn", `table inet ${settings.table} was ${verb} by ${describeActor(actor)}`);
}

/** The monitor showed our own transaction: what was lost before it is restored. */
export function ownTransaction(turn: Turn): void {
	if (!turn.state.table.awaitsOwn) return;
	turn.table({ awaitsOwn: false, ownDue: undefined, ownMisses: undefined, present: true });
	restored(turn);
}

export function installed(turn: Turn, owned = false): void {
	const { table, settings } = turn.state;
	turn.table({ installing: false, present: true, failures: 0, phase: "kept" });
	turn.table({ owned, installedAt: turn.time, former: [] });
	turn.problem("install", undefined);
	if (table.awaitsOwn) {
		// Without a monitor nobody will confirm it; the process has.
		if (table.watchSince === undefined) ownTransaction(turn);
		else turn.table({ ownDue: turn.time + (table.loss ? OWN_PATIENCE_LOST : OWN_PATIENCE) });
	}
	if (table.phase === "installing" && table.before === undefined) {
		turn.log("info", `table inet ${settings.table} installed`);
		requestNudges(turn);
	}
	if (owned && !table.owned) {
		const how = "bgpwarden release lets go of it, as stopping the service does";
		turn.log("info", `table inet ${settings.table} is owned: nobody else can change it (${how})`);
	}
	requestFlush(turn, []);
	if (table.installAgain) install(turn);
	else if (!turn.state.table.loss) list(turn);
}

export function installFailed(turn: Turn, reason: string): void {
	const failures = turn.state.table.failures + 1;
	turn.table({
		installing: false,
		installAgain: undefined,
		awaitsOwn: false,
		ownDue: undefined,
		failures,
		installAt: turn.state.table.released ? undefined : turn.time + retryDelay(INSTALL_RETRY, failures),
	});
	turn.problem("install", `table inet ${turn.state.settings.table} cannot be installed: ${reason}`);
	answer(turn, false, reason);
}

/** @param text the kernel's listing; undefined: there is no such table */
export function listed(turn: Turn, text: string | undefined): void {
	const { table } = turn.state;
	turn.table({ listing: false, listingStale: false, suspected: false });
	if (table.phase === "starting") {
		turn.table({ phase: "installing", before: text, present: text !== undefined });
		keepCovered(turn, text);
		install(turn);
		return;
	}
	if (table.listingStale) {
		if (!table.loss && !table.installing) list(turn);
		return;
	}
	if (table.loss || table.installing) return;
	if (text === undefined) {
		turn.table({ present: false });
		lost(turn, { at: turn.time, reason: "deleted" });
	} else if (!table.reference) {
		compareWithBefore(turn, text);
		turn.table({ reference: { text, at: turn.time }, mismatches: 0, before: undefined });
		answer(turn, true, `table inet ${turn.state.settings.table} is in place`);
	} else if (table.reference.text === text) {
		turn.table({ mismatches: 0 });
		answer(turn, true, `table inet ${turn.state.settings.table} is in place`);
	} else if (!table.suspected) {
		// Once in some hundred times nft lists a chain twice while others work on their tables: a second look decides.
		turn.table({ suspected: true });
		list(turn);
		return;
	} else if (table.mismatches + 1 >= MISMATCH_LIMIT) {
		turn.log("warn", `nft lists table inet ${turn.state.settings.table} in other words than before`);
		turn.table({ reference: { text, at: turn.time }, mismatches: 0 });
		answer(turn, true, `table inet ${turn.state.settings.table} is in place`);
	} else {
		turn.table({ mismatches: table.mismatches + 1 });
		lost(turn, { at: turn.time, reason: "changed" });
	}
	if (turn.state.table.barrier && !turn.state.table.loss) install(turn);
}

export function listFailed(turn: Turn, reason: string): void {
	const { table } = turn.state;
	turn.table({ listing: false, listingStale: false });
	if (table.phase === "starting") {
		turn.table({ phase: "installing" });
		install(turn);
		return;
	}
	turn.log("warn", `the table cannot be looked at: ${reason}`);
	answer(turn, false, reason);
}

/** A new monitor is blind to what happened before it: look, and install once as a sign that must come by. */
export function watchStarted(turn: Turn): void {
	turn.table({ watchSince: turn.time, lookAt: undefined });
	turn.problem("watch", undefined);
	const { phase, loss, installing } = turn.state.table;
	if (phase !== "kept") return;
	// What the old one did not show may be in place long since: an install tells, and is the sign as well.
	if (loss && !installing) {
		install(turn);
		return;
	}
	turn.table({ barrier: true });
	list(turn);
}

/** The kernel dropped monitor messages: look. */
export function watchGap(turn: Turn): void {
	if (turn.state.table.phase === "kept") list(turn);
}

export function watchEnded(turn: Turn, reason: string): void {
	const wasLong = turn.time - (turn.state.table.watchSince ?? turn.time) >= WATCH_YOUTH;
	turn.table({ watchSince: undefined, lookAt: turn.time + BLIND_PERIOD });
	if (wasLong) turn.log("warn", `${reason}; started again`);
	else turn.problem("watch", `changes of the ruleset cannot be watched: ${reason}`);
}

export function tableTick(turn: Turn): void {
	const { table } = turn.state;
	if (table.lookAt !== undefined && turn.time >= table.lookAt) {
		turn.table({ lookAt: turn.time + BLIND_PERIOD });
		if (table.phase === "kept" && !table.loss) list(turn);
	}
	if (table.ownDue !== undefined && turn.time >= table.ownDue) ownMissed(turn);
	if (table.installAt !== undefined && turn.time >= table.installAt && !table.installing) install(turn);
}

function ownMissed(turn: Turn): void {
	const { watchSince = turn.time, loss, ownMisses = 0 } = turn.state.table;
	const misses = ownMisses + 1;
	turn.table({ awaitsOwn: false, ownDue: undefined, ownMisses: misses });
	if ((loss && misses < DEAF_AFTER) || turn.time - watchSince < WATCH_YOUTH) {
		install(turn);
		return;
	}
	turn.table({ ownMisses: undefined });
	turn.do({ type: "replace_watch", reason: "nft monitor: it does not show the daemon's own change" });
}

function lost(turn: Turn, loss: Loss): void {
	const { table } = turn.state;
	if (loss.reason === "deleted") turn.table({ present: false });
	if (table.released) return;
	if (!table.loss) {
		turn.table({ loss });
		if (!table.fight) {
			const event = loss.reason === "deleted" ? "table_lost" : "table_changed";
			turn.do({ type: "report", event, details: lossDetails(turn, loss) });
		}
	} else if (loss.reason === "deleted" && table.loss.reason !== "deleted") {
		turn.table({ loss: { ...table.loss, reason: "deleted" } });
	}
	// What fails is tried again in its own time.
	if (table.failures > 0 && table.installAt !== undefined) return;
	// A running install whose transaction has not come by yet is later than this change and covers it.
	if (table.installing && table.awaitsOwn) return;
	const earliest = earliestRepair(table.recent, table.fight, turn.time);
	if (earliest <= turn.time) install(turn);
	else turn.table({ installAt: earliest });
}

function restored(turn: Turn): void {
	const { table, settings } = turn.state;
	const { loss } = table;
	if (!loss) return;
	const milliseconds = Math.round((turn.time - loss.at) * 10) / 10;
	const offset = clockOffset(turn.state.clockOffset, turn.now);
	const service = attribute(loss.actor, loss.at, turn.state.services);
	turn.table({
		loss: undefined,
		lastLoss: loss,
		repairs: table.repairs + 1,
		lastRepair: {
			at: isoSeconds(offset, turn.time),
			...(loss.actor ? { by: describeActor(loss.actor), ...pidOf(loss.actor) } : {}),
			...(service === undefined ? {} : { service }),
			reason: loss.reason,
			milliseconds,
		},
	});
	if (!table.fight) {
		turn.do({
			type: "report",
			event: "table_restored",
			details: { ...lossDetails(turn, loss), reason: loss.reason, milliseconds },
		});
		turn.log("info", `table inet ${settings.table} restored after ${milliseconds} ms`);
	}
	noteRepair(turn, loss.actor);
	answer(turn, true, `table inet ${settings.table} was ${loss.reason}; restored`);
	requestNudges(turn);
	pollSoon(turn);
}

/** At the first listing: was the table that the daemon found another one than it wanted? */
function compareWithBefore(turn: Turn, text: string): void {
	const { before } = turn.state.table;
	if (before === undefined || before === text) return;
	turn.log("info", `table inet ${turn.state.settings.table} was there in another form; replaced`);
	requestNudges(turn);
}

/** Has the table put in place, unless it was released. */
export function install(turn: Turn): void {
	const { addresses, former, released, installing } = turn.state.table;
	if (released) {
		// A time in the past would be waited for again and again.
		turn.table({ installAt: undefined });
		return;
	}
	if (installing) {
		// One after the other, or a listing after the first would be taken for what the second has made.
		turn.table({ installAgain: true });
		return;
	}
	turn.table({ installing: true, awaitsOwn: true, ownDue: undefined, installAt: undefined, barrier: false });
	turn.table({ installAgain: undefined });
	turn.table({ listingStale: turn.state.table.listing });
	turn.do({ type: "install", addresses, former });
}

function list(turn: Turn): void {
	if (turn.state.table.listing) {
		turn.table({ listingStale: true });
		return;
	}
	turn.table({ listing: true, listingStale: false });
	turn.do({ type: "list" });
}

function answer(turn: Turn, ok: boolean, text: string): void {
	turn.reply(turn.state.table.waiting, ok, text);
	turn.table({ waiting: [] });
}

function lossDetails(turn: Turn, { actor, at }: Loss): Record<string, string | number | undefined> {
	const service = attribute(actor, at, turn.state.services);
	const named = service === undefined ? {} : { service };
	if (!actor) return named;
	return { by: actor.process, ...pidOf(actor), command: actor.command, parent: actor.parent, ...named };
}

function pidOf({ pid }: Actor): { pid?: number } {
	return pid === undefined ? {} : { pid };
}
