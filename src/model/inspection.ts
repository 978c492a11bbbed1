import type { Flow } from "./flow.ts";

/** How the kernel would send to the peer (`ip route get`). */
export interface Route {
	readonly interface: string;
	/** Next hop; absent: the peer is on the link. */
	readonly gateway?: string;
	/** The router's own address that it would send from. */
	readonly source?: string;
	/** Routing table, when it is not main: a policy rule sent the packet there. */
	readonly table?: string;
}

/** An entry of the neighbor table (`ip neigh`); states as in RFC 4861, section 7.3.2, and the kernel's own. */
export interface Neighbor {
	readonly interface: string;
	/** `REACHABLE`, `STALE`, `DELAY`, `PROBE`, `FAILED`, `INCOMPLETE`, `PERMANENT`, `NOARP`. */
	readonly state: string;
}

/** A network that one of the router's interfaces is in. */
export interface ConnectedNetwork {
	/** As a prefix, e.g. `192.168.1.0/24`. */
	readonly prefix: string;
	readonly interface: string;
}

/** Who listens on a TCP port. What /proc did not tell is absent. */
export interface Listener {
	readonly program?: string;
	readonly pid?: number;
}

/** What the kernel knows about a peer. What could not be asked is absent. */
export interface Inspection {
	readonly route?: Route;
	/** The kernel's words when it has no route, e.g. `Network is unreachable`. */
	readonly noRoute?: string;
	/** `none`: it has no entry. Of the gateway, when the route has one. */
	readonly neighbor?: Neighbor | "none";
	/** Conntrack entries of BGP with this peer, a few of them. */
	readonly flows?: readonly Flow[];
	/** The connected network that the peer's address is in, the smallest one; `none`: it is in none. */
	readonly network?: ConnectedNetwork | "none";
	/** Whether the address that BIRD is to use is this router's. Absent: BIRD was told none. */
	readonly hasLocalAddress?: boolean;
	/** Who has BIRD's address and port; only of a peer that BIRD could not listen for. */
	readonly listener?: Listener | "none";
}

/** Packets since the table was installed, by the counters of its chains `raw_pre` (came in) and `raw_out` (sent). */
export interface Counters {
	readonly bgp: number;
	readonly singleHopBfd: number;
	readonly multihopBfd: number;
	/** Sent; absent where the table does not count what leaves. */
	readonly sentSingleHopBfd?: number;
	readonly sentMultihopBfd?: number;
}
