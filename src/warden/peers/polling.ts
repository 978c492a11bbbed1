import type { Turn } from "../turn.ts";

/** Milliseconds after a sign of change at which BIRD is read. */
const AFTER_SIGN = [100, 300, 1000] as const;
/** Readings that close to each other are one. */
const APART = 100;
/** So long after a sign, peers that are not up yet are read each second. */
const FOLLOW = 10_000;
const FOLLOW_PERIOD = 1000;

/** Something happened that sessions will show soon: a handshake, a repair, a restart. */
export function pollSoon(turn: Turn): void {
	turn.bird({ followUntil: turn.time + FOLLOW });
	for (const delay of AFTER_SIGN) pollBirdAt(turn, turn.time + delay);
}

/**
 * Something happened that may reach sessions, though nothing says so: one reading a second later, unless one is planned. A
 * session that it does reach shows a handshake or a FIN, which is a sign of change.
 */
export function pollLater(turn: Turn): void {
	turn.bird({ followUntil: turn.time + FOLLOW });
	if (turn.state.bird.due.length === 0) pollBirdAt(turn, turn.time + FOLLOW_PERIOD);
}

/** Reads BIRD at once. */
export function pollBirdNow(turn: Turn): void {
	if (turn.state.bird.reachable) turn.do({ type: "read_bird" });
}

/**
 * Plans the next readings after one was had.
 * @param peers.unsettled some peer may come up soon
 * @param peers.nudging some peer's nudge waits for what it does next
 */
export function schedulePolls(turn: Turn, peers: { unsettled: boolean; nudging: boolean }): void {
	turn.bird({ pollAt: turn.time + turn.state.settings.pollInterval * 1000 });
	const follow = peers.nudging || (peers.unsettled && turn.time < turn.state.bird.followUntil);
	if (follow) pollBirdAt(turn, turn.time + FOLLOW_PERIOD);
}

export function pollingTick(turn: Turn): void {
	const { bird, settings } = turn.state;
	const due = bird.due.filter((time) => time > turn.time);
	const polled = bird.pollAt !== undefined && bird.pollAt <= turn.time;
	if (due.length === bird.due.length && !polled) return;
	turn.bird({ due, pollAt: bird.reachable ? turn.time + settings.pollInterval * 1000 : undefined });
	pollBirdNow(turn);
}

/** Reads BIRD at that time, unless a reading is planned right around it. */
export function pollBirdAt(turn: Turn, time: number): void {
	const { due } = turn.state.bird;
	if (due.some((planned) => Math.abs(planned - time) < APART)) return;
	turn.bird({ due: [...due, time].sort((a, b) => a - b) });
}
