/** What is known about a peer besides BIRD's word, by its address. Times are monotonic milliseconds. */

import type { Flow } from "../../model/flow.ts";
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
	/** Looks in a row that found conntrack entries, and the first of them. */
	readonly tracked?: { readonly looks: number; readonly since: number };
	/** The latest conntrack entry that a flush has found. */
	readonly flushed?: { readonly flow: Flow; readonly at: number };
	/** An inspection was asked for. */
	readonly inspecting?: number;
	/** The device that led to the peer while it was Established. */
	readonly usualInterface?: string;
	/** The session, by its begin, for which the device was asked. */
	readonly routeAskedFor?: number;
	/** When the latest session was established. */
	readonly established?: number;
}

/** Somebody else's latest change of the rules of a table. */
export interface TableChange {
	readonly at: number;
	/** The service behind it, or the program. */
	readonly by: string;
}

export interface EvidenceState {
	readonly addresses: Readonly<Record<string, AddressEvidence>>;
	/** By `family name`. */
	readonly tables: Readonly<Record<string, TableChange>>;
	/** Two readings of the counters, the newer one last. */
	readonly counters: readonly (Counters & { readonly at: number })[];
	readonly counting?: number;
	/** When there will be something to conclude though nothing happens. */
	readonly due: readonly number[];
}

export const NO_EVIDENCE: EvidenceState = { addresses: {}, tables: {}, counters: [], due: [] };
