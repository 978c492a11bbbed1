import { catalogEntry } from "../../model/catalog.ts";
import { isRefused } from "../diagnosis/bgp-errors.ts";
import type { PeerRecord, RestartState } from "../peer-record.ts";
import type { Turn } from "../turn.ts";
import { isCurableError, isRouteLimit, isShutdown } from "./curable-error.ts";
import { pollBirdAt } from "./polling.ts";

/** BFD's failure has had its effects on BIRD after this many ms. */
const SETTLING = 1000;
/** BIRD's wait after a dial that came too early is ended once in this many ms. */
const APART = 60_000;
/** This many of BIRD's waits are ended within `within` ms, whatever they were for. */
const MOST_ENDED = { waits: 2, within: 300_000 } as const;
/** A peer that lost its session this many times within `within` ms is left to BIRD. */
const FLAPS = { losses: 3, within: 600_000 } as const;

/** BFD has failed, and BIRD waits: it refuses the peer for `error wait time`, 60 s at least, though BFD may be up again. */
export function waitsAfterBfd({ peer }: PeerRecord): boolean {
	return peer.state === "Idle" && peer.lastError?.bfdDown === true;
}

/**
 * The peer's dial has failed on its own side, and BIRD waits. Without a BFD session BIRD may wait for the neighbor's link.
 */
function waitsAfterEarlyDial({ peer }: PeerRecord): boolean {
	const hasBfd = peer.bfd === "up" || peer.bfd === "down" || peer.bfd === "init";
	const { notification } = peer.lastError ?? {};
	return peer.state === "Idle" && hasBfd && notification?.code === 5 && peer.lastError !== undefined
		? isCurableError(peer.lastError)
		: false;
}

/** BIRD begins to wait within this many ms of a loss. */
const WAITS_WITHIN = 5000;

/**
 * The session was up, and was lost to something that has passed since: the peer has dialed again, and BIRD, which waits, has
 * refused it. Without BFD nothing else tells. A wait after a handshake that came to nothing is BIRD's.
 */
function waitsInVain({ peer, lostWith, downSince, dialedAt, stateSince, birdSince }: PeerRecord): boolean {
	const { lastError } = peer;
	if (peer.state !== "Idle" || lastError === undefined || lastError.text !== lostWith) return false;
	if (stateSince === undefined || downSince === undefined || stateSince - downSince > WAITS_WITHIN)
		return false;
	// That dial may be what had BIRD read.
	return dialedAt !== undefined && dialedAt >= Math.min(stateSince, birdSince ?? stateSince);
}

/**
 * BIRD's waits are made for peers that fail again and again, and grow for them. One that has lost its session several times
 * lately, or whose waits were ended already, gets them.
 */
export function isLeftToBird({ flapTimes = [], restart }: PeerRecord, now: number): boolean {
	const losses = flapTimes.filter((time) => now - time < FLAPS.within).length;
	return losses >= FLAPS.losses || endedLately(restart, now).length >= MOST_ENDED.waits;
}

function endedLately({ waitsEnded = [] }: RestartState, now: number): readonly number[] {
	return waitsEnded.filter((time) => now - time < MOST_ENDED.within);
}

/** The peer's restarts with one more wait that was ended. */
export function withWaitEnded(restart: RestartState, now: number): RestartState {
	return { ...restart, waitsEnded: [...endedLately(restart, now), now] };
}

/**
 * Whether restarting the peer cannot help, and may count against it: its cause is known to be none that a restart ends, or
 * BIRD waits for a reason that is not known to pass, or has waited often lately.
 */
export function isBeyondRestart(record: PeerRecord, now: number): boolean {
	const { diagnosis, peer } = record;
	if (diagnosis && catalogEntry(diagnosis.id)?.beyondRestart) return true;
	// A range is no session, and restarting it ends those of its nodes.
	if (peer.neighborRange !== undefined) return true;
	// BIRD keeps the routes of a speaker that restarts (RFC 4724), which a restart in BIRD would drop. One that has dialed since
	// is running, and its dial came to nothing: it may not dial again before those routes are too old.
	if (peer.keepsRoutes && record.dialedAt === undefined) return true;
	const { lastError } = peer;
	if (!lastError) return false;
	// It has dialed since, and the dial was caught here: what it said before is over.
	if (peer.state !== "Idle" && (record.restart.changedAt ?? -1) >= (record.stateSince ?? 0)) return false;
	if (isRouteLimit(lastError) || isShutdown(lastError)) return true;
	if (isRefused(record, now)) return true;
	return peer.state === "Idle" && (!isCurableError(lastError) || isLeftToBird(record, now));
}

/**
 * Ends BIRD's wait early, once for each loss, so that the peer can come back as soon as its link does: FRR dials once, as
 * BFD comes up. One that dials too early, or in vain, again and again has it ended once in `APART` ms, and one that flaps
 * never: for those the wait was made.
 */
export function mayEndWait(turn: Turn, record: PeerRecord): boolean {
	const { stateSince, restart } = record;
	if (!turn.state.settings.remediate || record.peer.bfd === "up") return false;
	if (!waitsAfterBfd(record) && !waitsAfterEarlyDial(record) && !waitsInVain(record)) return false;
	if (isBeyondRestart(record, turn.time)) return false;
	if (stateSince === undefined || restart.waitEndedFor === stateSince) return false;
	const last = restart.waitsEnded?.at(-1);
	if (!waitsAfterBfd(record) && last !== undefined && turn.time - last < APART) return false;
	if (turn.time - stateSince >= SETTLING) return true;
	pollBirdAt(turn, stateSince + SETTLING);
	return false;
}
