import type { PeerRecord } from "../state.ts";
import type { Turn } from "../turn.ts";
import { readAt } from "./polling.ts";

/**
 * What the daemon does by itself for a peer that is down: look after the table, delete the peer's conntrack entries,
 * restart the peer in BIRD, in this order, each only if the one before did not help.
 */
export interface Ladder {
	/** The rung that was taken last. */
	readonly rung: Rung;
	readonly at: number;
	readonly outcome: "pending" | "worked" | "did not help";
	/** How long it took to work, ms. */
	readonly after?: number;
}

export type Rung = "table" | "conntrack" | "restart";

/** How long a rung has to show what it does, ms. */
export const PATIENCE: Readonly<Record<Rung, number>> = { table: 1500, conntrack: 1500, restart: 15_000 };
/** A rung was taken for a peer. */
export function take(turn: Turn, name: string, rung: Rung): void {
	const record = turn.state.peers[name];
	if (!record) return;
	note(turn, record, { rung, at: turn.time, outcome: "pending" });
	readAt(turn, turn.time + PATIENCE[rung]);
}

export function note(turn: Turn, record: PeerRecord, ladder: Ladder): void {
	turn.peer(record.peer.name, { ...record, ladder });
}

/** What was done, for a person, without its outcome. */
export function sayRung(rung: Rung): string {
	switch (rung) {
		case "table":
			return "a look after the table";
		case "conntrack":
			return "deleting its conntrack entries";
		case "restart":
			return "its restart in BIRD";
	}
}
