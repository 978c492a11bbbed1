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

/** What the kernel knows about a peer. What could not be asked is absent. */
export interface Inspection {
	readonly route?: Route;
	/** The kernel's words when it has no route, e.g. `Network is unreachable`. */
	readonly noRoute?: string;
	/** `none`: it has no entry. Of the gateway, when the route has one. */
	readonly neighbor?: Neighbor | "none";
	/** Conntrack entries of BGP with this peer, a few of them. */
	readonly flows?: readonly Flow[];
}

/** Packets since the start, by the counters of the chain `raw_pre`. */
export interface Counters {
	readonly bgp: number;
	readonly singleHopBfd: number;
	readonly multihopBfd: number;
}
