import type { Neighbor, Route } from "./inspection.ts";

/** What is looked at on the way of a client's packets to a service's address and back. What could not be read is absent. */

/** Where a route sends packets. Both are absent where nothing is told, as by busybox of several next hops. */
export interface NextHop {
	/** Canonical text; absent: on the link. */
	readonly gateway?: string;
	readonly interface?: string;
}

/** A route of BIRD's (`show route … all`). */
export interface BirdRoute {
	/** Canonical, e.g. `192.168.20.1/32`. */
	readonly prefix: string;
	readonly table: string;
	/** Name of the protocol that brought it. */
	readonly protocol: string;
	/** `unicast`, `blackhole`, `unreachable`, `prohibit`. */
	readonly kind: string;
	/** The one that BIRD uses of all to its prefix. */
	readonly best: boolean;
	readonly preference?: number;
	readonly nextHops: readonly NextHop[];
	/** The next hop that the peer announced (RFC 4271, section 5.1.3). */
	readonly announcedNextHop?: string;
}

/** A route of the kernel's (`ip route show table all match ADDRESS`). */
export interface KernelRoute {
	readonly prefix: string;
	readonly length: number;
	/** `unicast`, `blackhole`, `unreachable`, `prohibit`, `throw`, `local`, … */
	readonly kind: string;
	/** `main` where the listing names none. */
	readonly table: string;
	/** e.g. `bird`; absent: not told. */
	readonly protocol?: string;
	readonly metric: number;
	readonly nextHops: readonly NextHop[];
}

/** A rule of policy routing (`ip rule`). */
export interface PolicyRule {
	readonly priority: number;
	/** As `ip` writes it, without the priority. */
	readonly text: string;
	readonly table?: string;
}

/** What the kernel says of a packet that comes in: its route, or why it has none, in its words. */
export interface Routed {
	readonly route?: Route;
	readonly refused?: string;
}

/** A host that might use the service, and how the kernel would send its packets there, and the answers back. */
export interface Client {
	readonly address: string;
	/** The router's network that it is in; absent: it is behind another router. */
	readonly network?: string;
	readonly interface: string;
	readonly there?: Routed;
	readonly back?: Routed;
}

/** What became of a connection that the router itself tried: `other` in `nc`'s words. */
export type Attempt =
	| { readonly outcome: "connected" | "refused" | "timeout" }
	| { readonly outcome: "failed"; readonly words: string };

export interface ServiceFacts {
	/** Canonical text. */
	readonly address: string;
	readonly port: number;
	/** Nobody has said which port: this is a guess, and no connection was tried. */
	readonly portAssumed: boolean;
	/** The one client that was asked about. */
	readonly from?: string;
	/** The address is the router's own. */
	readonly isOwn?: boolean;
	/** The router's network that the address is in. */
	readonly network?: { readonly prefix: string; readonly interface: string };
	/** BIRD's routes that lead there. */
	readonly bird?: {
		readonly routes: readonly BirdRoute[];
		/** Left out by an import filter; known only with `import keep filtered`. */
		readonly filtered: readonly BirdRoute[];
		/** What its kernel protocols take; absent: there is none that is up. */
		readonly exported?: readonly BirdRoute[];
	};
	readonly kernelRoutes?: readonly KernelRoute[];
	readonly rules?: readonly PolicyRule[];
	/** By next hop: its entry after a packet was sent to it; `none`: there is no entry. */
	readonly neighbors: ReadonlyMap<string, Neighbor | "none">;
	readonly clients: readonly Client[];
	/** Whether the router forwards packets of the address's family. */
	readonly forwarding?: boolean;
	/** By interface, the stricter of its own value and that of `all`; IPv4 only. */
	readonly reversePath: ReadonlyMap<string, number>;
	/** Bridges whose ports' packets pass the firewall also where they stay on the bridge. */
	readonly bridged: ReadonlySet<string>;
	/** Bytes, by interface. */
	readonly mtus: ReadonlyMap<string, number>;
	/** Only with a port that was asked for. */
	readonly attempt?: Attempt;
	/** What could not be asked, one line each. */
	readonly unread: readonly string[];
}
