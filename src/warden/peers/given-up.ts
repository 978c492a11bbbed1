import type { PeerRecord } from "../peer-record.ts";
import { configurationOf, evidenceKey, isDown } from "../state.ts";
import type { Turn } from "../turn.ts";
import { pollSoon } from "./polling.ts";

/** BIRD's words when it could not open the socket for a peer: it disables it, and does not try again (proto/bgp/bgp.c). */
const NO_SOCKET = "Error: No listening socket";

/** BIRD could not listen for the peer and has given it up. */
export function gaveUpListening(record: PeerRecord): boolean {
	return isDown(record) && record.peer.lastError?.text === NO_SOCKET;
}

/** BIRD has disabled the peer itself, because of an error; one that a person has disabled has none. */
export function gaveUp(record: PeerRecord): boolean {
	return isDown(record) && record.peer.lastError !== undefined;
}

/**
 * What keeps BIRD from listening for a peer: another program, or an address that is missing.
 * @returns a word that is the same for the same obstacle; `UNKNOWN` until the router was looked at; undefined: nothing does
 */
export function listeningObstacle(turn: Pick<Turn, "state">, record: PeerRecord): string | undefined {
	const { inspection } = turn.state.evidence.addresses.get(evidenceKey(record) ?? "") ?? {};
	if (!inspection || inspection.at < (record.stateSince ?? 0)) return UNKNOWN;
	const { hasLocalAddress, listener } = inspection;
	if (hasLocalAddress === false && configurationOf(turn.state, record)?.strictBind) return "address";
	if (listener === undefined) return UNKNOWN;
	// BIRD itself has the port for other peers: then it can have it for this one.
	if (listener === "none" || listener.program === "bird") return undefined;
	return `program ${listener.program ?? "?"} ${listener.pid ?? "?"}`;
}

/** The router has not been looked at since BIRD gave up. */
const UNKNOWN = "unknown";

/**
 * Enables a peer that BIRD could not listen for, once the port and the address are there: once for each obstacle, for BIRD may
 * have a reason that is not seen here.
 */
export function considerEnabling(turn: Turn, record: PeerRecord): void {
	if (!gaveUpListening(record) || !turn.state.settings.remediate) return;
	const { name } = record.peer;
	const obstacle = listeningObstacle(turn, record);
	if (obstacle === UNKNOWN) return;
	const { listening = {} } = record.restart;
	if (obstacle !== undefined) {
		// One that has come back is another one.
		if (listening.obstacle !== obstacle || listening.enabledFor !== undefined)
			turn.peer(name, { ...record, restart: { ...record.restart, listening: { obstacle } } });
		return;
	}
	// Another BIRD, or one that is on its way out, may have it: once that has gone, it is another case.
	const { listener } = turn.state.evidence.addresses.get(evidenceKey(record) ?? "")?.inspection ?? {};
	const bird = listener === undefined || listener === "none" ? "" : ` bird ${listener.pid ?? "?"}`;
	const gone = `${listening.obstacle ?? "none"}${bird}`;
	if (listening.enabledFor === gone || turn.time < (listening.enableAt ?? 0)) return;
	turn.peer(name, {
		...record,
		restart: { ...record.restart, listening: { ...listening, enabledFor: gone } },
	});
	turn.do({ type: "restart_peer", peer: name, verb: "enable" });
	turn.log("info", `peer ${name}: BIRD could not listen for it, and now can; enabled in BIRD`);
	pollSoon(turn);
}
