import { retryDelay } from "../../lib/backoff.ts";
import type { PeerRecord, RestartState } from "../peer-record.ts";

const BACKOFF = { first: 30_000, longest: 600_000 };
/** What has failed this many times in a row is tried once in `BACKOFF.longest` ms. */
const HOPELESS = 3;
/** Milliseconds between two restarts of a peer, whatever has changed meanwhile. */
export const APART = 5000;
/** The backoff of a peer is cut short once in this many ms. */
const CUT_APART = 60_000;

/** Milliseconds until the next restart may be made. @param count restarts so far without a lasting session */
export function restartDelay(count: number): number {
	return count >= HOPELESS ? BACKOFF.longest : retryDelay(BACKOFF, count);
}

/** Whether the backoff may be cut short: once in `CUT_APART` ms, and for what seems hopeless once in the longest delay. */
export function mayCutBackoff({ backoffCutAt, count }: RestartState, now: number): boolean {
	return (
		backoffCutAt === undefined || now - backoffCutAt >= (count >= HOPELESS ? BACKOFF.longest : CUT_APART)
	);
}

/**
 * A session that comes up, however short, shows that what failed before is over: the next loss need not wait for the backoff
 * of that. Once in `CUT_APART` ms, so that a session that only a restart brings up for a moment does not make it restart
 * for ever.
 */
export function cutBackoff(restart: RestartState, now: number): RestartState {
	const { notBefore, lastAt, ...rest } = restart;
	if (notBefore === undefined || lastAt === undefined || notBefore <= now + APART) return restart;
	if (!mayCutBackoff(restart, now)) return restart;
	return { ...rest, lastAt, notBefore: lastAt + APART, backoffCutAt: now };
}

/** @param lasting whether the backoff starts over */
export function afterSession(record: PeerRecord, lasting: boolean): RestartState {
	const { lastAt, notBefore, count, waitEndedFor, backoffCutAt, waitsEnded, askedAt, listening } =
		record.restart;
	return {
		count: lasting ? 0 : count,
		...(lastAt === undefined ? {} : { lastAt }),
		...(waitEndedFor === undefined ? {} : { waitEndedFor }),
		...(backoffCutAt === undefined ? {} : { backoffCutAt }),
		...(waitsEnded === undefined ? {} : { waitsEnded }),
		...(askedAt === undefined ? {} : { askedAt }),
		...(listening === undefined || lasting ? {} : { listening }),
		...(notBefore === undefined || lasting ? {} : { notBefore }),
	};
}
