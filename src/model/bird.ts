import type { PeerOpen } from "./speaker.ts";

/** One BGP protocol of BIRD, from `show protocols all` joined with `show bfd sessions`. */
export interface BirdPeer {
	readonly name: string;
	/** BIRD's protocol state column: `up`, `start`, `down`, `stop`. */
	readonly protocolState: string;
	/** From `BGP state:`; RFC 4271's names, or `Passive`, `Down`, `Close` as BIRD says. */
	readonly state?: string;
	/** When the protocol entered its state, by BIRD's `since` column, ms since 1970; absent where that does not tell. */
	readonly since?: number;
	/** Without the zone of a link-local address; that is `neighborInterface`. */
	readonly neighborAddress?: string;
	readonly neighborInterface?: string;
	/** Set for `neighbor range`: BIRD makes a protocol of its own for each node that dials from there. */
	readonly neighborRange?: string;
	readonly neighborAs?: number;
	readonly localAs?: number;
	readonly lastError?: LastError;
	/** While the session is up. */
	readonly open?: PeerOpen;
	/** Sums over all channels; absent when no channel printed them. */
	readonly imported?: number;
	readonly exported?: number;
	readonly preferred?: number;
	/** What the peer announced since the session came up, sums over all channels that import; absent when none does. */
	readonly updates?: ImportUpdates;
	/** Each address family of its own, where the session has several. */
	readonly channels?: readonly BirdChannel[];
	/** Imported routes whose next hop BIRD cannot reach; absent where BIRD was not asked, or did not say. */
	readonly unreachable?: number;
	/** The session is lost, and BIRD keeps its routes (RFC 4724): a restart of the protocol drops them. */
	readonly keepsRoutes?: true;
	/** `none`: no BFD session with this neighbor. Absent when BFD could not be asked. */
	readonly bfd?: BfdState;
	/** Absent where there is no session. */
	readonly bfdMode?: "direct" | "multihop";
}

/** A channel of a session. */
export interface BirdChannel {
	/** BIRD's name for it, e.g. `ipv6`. */
	readonly family: string;
	/** The other side has not agreed to this family (RFC 4760), or a person has disabled it. */
	readonly isDown: boolean;
	/** Absent: it did not say. */
	readonly imported?: number;
	/** Absent: nothing is imported from it, or it did not say. */
	readonly updates?: ImportUpdates;
}

/** One complete reading of BIRD. */
export interface BirdReading {
	/** e.g. `3.1.8`. */
	readonly version?: string;
	/** When BIRD took its configuration last, in its own words: another text means another configuration. */
	readonly configured?: string;
	/** Sorted by name; `neighbor range` templates among them. */
	readonly peers: readonly BirdPeer[];
}

/** `Import updates:` of BIRD's `Route change stats`, by its columns; each update counts, also of a route that was there. */
export interface ImportUpdates {
	readonly received: number;
	/** Not usable, e.g. for an invalid next hop. */
	readonly rejected: number;
	/** Left out by `import where …` or `import filter …`. */
	readonly filtered: number;
	/** Of `Import withdraws:`, also of a route that BIRD takes for withdrawn because its attributes are wrong. */
	readonly withdrawn: number;
}

export type BfdState = "up" | "down" | "init" | "admin_down" | "none";

/** BIRD's `Last error:`. */
export interface LastError {
	/** In BIRD's words. */
	readonly text: string;
	/** The NOTIFICATION behind it; absent for any other error, such as `Socket: Connection closed`. */
	readonly notification?: BgpError;
	/** BFD ended the session. */
	readonly bfdDown?: true;
}

export interface BgpError {
	/** Who refused whom: a NOTIFICATION came, or BIRD sent one. */
	readonly by: "peer" | "router";
	/** RFC 4271, section 4.5, and the documents that extend it. */
	readonly code: number;
	readonly subcode?: number;
	readonly text: string;
}

/** One sentence about peers of /etc/config/bgpwarden that BIRD does not run; undefined: it runs all of them. */
export function describeUnknownPeers(
	configured: readonly { readonly name: string }[],
	known: readonly { readonly name: string }[],
): string | undefined {
	const names = configured
		.map(({ name }) => name)
		.filter((name) => !known.some((each) => each.name === name));
	if (names.length === 0) return undefined;
	return `BIRD runs no protocol named ${names.join(", ")}, ${names.length === 1 ? "a peer" : "peers"} in /etc/config/bgpwarden`;
}

const TOO_OLD = "is too old: BIRD 2.0 or later is needed";

/** Why a BIRD of this version cannot be watched, as one line; undefined for one that can, and where it does not say. */
export function tooOld(version: string | undefined): string | undefined {
	return /^[01]\./.test(version ?? "") ? `BIRD ${version} ${TOO_OLD}` : undefined;
}

/** What to do about a BIRD that cannot be read for this reason, where starting it is no help. */
export function remedyForOld(reason: string): string | undefined {
	if (!reason.endsWith(TOO_OLD)) return undefined;
	return "install BIRD 2 or 3 in its place, and write a new bird.conf for it: `bgpwarden render bird` prints one";
}
