import type { Effect } from "./rule-effect.ts";

/** A peer whose packets are sent through the ruleset as it is listed. */
export interface WalkedPeer {
	readonly name: string;
	/** Canonical text, without a zone; or the prefix of a range, any host of which may dial. */
	readonly address: string;
	/** The router's address that the session uses; absent: not known. */
	readonly localAddress?: string | undefined;
	/** The router's interface towards the peer; absent: not known. */
	readonly interface?: string | undefined;
	/** TCP ports: the one the peer dials, and the one the router dials. */
	readonly ports: { readonly router: number; readonly peer: number };
	/** The router opens sessions too. */
	readonly dials: boolean;
	/** UDP port of the peer's BFD; absent: it uses none. */
	readonly bfdPort?: number | undefined;
}

/** A rule, or a policy, that would keep a packet of the session from arriving. Ids are the catalog's. */
export interface Obstacle {
	readonly id:
		| "bgp-caught"
		| "bgp-blocked"
		| "answer-dropped"
		| "answer-diverted"
		| "connect-caught"
		| "connect-blocked"
		| "bfd-caught"
		| "bfd-blocked";
	readonly effect: Effect;
	/** Whether it is sure that the packet gets there and matches. */
	readonly certain: boolean;
	/** The packet, in words. */
	readonly packet: string;
	/** e.g. `chain input_lan of table inet fw4 (hook input, zone lan)`. */
	readonly place: string;
	/** `family name`. */
	readonly table: string;
	readonly hook: string;
	/** fw4's zone, where the table is fw4's and its chains tell. */
	readonly zone?: string;
	/** The rules that were met, one line each. */
	readonly evidence: readonly string[];
}
