import type { Ladder, PeerRecord, Rung } from "../state.ts";
import type { Turn } from "../turn.ts";
import { readAt } from "./polling.ts";
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
