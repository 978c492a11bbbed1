/** What is known about a peer besides what BIRD says, by its address. Times are monotonic milliseconds. */

import type { Counters, Inspection } from "../../model/inspection.ts";
import type { Obstacle } from "../../model/obstacle.ts";
import type { PacketTrace } from "../../model/packet-trace.ts";

/** One try of the peer's to connect: all its SYNs have one source port (RFC 9293, section 3.8.1). */
export interface Dial {
	readonly port: number;
	/** When the first SYN came. */
	readonly since: number;
	/** The latest SYN. */
	readonly syn: PacketTrace;
	/** SYNs so far: more than one are retransmissions. */
	readonly syns: number;
	/** The router's latest answer: SYN-ACK or RST. */
	readonly answer?: PacketTrace;
	/** When the first answer went. */
	readonly answeredAt?: number;
	/** A FIN or RST has gone by since: the two have heard each other. */
	readonly closed?: true;
	/** When that was the peer's, soon after the router's SYN-ACK. */
	readonly hungUpAt?: number;
	/** SYNs that came although an answer had gone some time before. */
	readonly unheard: number;
}

/** A route to the peer that was there while a session was up, and that the router does not have by itself. */
export interface Detour {
	/** The session, by its start. */
	readonly session: number;
	/** Its next hop; absent: there was no usable route at all. */
	readonly gateway?: string;
	readonly interface?: string;
}

export interface AddressEvidence {
	/** The peer's latest tries to connect, the newest last. */
	readonly dials?: readonly Dial[];
	/** Tries to connect while a session was up: since when, the latest, and how many. */
	readonly besides?: { readonly since: number; readonly at: number; readonly dials: number };
	/** The router's own latest SYN to the peer. */
	readonly dial?: PacketTrace;
	readonly inspection?: Inspection & { readonly at: number };
	/** Inspections in a row that found conntrack entries, and when the first of them did. */
	readonly tracked?: { readonly inspections: number; readonly since: number };
	/** When an inspection was requested whose result has not come yet. */
	readonly inspecting?: number;
	/** The interface towards the peer while it was Established. */
	readonly usualInterface?: string;
	/** The route to the peer while it was down. */
	readonly routeWhileDown?: NonNullable<Inspection["route"]>;
	readonly detour?: Detour;
	/** The session, by its start, for which the route was read, and how often. */
	readonly routeAskedFor?: { readonly session: number; readonly times: number };
	/** When the latest session was established. */
	readonly established?: number;
	/** What the ruleset, as it was listed at that time, has in the peer's way. */
	readonly walked?: {
		readonly at: number;
		readonly obstacles: readonly Obstacle[];
		/** Chains and tables that were not looked at, in words. */
		readonly unreviewed: readonly string[];
	};
	/** A host of the peer's network that dials from another address. */
	readonly stranger?: Stranger;
}

/** A host that dials BGP and is no peer of BIRD's. */
export interface Stranger {
	readonly address: string;
	readonly at: number;
	/** Its tries so far. */
	readonly dials: number;
	/** Its latest source port. */
	readonly port: number;
}

/** The latest change of a table's rules by another program. */
export interface TableChange {
	readonly at: number;
	/** The service behind it, or the program. */
	readonly by: string;
}

export interface EvidenceState {
	/** By address; a range's is under its prefix. */
	readonly addresses: ReadonlyMap<string, AddressEvidence>;
	/** By `family name`. */
	readonly tables: ReadonlyMap<string, TableChange>;
	/** The last two readings of the counters, the newer one last. */
	readonly counters: readonly (Counters & { readonly at: number })[];
	/** When the counters were requested whose values have not come yet. */
	readonly counting?: number;
	/** When the ruleset was asked for whose listing has not come yet. */
	readonly walking?: number;
	/** When it was listed last. */
	readonly walkedAt?: number;
	/** When rules of others changed last. */
	readonly rulesChangedAt?: number;
	/** When the diagnoses may change though nothing happens. */
	readonly due: readonly number[];
}

export const NO_EVIDENCE: EvidenceState = { addresses: new Map(), tables: new Map(), counters: [], due: [] };

/** The peer's latest try to connect. */
export function lastDial({ dials = [] }: AddressEvidence): Dial | undefined {
	return dials.at(-1);
}
