import type { Turn } from "../turn.ts";

/** BIRD is read this many milliseconds after something that sessions will show soon. */
const AFTER_CHANGE = [100, 300, 1000] as const;
/** Polls closer to each other than this many ms are one. */
const APART = 100;
/** Peers that are not up yet are polled each second for this many ms. */
const FOLLOW = 10_000;
const FOLLOW_PERIOD = 1000;

/** Something happened that sessions will show soon: a handshake, a repair, a restart. */
export function pollSoon(turn: Turn): void {
	turn.bird({ followUntil: turn.time + FOLLOW });
	for (const delay of AFTER_CHANGE) pollBirdAt(turn, turn.time + delay);
}

/**
 * Something happened that may affect sessions: one poll a second later, unless one is planned. A session that is affected
 * shows a handshake or a FIN, which leads to `pollSoon`.
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
 * Plans the next polls after one.
 * @param peers.unsettled some peer may come up soon
 * @param peers.awaited some peer's restart waits for what the peer does next
 */
export function schedulePolls(turn: Turn, peers: { unsettled: boolean; awaited: boolean }): void {
	turn.bird({ pollAt: turn.time + turn.state.settings.pollInterval * 1000 });
	const follow = peers.awaited || (peers.unsettled && turn.time < turn.state.bird.followUntil);
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

/** Polls BIRD at that time, unless another poll is planned right around it. */
export function pollBirdAt(turn: Turn, time: number): void {
	const { due } = turn.state.bird;
	if (due.some((planned) => Math.abs(planned - time) < APART)) return;
	turn.bird({ due: [...due, time].sort((a, b) => a - b) });
}
