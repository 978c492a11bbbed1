import { describeInclude, describeMissing, type FirewallFacts, FW4_TABLE } from "../../model/firewall.ts";
import type { Turn } from "../turn.ts";
import { isAwaited, mayOwn } from "./firewall.ts";
import { install } from "./requests.ts";
import type { FirewallState } from "./table-state.ts";

/** Looks because of the firewall's own changes are this many ms apart. */
const APART = 1000;
/** A missing table of fw4's is reported after this many ms: a restart takes a moment, and at boot fw4 starts after the daemon. */
const TELL_AFTER = { deleted: 2000, found: 20_000 } as const;
/** Milliseconds from the return of fw4's table to the next owner: fw4 runs its scripts, or is restarted once more. */
const OWN_AFTER = 5000;
/** While fw4's table is missing, the kernel is asked for it for this many ms, in case the monitor was just starting. */
const LIST_FOR = 60_000;

/** A look that was not answered in this many ms is not waited for. */
const LOOK_PATIENCE = 10_000;

/** Has fw4's files looked at, and plans the next look. @param listing whether the kernel is asked for fw4's table as well */
export function look(turn: Turn, listing = false): void {
	const { settings, table } = turn.state;
	const { missing } = table.firewall;
	const asks = listing || (missing !== undefined && turn.time < missing.since + LIST_FOR);
	change(turn, { lookedAt: turn.time, lookAt: turn.time + settings.pollInterval * 1000 });
	if (missing && missing.tellAt > turn.time) lookAt(turn, missing.tellAt);
	const { looking } = turn.state.table.firewall;
	// One process for all who want it: a hundred peers that are to be restarted are a hundred looks at once.
	if (looking && turn.time - looking.since < LOOK_PATIENCE) {
		change(turn, { looking: { ...looking, again: true } });
		return;
	}
	change(turn, { looking: { since: turn.time, again: false } });
	turn.do({ type: "look_at_firewall", listing: asks });
}

/** The monitor showed a change of other tables. @param firewall what it left of fw4's */
export function firewallChanged(
	turn: Turn,
	tables: readonly string[],
	firewall: "there" | "missing" | undefined,
): void {
	if (!tables.includes(FW4_TABLE) && firewall === undefined) return;
	if (firewall === "missing") missed(turn, TELL_AFTER.deleted);
	else if (firewall === "there") back(turn);
	adapt(turn);
	const next = (turn.state.table.firewall.lookedAt ?? Number.NEGATIVE_INFINITY) + APART;
	// Where it is gone, its next start may be milliseconds away.
	if (firewall === "missing" || next <= turn.time) look(turn);
	else lookAt(turn, next);
}

export function firewallSeen(
	turn: Turn,
	{ includes, meant, table }: FirewallFacts & { readonly table?: "there" | "missing" },
): void {
	const again = turn.state.table.firewall.looking?.again === true;
	change(turn, { includes, meant, looking: undefined });
	if (table === "there") back(turn);
	else if (table === "missing") missed(turn, TELL_AFTER.found);
	adapt(turn);
	if (again) look(turn, true);
}

export function firewallTick(turn: Turn): void {
	const { lookAt: due, ownAt } = turn.state.table.firewall;
	if (ownAt !== undefined && turn.time >= ownAt) {
		change(turn, { ownAt: undefined });
		adapt(turn);
	}
	if (due !== undefined && turn.time >= due) look(turn);
}

function missed(turn: Turn, tellAfter: number): void {
	const { firewall, owned } = turn.state.table;
	// Where nothing says that it is meant to be there, nobody misses it.
	if (firewall.missing || firewall.meant === undefined) return;
	const tellAt = turn.time + tellAfter;
	change(turn, { missing: { since: turn.time, tellAt }, ownAt: undefined });
	lookAt(turn, tellAt);
	if (owned) turn.log("info", `table ${FW4_TABLE} is gone: ${name(turn)} has no owner until it is back`);
}

function back(turn: Turn): void {
	const { firewall } = turn.state.table;
	if (!firewall.missing) return;
	const ownAt = isAwaited(firewall, turn.time) ? turn.time + OWN_AFTER : undefined;
	change(turn, { missing: undefined, ownAt });
}

/** Brings ownership and problems in line with what is known of the firewall. */
function adapt(turn: Turn): void {
	const { table, settings } = turn.state;
	const { missing, meant, includes } = table.firewall;
	const [include] = includes;
	const told =
		missing &&
		turn.time >= missing.tellAt &&
		isAwaited(table.firewall, turn.time) &&
		(settings.protect || meant === "started");
	turn.problem(
		"firewall",
		told ? describeMissing(settings.table, meant) : undefined,
		meant === "started" ? "error" : "warn",
	);
	turn.problem(
		"firewall_file",
		include && settings.protect ? describeInclude(settings.table, include) : undefined,
		"warn",
	);
	// The first install asks by itself.
	if (table.phase === "starting" || table.released || !settings.protect) return;
	const may = mayOwn(table.firewall, turn.time);
	const owner = table.install.is === "running" ? !table.withheld : table.owned;
	if (may ? table.withheld : owner) install(turn);
	else if (!may) turn.table({ withheld: true });
}

function lookAt(turn: Turn, time: number): void {
	const { lookAt: planned } = turn.state.table.firewall;
	change(turn, { lookAt: planned === undefined ? time : Math.min(planned, time) });
}

type Changes = { [Key in keyof FirewallState]?: FirewallState[Key] | undefined };

function change(turn: Turn, changes: Changes): void {
	const merged = Object.entries({ ...turn.state.table.firewall, ...changes });
	turn.table({
		firewall: Object.fromEntries(
			merged.filter(([, value]) => value !== undefined),
		) as unknown as FirewallState,
	});
}

function name(turn: Turn): string {
	return `table inet ${turn.state.settings.table}`;
}
