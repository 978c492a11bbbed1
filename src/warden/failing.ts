import type { WardenEvent } from "./events.ts";
import type { WardenState } from "./state.ts";
import type { Turn } from "./turn.ts";

type EventType = WardenEvent["type"];

/** Milliseconds after which a tick that has failed is tried again. */
export const TICK_AGAIN = 1000;
/** Events that an install or a listing waits for: without them it would wait for ever. */
const OF_TABLE: ReadonlySet<EventType> = new Set<EventType>([
	"started",
	"installed",
	"install_failed",
	"listed",
	"list_failed",
	"own_transaction",
	"owner_lost",
	"table_touched",
	"released",
	"tick",
]);

/**
 * An event could not be dealt with: a fault of bgpwarden's own. It is as if it had not happened, and it is told. The table goes
 * before everything else: whatever was under way with it, it is installed again.
 * @param turn a new one, with the state before the event
 */
export function failed(turn: Turn, type: EventType, error: unknown): Pick<Turn, "state" | "actions"> {
	const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
	turn.state = { ...turn.state, failing: { type, at: turn.time } };
	turn.problem("internal", `a fault of bgpwarden's own, at the event ${type}: ${what}; please report it`);
	const { table } = turn.state;
	if (OF_TABLE.has(type) && !table.released)
		turn.table({ phase: "kept", listing: "none", install: { is: "idle", at: turn.time + TICK_AGAIN } });
	return turn;
}

/** Such an event was dealt with: what kept it from that is over. */
export function succeeded(turn: Turn, type: EventType): void {
	if (turn.state.failing?.type !== type) return;
	const { failing: _, ...rest } = turn.state as WardenState;
	turn.state = rest;
	turn.problem("internal", undefined);
}
