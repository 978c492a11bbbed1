/** What is known about a peer besides what BIRD says, by its address. Times are monotonic milliseconds. */

import type { Counters, Inspection } from "../../model/inspection.ts";
import type { PacketTrace } from "../../model/packet-trace.ts";

export interface AddressEvidence {
	/** The peer's latest SYN to port 179. */
	readonly syn?: PacketTrace;
	/** SYNs from that port so far: more than one is a retransmission (RFC 9293, section 3.8.1). */
	readonly syns?: number;
	/** The router's latest answer to a SYN of the peer: SYN-ACK or RST. */
	readonly answer?: PacketTrace;
	/** The router's own latest SYN to the peer's port 179. */
	readonly dial?: PacketTrace;
	readonly inspection?: Inspection & { readonly at: number };
	/** Inspections in a row that found conntrack entries, and when the first of them did. */
	readonly tracked?: { readonly inspections: number; readonly since: number };
	/** When an inspection was requested whose result has not come yet. */
	readonly inspecting?: number;
	/** The interface towards the peer while it was Established. */
	readonly usualInterface?: string;
	/** The session, by its start, for which the route was read. */
	readonly routeAskedFor?: number;
	/** When the latest session was established. */
	readonly established?: number;
}

/** The latest change of a table's rules by another program. */
export interface TableChange {
	readonly at: number;
	/** The service behind it, or the program. */
	readonly by: string;
}

export interface EvidenceState {
	readonly addresses: Readonly<Record<string, AddressEvidence>>;
	/** By `family name`. */
	readonly tables: Readonly<Record<string, TableChange>>;
	/** The last two readings of the counters, the newer one last. */
	readonly counters: readonly (Counters & { readonly at: number })[];
	/** When the counters were requested whose values have not come yet. */
	readonly counting?: number;
	/** When the diagnoses may change though nothing happens. */
	readonly due: readonly number[];
}

export const NO_EVIDENCE: EvidenceState = { addresses: {}, tables: {}, counters: [], due: [] };
