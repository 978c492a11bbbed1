import type { Turn } from "../turn.ts";

/** Milliseconds between two times at which peers are diagnosed again. */
const APART = 500;
const MOST_PLANNED = 64;

/** Has the peers diagnosed again at that time. */
export function diagnoseAt(turn: Turn, time: number): void {
	const { due } = turn.state.evidence;
	if (time <= turn.time || due.some((planned) => Math.abs(planned - time) < APART)) return;
	turn.evidence({ due: [...due, time].sort((a, b) => a - b).slice(0, MOST_PLANNED) });
}
