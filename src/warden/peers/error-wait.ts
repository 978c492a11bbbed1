import type { PeerRecord } from "../state.ts";
import type { Turn } from "../turn.ts";
import { pollBirdAt } from "./polling.ts";

/** BFD's failure has had its effects on BIRD after this many ms. */
const SETTLING = 1000;
/** BIRD's wait after a peer's error is ended once in this many ms. */
const APART = 60_000;

/** BFD has failed, and BIRD waits: it refuses the peer for `error wait time`, 60 s at least, though BFD may be up again. */
export function waitsAfterBfd({ peer }: PeerRecord): boolean {
	return peer.state === "Idle" && peer.lastError?.bfdDown === true;
}

/**
 * The peer's dial has failed on its own side, and BIRD waits: FRR sends this (code 5, RFC 4271 section 6.6) when its interface
 * has no link-local address yet, which IPv6 gets a second after the link. A list of what a restart cures, not of what it does
 * not: a wait after any other error is BIRD's to make. Without a BFD session BIRD may wait for the neighbor's link.
 */
function waitsAfterEarlyDial({ peer }: PeerRecord): boolean {
	const hasBfd = peer.bfd === "up" || peer.bfd === "down" || peer.bfd === "init";
	const { notification } = peer.lastError ?? {};
	const fsmError =
		notification?.by === "peer" && notification.code === 5 && notification.subcode === undefined;
	return peer.state === "Idle" && hasBfd && fsmError;
}

/**
 * Ends BIRD's wait early, once for each loss, so that the peer can come back as soon as its link does: FRR dials once, as
 * BFD comes up. A peer that dials too early again and again has it ended once in `APART` ms, and one that flaps never: for
 * those the wait was made.
 */
export function mayEndWait(turn: Turn, record: PeerRecord): boolean {
	const { stateSince, restart, diagnosis } = record;
	if (!turn.state.settings.remediate || record.peer.bfd === "up") return false;
	if (!waitsAfterBfd(record) && !waitsAfterEarlyDial(record)) return false;
	if (diagnosis?.id === "flapping" || stateSince === undefined || restart.waitEndedFor === stateSince)
		return false;
	const { errorWaitEndedAt } = restart;
	if (!waitsAfterBfd(record) && errorWaitEndedAt !== undefined && turn.time - errorWaitEndedAt < APART)
		return false;
	if (turn.time - stateSince >= SETTLING) return true;
	pollBirdAt(turn, stateSince + SETTLING);
	return false;
}
