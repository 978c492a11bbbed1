import { retryDelay } from "../../lib/backoff.ts";
import { parseLastError } from "../../system/bird/last-error.ts";
import { isRefusal } from "../diagnosis/bgp-errors.ts";
import type { Nudge, PeerRecord } from "../state.ts";
import { isDown, isEstablished } from "../state.ts";
import type { Turn } from "../turn.ts";
import { endsWait, waitsAfterBfd } from "./error-wait.ts";
import { pollBirdAt, pollBirdNow, pollSoon } from "./polling.ts";
import { beginStep } from "./remedy-step.ts";

const BACKOFF = { first: 30_000, longest: 600_000 };
/** What has failed this many times in a row is tried once in `BACKOFF.longest` ms. */
const HOPELESS = 3;
/** Milliseconds between two restarts of a peer, whatever has changed meanwhile. */
const APART = 5000;
const FORGIVING = 60_000;
/** For this many ms after a repair, peers that are found not Established are meant by it. */
const WINDOW = 1500;
/**
 * FRR redials when BFD comes up, so a nudge has no effect while BFD is down: it waits for BFD, but no longer than so
 * many ms. The redial then gets `GRACE` ms.
 */
const BFD_PATIENCE = 20_000;
/** A handshake that is under way gets this many ms to finish. */
const GRACE = 1000;
/**
 * FRR starts its BFD session anew as it dials after a nudge. When BIRD has accepted the dial before it notices that, it
 * drops the session and refuses the peer for 60 s (`error wait time` in BIRD's manual, protocol bgp), although BFD is
 * up again a second later. A restart then ends the wait. Seen after about half of the nudges with single-hop BFD.
 */
const AFTERMATH = { milliseconds: 10_000, most: 2, apart: 1000 } as const;
/**
 * BIRD 3 makes the new BFD session of a restarted peer and cleans up the old one in two threads. Where the first is faster,
 * the old session goes on (`Session to … reused`, proto/bfd/bfd.c), BFD does not flap, and FRR has no reason to redial. Seen
 * after up to every third restart. `after` ms show it, and another restart may work: `most` in an outage, for a BFD
 * session that another protocol of BIRD's uses as well never flaps.
 */
const UNMOVED = { after: 900, before: 10_000, most: 2 } as const;
/** BIRD sees within this many ms that the peer has given up a session: it sends a KEEPALIVE before, and gets an RST. */
const DOUBT = 60_000;
/** A session that lasted this many ms ends the backoff. */
const LASTING = 30_000;

/**
 * A repair or a flush changed something: what keeps a peer down may be gone, but the other side waits for its own
 * retry timer (up to 120 s). Restarting the peer in BIRD makes BFD flap, and FRR redials as BFD comes up.
 */
export function requestNudges(turn: Turn): void {
	if (!turn.state.settings.remediate) return;
	turn.bird({ nudgesWantedAt: turn.time });
	pollSoon(turn);
	pollBirdNow(turn);
}

/** Restarts one peer, in the time that its backoff allows. */
export function wantNudge(turn: Turn, name: string): void {
	const record = turn.state.peers[name];
	if (!record || !turn.state.settings.remediate) return;
	const marked = mark(turn, record, turn.time);
	turn.peer(name, marked);
	consider(turn, marked);
}

/**
 * What kept this peer down was changed: it is restarted soon, for what failed before says nothing now. One that BIRD still
 * takes for Established is left alone. The peer has given that session up, its dial was caught, and FRR does not dial again
 * before its connect timer: the restart is made once BIRD sees the loss too, at its next KEEPALIVE.
 */
export function requestNudge(turn: Turn, name: string): void {
	const record = turn.state.peers[name];
	if (!record || isDown(record)) return;
	const { nudge } = record;
	if (isEstablished(record)) {
		if (isDoubted(record, turn.time)) return;
		turn.peer(name, { ...record, nudge: { ...nudge, doubtedSince: turn.time } });
		pollBirdAt(turn, turn.time + DOUBT);
		return;
	}
	if (!turn.state.settings.remediate) return;
	// A table that others work at all the time, as fw4's, changes for reasons that have nothing to do with the peer.
	if (!forgivable(nudge, turn.time)) return;
	const notBefore = nudge.lastAt === undefined ? turn.time : Math.max(turn.time, nudge.lastAt + APART);
	turn.peer(name, {
		...record,
		nudge: { ...nudge, wantedSince: turn.time, notBefore, forgivenAt: turn.time },
	});
	pollSoon(turn);
	pollBirdNow(turn);
}

/** After each reading: who is meant, and whose time has come? */
export function considerNudges(turn: Turn): void {
	const { nudgesWantedAt } = turn.state.bird;
	for (const found of Object.values(turn.state.peers)) {
		const waits = waitsForNothing(found);
		const lost = isDoubtConfirmed(found);
		const record =
			lost || (waits && isNewLoss(found)) ? { ...found, nudge: forgiven(found.nudge, turn.time) } : found;
		const wantedAt = waits || lost ? turn.time : nudgesWantedAt;
		consider(turn, wantedAt === undefined ? record : mark(turn, record, wantedAt));
	}
	// Before the first reading nobody could be found, so the window starts with it.
	if (nudgesWantedAt !== undefined && turn.time >= nudgesWantedAt + WINDOW)
		turn.bird({ nudgesWantedAt: undefined });
}

/** BFD shows that the peer is there, and BIRD waits after an error that may not come again. */
function waitsForNothing({ peer }: PeerRecord): boolean {
	if (peer.state !== "Idle" || peer.bfd !== "up" || peer.lastError === undefined) return false;
	const error = parseLastError(peer.lastError);
	return error === undefined || !isRefusal(error);
}

/** BIRD has seen that the doubted session is gone. */
function isDoubtConfirmed(record: PeerRecord): boolean {
	const { stateSince, nudge } = record;
	const { doubtedSince, lastAt = 0 } = nudge;
	if (doubtedSince === undefined || stateSince === undefined || isEstablished(record)) return false;
	return stateSince >= doubtedSince && stateSince - doubtedSince < DOUBT && lastAt < stateSince;
}

/** The peer has tried since the last restart, and lost: what failed before was something else. */
function isNewLoss({ stateSince, nudge }: PeerRecord): boolean {
	return stateSince !== undefined && stateSince > (nudge.lastAt ?? 0) + AFTERMATH.milliseconds;
}

/** Whether some peer's nudge waits for what that peer does next, which only frequent readings show. */
export function isNudging(turn: Turn, record: PeerRecord): boolean {
	const due = nextNudge(record);
	return due !== undefined && due - turn.time <= BFD_PATIENCE;
}

/** When a nudge that is held back may be made. */
function nextNudge(record: PeerRecord): number | undefined {
	const { wantedSince, notBefore } = record.nudge;
	if (wantedSince === undefined) return undefined;
	return Math.max(wantedSince + patience(record, wantedSince), notBefore ?? wantedSince);
}

/** Milliseconds that a wanted nudge is held back for what the peer is doing. */
function patience({ peer, bfdSince }: PeerRecord, wantedSince: number): number {
	if (peer.state === "OpenSent" || peer.state === "OpenConfirm") return GRACE;
	if (peer.bfd === "down" || peer.bfd === "init") return BFD_PATIENCE;
	const cameUp = peer.bfd === "up" && bfdSince !== undefined && bfdSince > wantedSince;
	return cameUp ? bfdSince - wantedSince + GRACE : 0;
}

/** The peer has given up the session that BIRD takes for Established, and BIRD has not had the time to see it. */
export function isDoubted({ nudge, stateSince, birdSince }: PeerRecord, now: number): boolean {
	const { doubtedSince } = nudge;
	if (doubtedSince === undefined || now - doubtedSince >= DOUBT) return false;
	return Math.max(stateSince ?? 0, birdSince ?? 0) <= doubtedSince;
}

function mark(turn: Turn, record: PeerRecord, wantedAt: number): PeerRecord {
	const { nudge } = record;
	if (isEstablished(record) || isDown(record) || !turn.state.settings.remediate) return record;
	if (nudge.wantedSince !== undefined || (nudge.lastAt !== undefined && nudge.lastAt >= wantedAt))
		return record;
	return { ...record, nudge: { ...nudge, wantedSince: turn.time } };
}

function consider(turn: Turn, record: PeerRecord): void {
	const { name } = record.peer;
	const { nudge } = record;
	if (isEstablished(record)) {
		const lasting = record.stateSince === undefined || turn.time - record.stateSince >= LASTING;
		const { doubtedSince } = nudge;
		const doubt = doubtedSince !== undefined && isDoubted(record, turn.time) ? { doubtedSince } : {};
		const calmed = { ...calm(record, lasting), ...doubt };
		turn.peer(name, { ...record, nudge: lasting ? calmed : forgiven(calmed, turn.time) });
		return;
	}
	if (isDown(record)) {
		// Every restart passes through this state.
		const { flapAwaited } = nudge;
		turn.peer(name, { ...record, nudge: { ...calm(record, false), ...(flapAwaited && { flapAwaited }) } });
		return;
	}
	if (isAftermath(turn, record)) {
		const aftermaths = [...(nudge.aftermaths ?? []), turn.time];
		turn.peer(name, { ...record, nudge: { ...nudge, aftermaths, flapAwaited: awaitFlap(turn, nudge) } });
		turn.do({ type: "restart_peer", peer: name });
		turn.log("info", `peer ${name} met its own BFD flap: restarted in BIRD once more`);
		pollSoon(turn);
		return;
	}
	if (isUnmoved(turn, record)) {
		const flapAwaited = awaitFlap(turn, nudge, 1);
		turn.peer(name, { ...record, nudge: { ...nudge, flapAwaited } });
		turn.do({ type: "restart_peer", peer: name });
		turn.log("info", `peer ${name}: BIRD kept its BFD session across the restart; restarting it once more`);
		pollSoon(turn);
		return;
	}
	if (endsWait(turn, record)) {
		const bfdFailed = waitsAfterBfd(record);
		turn.peer(name, {
			...record,
			nudge: { ...nudge, waitEnded: record.stateSince, ...(bfdFailed ? {} : { errorForgivenAt: turn.time }) },
		});
		turn.do({ type: "restart_peer", peer: name });
		turn.log(
			"info",
			`peer ${name}: restarted to end BIRD's error wait (${record.peer.lastError}), so that it can come back at once`,
		);
		return;
	}
	if (!turn.state.settings.remediate) {
		const { wantedSince: _, ...kept } = nudge;
		turn.peer(name, { ...record, nudge: kept });
		return;
	}
	const due = nextNudge(record);
	if (due === undefined || due > turn.time) {
		// A nudge is decided on a fresh reading only: the peer may be Established by then.
		if (due !== undefined) pollBirdAt(turn, due);
		turn.peer(name, record);
		return;
	}
	const count = nudge.count + 1;
	const delay = count >= HOPELESS ? BACKOFF.longest : retryDelay(BACKOFF, count);
	const { wantedSince: _, aftermaths: __, doubtedSince: ___, ...kept } = nudge;
	const flapAwaited = awaitFlap(turn, nudge);
	const notBefore = turn.time + delay;
	turn.peer(name, { ...record, nudge: { ...kept, count, lastAt: turn.time, notBefore, flapAwaited } });
	beginStep(turn, name, "restart");
	turn.do({ type: "restart_peer", peer: name });
	turn.do({ type: "report", event: "peer_nudged", details: { peer: name, state: record.peer.state } });
	turn.log(
		"info",
		`peer ${name} is ${record.peer.state ?? "not up"}: restarted in BIRD to make it connect now`,
	);
	pollSoon(turn);
}

function isAftermath(turn: Turn, record: PeerRecord): boolean {
	const { nudge } = record;
	if (!turn.state.settings.remediate || nudge.lastAt === undefined) return false;
	const { aftermaths = [] } = nudge;
	return (
		turn.time - nudge.lastAt < AFTERMATH.milliseconds &&
		turn.time - (aftermaths.at(-1) ?? nudge.lastAt) >= AFTERMATH.apart &&
		aftermaths.length < AFTERMATH.most &&
		waitsAfterBfd(record) &&
		record.peer.bfd === "up"
	);
}

function awaitFlap({ time }: Turn, { flapAwaited }: Nudge, more = 0): Required<Nudge>["flapAwaited"] {
	return { since: time, repeats: (flapAwaited?.repeats ?? 0) + more };
}

/** The restart that was to make BFD flap has not, and nobody dials. */
function isUnmoved(turn: Turn, { peer, bfdSince, nudge: { flapAwaited } }: PeerRecord): boolean {
	if (!turn.state.settings.remediate || flapAwaited === undefined || peer.bfd !== "up") return false;
	const { since, repeats } = flapAwaited;
	const waits = peer.state === "Passive" || peer.state === "Active" || peer.state === "Connect";
	const age = turn.time - since;
	return (
		waits &&
		(bfdSince === undefined || bfdSince <= since) &&
		age >= UNMOVED.after &&
		age < UNMOVED.before &&
		repeats < UNMOVED.most
	);
}

/** The backoff is cut short once in `FORGIVING` ms, and for what seems hopeless once in the longest delay. */
function forgivable({ forgivenAt, count }: Nudge, now: number): boolean {
	return forgivenAt === undefined || now - forgivenAt >= (count >= HOPELESS ? BACKOFF.longest : FORGIVING);
}

/**
 * A session that comes up, however short, shows that what failed before is over: the next loss need not wait for the backoff
 * of that. Once in `FORGIVING` ms, so that a session that only a restart brings up for a moment does not make it restart
 * for ever.
 */
function forgiven(nudge: Nudge, now: number): Nudge {
	const { notBefore, lastAt, ...rest } = nudge;
	if (notBefore === undefined || lastAt === undefined || notBefore <= now + APART) return nudge;
	if (!forgivable(nudge, now)) return nudge;
	return { ...rest, lastAt, notBefore: lastAt + APART, forgivenAt: now };
}

/** @param lasting whether the backoff starts over */
function calm(record: PeerRecord, lasting: boolean): Nudge {
	const { lastAt, notBefore, count, waitEnded, forgivenAt, errorForgivenAt } = record.nudge;
	return {
		count: lasting ? 0 : count,
		...(lastAt === undefined ? {} : { lastAt }),
		...(waitEnded === undefined ? {} : { waitEnded }),
		...(forgivenAt === undefined ? {} : { forgivenAt }),
		...(errorForgivenAt === undefined ? {} : { errorForgivenAt }),
		...(notBefore === undefined || lasting ? {} : { notBefore }),
	};
}
