import type { Speaker } from "./speaker.ts";

/** What /etc/config/bgpwarden says, with every default filled in. See `schema.ts` for defaults and limits. */
export interface Config {
	readonly main: MainConfig;
	readonly mqtt: MqttConfig;
	/** `config peer` sections, in the file's order. */
	readonly peers: readonly PeerConfig[];
}

/** A packet mark of 32 bits, or `keep`: it is left as it is. */
export type Mark = number | "keep";

export interface MainConfig {
	readonly enabled: boolean;
	readonly logLevel: "error" | "warn" | "info" | "debug";
	/** Name in topics and entity ids; empty: the hostname. */
	readonly routerId: string;
	/** Name of the nftables table, family inet. */
	readonly table: string;
	/** `any`: all BGP and BFD of this router; `peers`: only with the peers' addresses. */
	readonly scope: "any" | "peers";
	/** Also keep BGP and BFD that merely pass through the router out of conntrack (and so out of its NAT). */
	readonly forwarded: boolean;
	/** Packet mark that BGP and BFD have on their way past proxies, which let it through; `keep`: none is set. */
	readonly bypassMark: Mark;
	/** Packet mark that the router's own BGP and BFD have when their route is chosen; `keep`: whatever others set. */
	readonly routeMark: Mark;
	/** Own the table where kernel and nft can. */
	readonly protect: boolean;
	/** Nudge stuck peers. */
	readonly remediate: boolean;
	/** BIRD's control socket; empty: the usual places. */
	readonly birdSocket: string;
	/** Seconds between BIRD readings when nothing happens. */
	readonly pollInterval: number;
	/** fw4's zone that the peers are in, for the init script alone: it opens BGP's ports there. Empty: it opens none. */
	readonly zone: string;
}

export interface MqttConfig {
	readonly enabled: boolean;
	readonly host: string;
	readonly port: number;
	readonly username: string;
	readonly password: string;
	readonly tls: boolean;
	readonly caFile: string;
	readonly certFile: string;
	readonly keyFile: string;
	/** Believe any certificate. */
	readonly tlsInsecure: boolean;
	readonly baseTopic: string;
	readonly discovery: boolean;
	readonly discoveryPrefix: string;
	/** Listen for commands. */
	readonly commands: boolean;
}

/** What a section adds to a peer that BIRD reports; an option that is not set is absent. */
export interface PeerConfig {
	/** BIRD's protocol name. */
	readonly name: string;
	readonly address?: string;
	readonly localAddress?: string;
	readonly localAs?: number;
	readonly remoteAs?: number;
	readonly interface?: string;
	readonly multihop?: boolean;
	readonly bfd?: boolean;
	/** TCP port that the peer dials on the router; absent: 179. */
	readonly port?: number;
	/** In the place of main's. */
	readonly zone?: string;
	/** Absent: found out. */
	readonly speaker?: Speaker | "auto";
	/** Prefix that peers dial from, in the place of `address` (BIRD's `neighbor range`). */
	readonly range?: string;
	/** TCP MD5 (RFC 2385). */
	readonly password?: string;
	/** Seconds. */
	readonly holdTime?: number;
	/** Seconds. */
	readonly keepaliveTime?: number;
	/** Seconds between two dials of the speaker. */
	readonly connectTime?: number;
	/** The speaker's restart keeps its routes. */
	readonly gracefulRestart?: boolean;
	/** Prefixes that are imported at most. */
	readonly maxPrefixes?: number;
	/** IPv4 and IPv6 prefixes over this one session. */
	readonly dualStack?: boolean;
	/** The node's name in Kubernetes. */
	readonly node?: string;
	/** The node's interface towards the router, for a session without addresses (RFC 5549). */
	readonly nodeInterface?: string;
	/** The node's address that it dials from. */
	readonly sourceAddress?: string;
}

export type LogLevel = "error" | "warn" | "info" | "debug";
