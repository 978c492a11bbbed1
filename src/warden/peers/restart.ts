import type { PeerRecord, RestartState } from "../peer-record.ts";
import type { WardenState } from "../state.ts";
import { configurationOf, isDown, isEstablished, speakerOf } from "../state.ts";
import type { Turn } from "../turn.ts";
import { isCurableError } from "./curable-error.ts";
import { isBeyondRestart, mayEndWait, withWaitEnded } from "./error-wait.ts";
import { considerEnabling } from "./given-up.ts";
import { pollBirdAt, pollBirdNow, pollSoon } from "./polling.ts";
import { beginStep } from "./remedy-step.ts";
import { APART, afterSession, cutBackoff, mayCutBackoff, restartDelay } from "./restart-backoff.ts";
import { expectFlap, keptBfdSession, OWN_FLAP, wentDownInOwnFlap } from "./restart-flap.ts";

/** For this many ms after a repair, peers that are not Established are restarted. */
const WINDOW = 1500;
/**
 * FRR redials when BFD comes up, so a restart has no effect while BFD is down: it waits for BFD, but no longer than this
 * many ms. The redial then gets `GRACE` ms.
 */
const BFD_PATIENCE = 20_000;
/** A handshake that is under way gets this many ms to finish. */
const GRACE = 1000;
/** BIRD sees within this many ms that the peer has given up a session: it sends a KEEPALIVE before, and gets an RST. */
const LOSS_SEEN_WITHIN = 60_000;
/** A peer that BIRD has run for this many ms is not given up again at once. */
const RUNS_AFTER = 5000;
/** No more peers than these are restarted within `within` ms: each restart is a process, and work for BIRD. The others follow. */
const AT_A_TIME = { peers: 16, within: 1000 } as const;
/** A session that lasted this many ms ends the backoff. */
const LASTING = 30_000;

/**
 * A repair or a flush changed something: what keeps a peer down may be gone, but the other side waits for its own
 * retry timer (up to 120 s). Restarting the peer in BIRD makes BFD flap, and FRR redials as BFD comes up.
 */
export function requestRestarts(turn: Turn): void {
	if (!turn.state.settings.remediate) return;
	turn.bird({ restartsWantedAt: turn.time });
	pollSoon(turn);
	pollBirdNow(turn);
}

/** Entries that kept sessions dead are gone: what failed before says nothing now. */
export function cutBackoffs(turn: Turn): void {
	for (const record of turn.state.peers.values())
		if (!isEstablished(record) && !isDown(record))
			turn.peer(record.peer.name, { ...record, restart: cutBackoff(record.restart, turn.time) });
}

/** Restarts one peer, in the time that its backoff allows. */
export function scheduleRestart(turn: Turn, name: string): void {
	const record = turn.state.peers.get(name);
	if (!record || !turn.state.settings.remediate || isBeyondRestart(record, turn.time)) return;
	const marked = markWanted(turn, record, turn.time);
	turn.peer(name, marked);
	considerRestart(turn, marked);
}

/**
 * What kept this peer down was changed: it is restarted soon, for what failed before says nothing now. One that BIRD still
 * takes for Established is left alone. The peer has given that session up, its dial was caught, and FRR does not dial again
 * before its connect timer: the restart is made once BIRD sees the loss too, at its next KEEPALIVE.
 */
export function restartAfterChange(turn: Turn, name: string): void {
	const record = turn.state.peers.get(name);
	if (!record || isDown(record)) return;
	const { restart } = record;
	if (isEstablished(record)) {
		if (isSuspectedHalfOpen(record, turn.time)) return;
		turn.peer(name, { ...record, restart: { ...restart, suspectedSince: turn.time } });
		pollBirdAt(turn, turn.time + LOSS_SEEN_WITHIN);
		return;
	}
	if (!turn.state.settings.remediate || record.peer.neighborRange !== undefined) return;
	// BIRD's wait was not made for what was changed now.
	if (record.peer.state === "Idle" && isBeyondRestart(record, turn.time)) return;
	// A table that others work at all the time, as fw4's, changes for reasons that have nothing to do with the peer.
	if (!mayCutBackoff(restart, turn.time)) return;
	const notBefore = restart.lastAt === undefined ? turn.time : Math.max(turn.time, restart.lastAt + APART);
	turn.peer(name, {
		...record,
		restart: { ...restart, wantedSince: turn.time, notBefore, backoffCutAt: turn.time, changedAt: turn.time },
	});
	pollSoon(turn);
	pollBirdNow(turn);
}

/** After each reading of BIRD: which peers are to be restarted, and which of them now? */
export function considerRestarts(turn: Turn): void {
	const { restartsWantedAt } = turn.state.bird;
	for (const found of turn.state.peers.values()) {
		const waits = waitsThoughReachable(found);
		const lost = isLossConfirmed(found);
		const record =
			lost || (waits && isNewLoss(found))
				? { ...found, restart: cutBackoff(found.restart, turn.time) }
				: found;
		const wantedAt = waits || lost ? turn.time : restartsWantedAt;
		considerRestart(turn, wantedAt === undefined ? record : markWanted(turn, record, wantedAt));
	}
	// Before the first reading nobody could be found, so the window starts with it.
	if (restartsWantedAt !== undefined && turn.time >= restartsWantedAt + WINDOW)
		turn.bird({ restartsWantedAt: undefined });
}

/** BFD shows that the peer is there, and BIRD waits after an error that may not come again. */
function waitsThoughReachable({ peer }: PeerRecord): boolean {
	return (
		peer.state === "Idle" &&
		peer.bfd === "up" &&
		peer.lastError !== undefined &&
		isCurableError(peer.lastError)
	);
}

/** BIRD has seen that the suspected session is gone. */
function isLossConfirmed(record: PeerRecord): boolean {
	const { stateSince, restart } = record;
	const { suspectedSince, lastAt = 0 } = restart;
	if (suspectedSince === undefined || stateSince === undefined || isEstablished(record)) return false;
	return (
		stateSince >= suspectedSince && stateSince - suspectedSince < LOSS_SEEN_WITHIN && lastAt < stateSince
	);
}

/** The peer has tried since the last restart, and lost: what failed before was something else. */
function isNewLoss({ stateSince, restart }: PeerRecord): boolean {
	return stateSince !== undefined && stateSince > (restart.lastAt ?? 0) + OWN_FLAP.milliseconds;
}

/** Whether the peer's restart waits for what the peer does next, which only frequent readings show. */
export function awaitsRestart(turn: Turn, record: PeerRecord): boolean {
	const due = restartDueAt(record);
	return due !== undefined && due - turn.time <= BFD_PATIENCE;
}

/** When a restart that is wanted may be made. */
function restartDueAt(record: PeerRecord): number | undefined {
	const { wantedSince, notBefore } = record.restart;
	if (wantedSince === undefined) return undefined;
	return Math.max(wantedSince + holdBack(record, wantedSince), notBefore ?? wantedSince);
}

/** Milliseconds that a wanted restart waits for what the peer is doing. */
function holdBack({ peer, bfdSince, stateSince, diagnosis }: PeerRecord, wantedSince: number): number {
	// Counted from the handshake: the restart may have been wanted, or held back, long before it.
	if (peer.state === "OpenSent" || peer.state === "OpenConfirm")
		return Math.max(0, (stateSince ?? wantedSince) - wantedSince) + GRACE;
	// BFD does not come up by itself where BIRD has no socket for it.
	if (diagnosis?.id === "bfd-not-sending") return 0;
	if (peer.bfd === "down" || peer.bfd === "init") return BFD_PATIENCE;
	const cameUp = peer.bfd === "up" && bfdSince !== undefined && bfdSince > wantedSince;
	return cameUp ? bfdSince - wantedSince + GRACE : 0;
}

/** The peer has given up the session that BIRD takes for Established, and BIRD has not had the time to see it. */
export function isSuspectedHalfOpen({ restart, stateSince, birdSince }: PeerRecord, now: number): boolean {
	const { suspectedSince } = restart;
	if (suspectedSince === undefined || now - suspectedSince >= LOSS_SEEN_WITHIN) return false;
	return Math.max(stateSince ?? 0, birdSince ?? 0) <= suspectedSince;
}

function markWanted(turn: Turn, record: PeerRecord, wantedAt: number): PeerRecord {
	const { restart } = record;
	if (isEstablished(record) || isDown(record) || !turn.state.settings.remediate) return record;
	if (isBeyondRestart(record, turn.time) || isDeafToRestart(turn.state, record)) return record;
	if (restart.wantedSince !== undefined || (restart.lastAt !== undefined && restart.lastAt >= wantedAt))
		return record;
	return { ...record, restart: { ...restart, wantedSince: turn.time } };
}

/** Who neither answers BFD with a dial nor is dialed by BIRD gains nothing from a restart in BIRD. */
export function isDeafToRestart(state: WardenState, record: PeerRecord): boolean {
	const speaker = speakerOf(state, record);
	const isDeaf = speaker === "gobgp" || speaker === "cilium" || speaker === "metallb-native";
	return isDeaf && record.peer.state !== "Idle" && configurationOf(state, record)?.passive === true;
}

/** A peer that runs again has been enabled for good: the next obstacle is a new one. */
function withoutOldListening({ restart, stateSince, peer }: PeerRecord, now: number): RestartState {
	const { listening, ...rest } = restart;
	const runs = peer.protocolState !== "down" && stateSince !== undefined && now - stateSince > RUNS_AFTER;
	return listening && runs ? rest : restart;
}

function considerRestart(turn: Turn, found: PeerRecord): void {
	const { name } = found.peer;
	const restart = withoutOldListening(found, turn.time);
	const record = restart === found.restart ? found : { ...found, restart };
	if (isEstablished(record)) {
		// A session to which nothing has happened; most are.
		if (restart === found.restart && restart.count === 0 && Object.keys(restart).length === 1) {
			turn.peer(name, found);
			return;
		}
		const lasting = record.stateSince === undefined || turn.time - record.stateSince >= LASTING;
		const { suspectedSince } = restart;
		const suspicion =
			suspectedSince !== undefined && isSuspectedHalfOpen(record, turn.time) ? { suspectedSince } : {};
		const after = { ...afterSession(record, lasting), ...suspicion };
		turn.peer(name, { ...record, restart: lasting ? after : cutBackoff(after, turn.time) });
		return;
	}
	if (isDown(record)) {
		// Every restart passes through this state.
		const { flapExpected } = restart;
		turn.peer(name, {
			...record,
			restart: { ...afterSession(record, false), ...(flapExpected && { flapExpected }) },
		});
		considerEnabling(turn, turn.state.peers.get(name) ?? record);
		return;
	}
	const beyondRestart = isBeyondRestart(record, turn.time);
	if (!beyondRestart && wentDownInOwnFlap(turn, record)) {
		const flapRestarts = [...(restart.flapRestarts ?? []), turn.time];
		const changed = { ...restart, flapRestarts, flapExpected: expectFlap(turn, restart) };
		restartNow(
			turn,
			record,
			changed,
			"went down in the BFD flap caused by its restart; restarting it once more",
		);
		return;
	}
	if (!beyondRestart && keptBfdSession(turn, record)) {
		const changed = { ...restart, flapExpected: expectFlap(turn, restart, 1) };
		restartNow(
			turn,
			record,
			changed,
			"kept its BFD session in BIRD across the restart; restarting it once more",
		);
		return;
	}
	if (mayEndWait(turn, record)) {
		const changed = withWaitEnded({ ...restart, waitEndedFor: record.stateSince }, turn.time);
		restartNow(turn, record, changed, `restarted to end BIRD's error wait (${record.peer.lastError?.text})`);
		return;
	}
	if (!turn.state.settings.remediate || beyondRestart) {
		const { wantedSince, ...kept } = restart;
		turn.peer(name, wantedSince === undefined ? record : { ...record, restart: kept });
		return;
	}
	const wanted = restartDueAt(record);
	const due = wanted === undefined ? undefined : Math.max(wanted, nextRestartAt(turn));
	if (due === undefined || due > turn.time) {
		// A restart is decided on a fresh reading only: the peer may be Established by then.
		if (due !== undefined) pollBirdAt(turn, due);
		turn.peer(name, record);
		return;
	}
	const count = restart.count + 1;
	const delay = restartDelay(count);
	const { wantedSince: _, flapRestarts: __, suspectedSince: ___, ...kept } = restart;
	const flapExpected = expectFlap(turn, restart);
	const notBefore = turn.time + delay;
	const restarted = { ...kept, count, lastAt: turn.time, notBefore, flapExpected };
	const { state } = record.peer;
	restartNow(
		turn,
		record,
		state === "Idle" ? withWaitEnded(restarted, turn.time) : restarted,
		`is ${state ?? "not up"}: restarted in BIRD so that it connects now`,
	);
	beginStep(turn, name, "restart");
	turn.do({ type: "report", event: "peer_nudged", details: { peer: name, state } });
}

/** When another peer may be restarted. */
function nextRestartAt({ state, time }: Turn): number {
	const recent = (state.bird.restartedAt ?? []).filter((at) => time - at < AT_A_TIME.within);
	return recent.length < AT_A_TIME.peers ? time : (recent[0] ?? time) + AT_A_TIME.within;
}

/** @param why what the log says about the peer */
function restartNow(turn: Turn, record: PeerRecord, restart: RestartState, why: string): void {
	const { name } = record.peer;
	turn.peer(name, { ...record, restart });
	const before = turn.state.bird.restartedAt ?? [];
	turn.bird({ restartedAt: [...before.filter((at) => turn.time - at < AT_A_TIME.within), turn.time] });
	turn.do({ type: "restart_peer", peer: name, verb: "restart" });
	turn.log("info", `peer ${name} ${why}`);
	pollSoon(turn);
}
