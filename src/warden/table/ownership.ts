import type { Turn } from "../turn.ts";
import { install } from "./table.ts";

/** Milliseconds between two owners of the table, whatever ends them. */
const OWNERS_APART = 1000;

/** The table is in place, but everybody can change it: another owner takes over. */
export function ownerLost(turn: Turn, reason: string): void {
	const { table, settings } = turn.state;
	turn.table({ owned: false });
	if (table.released) return;
	turn.log("warn", `table inet ${settings.table} has no owner any more (${reason}); another takes over`);
	if (table.installing || table.installAt !== undefined) return;
	const earliest = (table.installedAt ?? turn.time) + OWNERS_APART;
	if (earliest <= turn.time) install(turn);
	else turn.table({ installAt: earliest });
}

/** A person wants to change the table, or be rid of it: from now on it is neither owned nor repaired. */
export function releaseTable(turn: Turn, ids: readonly string[]): void {
	const { table } = turn.state;
	turn.reply(table.waiting, false, `table inet ${turn.state.settings.table} is released`);
	turn.table({ released: true, loss: undefined, installAt: undefined, barrier: false, waiting: [] });
	turn.do({ type: "release", ids });
}

export function released(turn: Turn, ids: readonly string[], failure: string | undefined): void {
	const name = `table inet ${turn.state.settings.table}`;
	if (!turn.state.table.released) {
		turn.reply(ids, false, `${name} was taken back meanwhile`);
		return;
	}
	turn.table({ owned: false });
	turn.problem("released", `${name} is left alone, as it was asked for; bgpwarden ensure protects it again`);
	if (failure !== undefined) turn.reply(ids, false, failure);
	else turn.reply(ids, true, `${name} can be changed by everybody; bgpwarden ensure protects it again`);
}

/** The table is the daemon's again; whoever calls this has it looked at or installed. */
export function endRelease(turn: Turn): void {
	turn.table({ released: undefined });
	turn.problem("released", undefined);
}
