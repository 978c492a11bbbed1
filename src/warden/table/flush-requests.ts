import { cutBackoffs, requestRestarts } from "../peers/restart.ts";
import type { Turn } from "../turn.ts";

/** Deletes stale conntrack entries; with a flush under way, once more after it. @param ids who waits for it */
export function requestFlush(turn: Turn, ids: readonly string[]): void {
	const { flush } = turn.state;
	if (flush.running) {
		turn.flush({ again: true, nextWaiting: [...flush.nextWaiting, ...ids] });
		return;
	}
	turn.flush({ running: true, waiting: ids });
	turn.do({ type: "flush", ports: turn.state.table.ports });
}

/** @param left entries that were still there after the last try */
export function flushed(turn: Turn, deleted: number, left: number): void {
	turn.problem("conntrack", undefined);
	turn.flush({ deleted: turn.state.flush.deleted + deleted });
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
	turn.problem("conntrack", `cannot delete stale conntrack entries: ${reason}`);
	finish(turn, false, reason);
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
