import type { PeerRecord, RestartState } from "../peer-record.ts";
import type { Turn } from "../turn.ts";
import { waitsAfterBfd } from "./error-wait.ts";

/**
 * FRR starts its BFD session anew as it dials after a restart. When BIRD has accepted the dial before it notices that, it
 * drops the session and refuses the peer for 60 s (`error wait time` in BIRD's manual, protocol bgp), although BFD is
 * up again a second later. A restart then ends the wait. Seen after about half of the restarts with single-hop BFD.
 */
export const OWN_FLAP = { milliseconds: 10_000, most: 2, apart: 1000 } as const;
/**
 * BIRD 3 makes the new BFD session of a restarted peer and cleans up the old one in two threads. Where the first is faster,
 * the old session goes on (`Session to … reused`, proto/bfd/bfd.c), BFD does not flap, and FRR has no reason to redial. Seen
 * after up to every third restart. `after` ms show it, and another restart may work: `most` in an outage, for a BFD
 * session that another protocol of BIRD's uses as well never flaps.
 */
const NO_FLAP = { after: 900, before: 10_000, most: 2 } as const;
/** BFD flapped because of the restart, took the new session with it, and is up again. */
export function wentDownInOwnFlap(turn: Turn, record: PeerRecord): boolean {
	const { restart } = record;
	if (!turn.state.settings.remediate || restart.lastAt === undefined) return false;
	const { flapRestarts = [] } = restart;
	return (
		turn.time - restart.lastAt < OWN_FLAP.milliseconds &&
		turn.time - (flapRestarts.at(-1) ?? restart.lastAt) >= OWN_FLAP.apart &&
		flapRestarts.length < OWN_FLAP.most &&
		waitsAfterBfd(record) &&
		record.peer.bfd === "up"
	);
}

/** @param more repeated restarts to count */
export function expectFlap(
	{ time }: Turn,
	{ flapExpected }: RestartState,
	more = 0,
): Required<RestartState>["flapExpected"] {
	return { since: time, repeats: (flapExpected?.repeats ?? 0) + more };
}

/** The restart should have made BFD flap, and has not; and nobody dials. */
export function keptBfdSession(
	turn: Turn,
	{ peer, bfdSince, restart: { flapExpected } }: PeerRecord,
): boolean {
	if (!turn.state.settings.remediate || flapExpected === undefined || peer.bfd !== "up") return false;
	const { since, repeats } = flapExpected;
	const waits = peer.state === "Passive" || peer.state === "Active" || peer.state === "Connect";
	const age = turn.time - since;
	return (
		waits &&
		(bfdSince === undefined || bfdSince <= since) &&
		age >= NO_FLAP.after &&
		age < NO_FLAP.before &&
		repeats < NO_FLAP.most
	);
}
