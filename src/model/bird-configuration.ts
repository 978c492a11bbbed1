/**
 * What BIRD's configuration file says, as far as BGP and BFD go: the result of `parse-conf.ts` (pure) and `read-files.ts`
 * (which finds and reads the file). Defaults that BIRD fills in are filled in here as well (proto/bgp/config.Y,
 * bgp_proto_start; proto/bgp/bgp.c, bgp_postconfig); a field is absent where the file says nothing and BIRD has no
 * default, or where what it says could not be read, such as a function's result.
 */
export interface BirdConfiguration {
	/** `router id`. */
	readonly routerId?: string;
	/** Every `protocol bgp`, in the file's order, with its template applied. Templates are left out. */
	readonly bgp: readonly BgpConfiguration[];
	readonly bfd: readonly BfdConfiguration[];
	readonly direct: readonly DirectConfiguration[];
	readonly kernel: readonly KernelConfiguration[];
	/** Whether other protocols bring routes, through which BIRD may reach next hops: `static`, `ospf`, …, or kernel's `learn`. */
	readonly otherRoutes?: true;
	/** Whether there is a `protocol device`, without which BIRD knows no interfaces. */
	readonly device: boolean;
	/** Words that only BIRD 1 takes, such as `export all` outside of a channel: the file is not BIRD 2's or 3's. */
	readonly onlyBird1?: string;
}

/** What all protocols have. */
export interface ProtocolConfiguration {
	/** BIRD's default where the file gives none: `bgp1`, `bfd1`, `direct1`. */
	readonly name: string;
	readonly disabled: boolean;
}

export interface BgpConfiguration extends ProtocolConfiguration {
	/** Canonical text without a zone; from `local` or `source address`. */
	readonly localAddress?: string;
	readonly localAs?: number;
	/** Canonical text without a zone. */
	readonly neighborAddress?: string;
	/** Prefix of `neighbor range`: BIRD then makes a protocol for each neighbor that dials. */
	readonly neighborRange?: string;
	/** A number, or only its kind. */
	readonly neighborAs?: number | "internal" | "external";
	/** TCP ports other than 179. */
	readonly localPort?: number;
	readonly neighborPort?: number;
	/** From `interface`, or from a zone (`fe80::2%br-lan`). */
	readonly interface?: string;
	/**
	 * Hops of `multihop`; false: direct. Where the file says neither, BIRD takes internal BGP for multihop and external BGP
	 * for direct (proto/bgp/bgp.c, bgp_postconfig); absent when even that could not be told.
	 */
	readonly multihop?: number | false;
	readonly passive?: boolean;
	/** `aware`, BIRD's default: helps neighbors that restart, keeps no routes itself. */
	readonly gracefulRestart?: "on" | "off" | "aware";
	readonly bfd?: "on" | "off" | "graceful";
	/** Of `bfd { … }`; absent without a block. */
	readonly bfdOptions?: BfdOptions;
	/** Seconds. */
	readonly holdTime?: number;
	/** Seconds; a third of the hold time where the file says nothing. */
	readonly keepaliveTime?: number;
	/** Seconds; the hold time until the session is Established. */
	readonly startupHoldTime?: number;
	/** Seconds before the first dial, and between dials. */
	readonly connectDelayTime?: number;
	readonly connectRetryTime?: number;
	/** Seconds of the wait after an error: it doubles with each one, from the first to the longest. */
	readonly errorWaitTime?: { readonly first: number; readonly longest: number };
	/** Seconds without an error after which the next wait is the first again. */
	readonly errorForgetTime?: number;
	/** Whether an error disables the protocol for good, where it would wait. */
	readonly disableAfterError?: boolean;
	readonly enforceFirstAs?: boolean;
	/** Whether packets must come with a TTL that only the expected number of hops leaves (RFC 5082). */
	readonly ttlSecurity?: boolean;
	/** Whether BIRD listens on its own address alone, and on none while that is missing. */
	readonly strictBind?: boolean;
	/** The protocols that a range makes are called this and a number. */
	readonly dynamicName?: string;
	/** Whether TCP MD5 or TCP-AO secrets are set. The secrets themselves are never kept. */
	readonly password: boolean;
	readonly channels: readonly ChannelConfiguration[];
}

export interface ChannelConfiguration {
	/** `ipv4`, `ipv6`, `ipv4 multicast`, … */
	readonly family: string;
	/** `all`, `none`, or the filter's words as far as one line of them goes. */
	readonly import?: string;
	readonly export?: string;
	/** Routes that may be imported, exported, and received before the filter; absent: as many as there are. */
	readonly importLimit?: ChannelLimit;
	readonly exportLimit?: ChannelLimit;
	readonly receiveLimit?: ChannelLimit;
	/** BGP's channels only: whether the next hop is taken for the gateway, or looked up among BIRD's own routes. */
	readonly gateway?: "direct" | "recursive";
	readonly nextHopSelf?: NextHop;
	readonly nextHopKeep?: NextHop;
	/** Whether the session must not come up without this family. */
	readonly mandatory?: boolean;
	/** Whether IPv4 prefixes may have IPv6 next hops (RFC 8950). */
	readonly extendedNextHop?: boolean;
	readonly importTable?: boolean;
}

/** For all routes, for none, or for those from internal or external neighbors. */
export type NextHop = boolean | "ibgp" | "ebgp";

export interface ChannelLimit {
	/** Absent where it could not be read. */
	readonly limit?: number;
	/** What BIRD does with more routes: complain, leave them out, or restart or disable the protocol. */
	readonly action: "warn" | "block" | "restart" | "disable";
}

/** Milliseconds; absent: BIRD's default (100 ms to send, 10 ms to receive, multiplier 5). */
export interface BfdOptions {
	readonly minReceive?: number;
	readonly minTransmit?: number;
	readonly idleTransmit?: number;
	readonly multiplier?: number;
	readonly passive?: boolean;
}

export interface BfdConfiguration extends ProtocolConfiguration {
	/** In the file's order. BIRD's defaults hold on an interface that none of them takes. */
	readonly interfaces: readonly InterfaceOptions[];
	/** Present when there is a `multihop` section. Without one BIRD uses its defaults for multihop sessions. */
	readonly multihop?: BfdOptions;
	/** What `accept` leaves (BIRD 2.0.8): all of it without that option. */
	readonly accept: {
		readonly ipv4: boolean;
		readonly ipv6: boolean;
		readonly direct: boolean;
		readonly multihop: boolean;
	};
}

export interface InterfaceOptions {
	/** `br-lan`, `eth*`, `192.168.1.0/24`; a leading `-` excludes. */
	readonly patterns: readonly string[];
	readonly options: BfdOptions;
}

export interface DirectConfiguration extends ProtocolConfiguration {
	/** As in `InterfaceOptions`; empty: every interface. */
	readonly patterns: readonly string[];
	/** `ipv4`, `ipv6`: without a channel the protocol imports nothing. */
	readonly families: readonly string[];
}

export interface KernelConfiguration extends ProtocolConfiguration {
	/** Whether it takes over routes that other programs have set. */
	readonly learn?: true;
	/** Whether routes of several peers to one prefix are one route with several next hops. */
	readonly mergePaths?: true;
	readonly channels: readonly ChannelConfiguration[];
}

/** A configuration that was found and read. */
export interface BirdFile {
	readonly path: string;
	readonly configuration: BirdConfiguration;
	/**
	 * One line each: included files that could not be read, so that what they say is missing from the configuration, and
	 * that the file is one for BIRD 1.
	 */
	readonly problems: readonly string[];
}
