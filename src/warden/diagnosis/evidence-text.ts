import { isoSeconds } from "../../lib/clock.ts";
import type { PeerRecord } from "../peer-record.ts";
import type { View } from "./view.ts";

/** `12 s`, `3 min`. @param milliseconds a duration */
export function describeDuration(milliseconds: number): string {
	const seconds = Math.max(0, Math.round(milliseconds / 1000));
	return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** `waukeen (192.168.1.2)`. */
export function describePeer({ peer }: PeerRecord): string {
	return peer.neighborAddress === undefined ? peer.name : `${peer.name} (${peer.neighborAddress})`;
}

/**
 * A moment in UTC. Evidence has moments instead of durations, which would be another text, and another MQTT message, each time.
 */
export function describeTime({ state }: View, moment: number): string {
	return isoSeconds(state.clockOffset, moment);
}

/** This many ms before now a service's change may still have to do with what is seen. */
const LATELY = 60_000;

/** Services that changed lately, one line each. */
export function describeServices(view: View): string[] {
	const { state, now } = view;
	return Object.entries(state.services.changed)
		.filter(([, at]) => now - at < LATELY)
		.map(([service, at]) => `service ${service} changed at ${describeTime(view, at)}`);
}

/** What BIRD says about the peer, one line. */
export function describeBird({ peer }: PeerRecord): string {
	const bfd =
		peer.bfd === undefined
			? ""
			: `, BFD ${peer.bfd}${peer.bfdMode === undefined ? "" : ` (${peer.bfdMode})`}`;
	const error = peer.lastError === undefined ? "" : `, last error: ${peer.lastError.text}`;
	const kept = peer.keepsRoutes ? ", keeps its routes for a graceful restart" : "";
	return `BIRD: ${peer.state ?? peer.protocolState}${bfd}${error}${kept}`;
}
