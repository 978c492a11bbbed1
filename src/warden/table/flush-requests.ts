import { type Backoff, retryDelay } from "../../lib/backoff.ts";
import { cutBackoffs, requestRestarts } from "../peers/restart.ts";
import type { Turn } from "../turn.ts";

/** A failed flush is made again: what is stale keeps its session dead. */
const RETRY: Backoff = { first: 1000, longest: 7000, lasting: 60_000 };

/** A flush that fails after this many ms has hung: whoever waits for the next one would wait as long again. */
const HUNG = 4000;

/** Deletes stale conntrack entries; with a flush under way, once more after it. @param ids who waits for it */
export function requestFlush(turn: Turn, ids: readonly string[]): void {
	const { flush } = turn.state;
	if (flush.running) {
		turn.flush({ again: true, nextWaiting: [...flush.nextWaiting, ...ids] });
		return;
	}
	turn.flush({ running: true, since: turn.time, waiting: ids, retryAt: undefined });
	turn.do({ type: "flush", ports: turn.state.table.ports });
}

/** @param left entries that were still there after the last try */
export function flushed(turn: Turn, deleted: number, left: number): void {
	turn.problem("conntrack", undefined);
	turn.flush({ failures: undefined, retryAt: undefined, deleted: turn.state.flush.deleted + deleted });
	if (left > 0)
		turn.log(
			"warn",
			`${count(left, "conntrack entry", "conntrack entries")} reappeared after every deletion`,
		);
	if (deleted > 0) {
		turn.log("info", `${count(deleted, "stale conntrack entry", "stale conntrack entries")} deleted`);
		turn.do({ type: "report", event: "conntrack_flushed", details: { deleted, left } });
		cutBackoffs(turn);
		requestRestarts(turn);
	}
	const summary = `${count(deleted, "entry", "entries")} deleted`;
	if (left > 0) finish(turn, deleted > 0, `${summary}, ${left} left`);
	else finish(turn, true, deleted === 0 ? "no stale conntrack entries" : summary);
}

export function flushFailed(turn: Turn, reason: string): void {
	const { since = turn.time, nextWaiting, failures: before = 0 } = turn.state.flush;
	const failures = before + 1;
	turn.problem("conntrack", `cannot delete stale conntrack entries: ${reason}`);
	turn.flush({ failures, retryAt: turn.time + retryDelay(RETRY, failures) });
	if (turn.time - since >= HUNG) {
		turn.reply(nextWaiting, false, reason);
		turn.flush({ nextWaiting: [] });
	}
	finish(turn, false, reason);
}

/** Time for another try. */
export function flushTick(turn: Turn): void {
	const { retryAt } = turn.state.flush;
	if (retryAt !== undefined && turn.time >= retryAt) requestFlush(turn, []);
}

function finish(turn: Turn, ok: boolean, text: string): void {
	const { flush } = turn.state;
	turn.reply(flush.waiting, ok, text);
	turn.flush({ running: false, again: false, waiting: [], nextWaiting: [] });
	if (flush.again) requestFlush(turn, flush.nextWaiting);
}

function count(number: number, one: string, many: string): string {
	return `${number} ${number === 1 ? one : many}`;
}
