/** A BGP session as the renderers have it. */

import type { Speaker } from "../model/speaker.ts";

/** One BGP session, or a range of them, seen from the router. */
export interface Session {
	/** BIRD's protocol name. */
	readonly name: string;
	/** Of the session itself. Without addresses it is IPv6, between link-local ones. */
	readonly family: 4 | 6;
	/** Whose prefixes it carries. */
	readonly families: readonly (4 | 6)[];
	/** Absent with `nodeInterface`. */
	readonly localAddress?: string;
	readonly localAs: number;
	/** The speaker's; absent with `range`. */
	readonly remoteAddress?: string;
	/** Prefix that speakers dial from. */
	readonly range?: string;
	readonly remoteAs: number;
	/** TCP port that the speaker dials. */
	readonly port: number;
	/** The router's interface towards the speaker. */
	readonly interface?: string;
	/** Multihop BGP and BFD (UDP 4784) on both ends, or on neither (UDP 3784). */
	readonly multihop: boolean;
	readonly bfd: boolean;
	/** Whether either address is link-local, which means something on its interface only. */
	readonly linkLocal: boolean;
	/** Seconds. */
	readonly holdTime: number;
	readonly keepaliveTime: number;
	readonly connectTime: number;
	/** The speaker's restart keeps its routes. */
	readonly gracefulRestart: boolean;
	readonly password?: string;
	readonly maxPrefixes?: number;
	readonly node?: string;
	/** The node's interface towards the router, of a session without addresses. */
	readonly nodeInterface?: string;
	readonly sourceAddress?: string;
	/** Absent: not told. */
	readonly speaker?: Speaker;
}

/** How the nodes of a cluster dial the router; one object can say it for all of them. */
export interface SpeakerSide {
	/** Any of them: what the nodes are told is the same. */
	readonly session: Session;
	readonly sessions: readonly Session[];
	/** Sorted; absent: all nodes. */
	readonly nodes?: readonly string[];
}

/** Sessions that the speakers on their nodes dial in the same way. */
export function bySpeakerSide(sessions: readonly Session[]): SpeakerSide[] {
	const groups = new Map<string, [Session, ...Session[]]>();
	for (const session of sessions) {
		const { localAs, remoteAs, families, port, multihop, bfd, password, sourceAddress, speaker } = session;
		const { holdTime, keepaliveTime, connectTime, gracefulRestart } = session;
		const key = JSON.stringify([
			...[routerOf(session), localAs, remoteAs, families, port, multihop, bfd, password, sourceAddress],
			...[holdTime, keepaliveTime, connectTime, gracefulRestart, speaker === "metallb-native"],
		]);
		const group = groups.get(key);
		if (group) group.push(session);
		else groups.set(key, [session]);
	}
	return [...groups.values()].map((group) => {
		const nodes = group.map(({ node }) => node);
		const known = nodes.includes(undefined) ? {} : { nodes: [...new Set(nodes as string[])].sort() };
		return { session: group[0], sessions: group, ...known };
	});
}

/** What FRR knows the router by: an address, or its own interface towards it. */
export function routerOf({ localAddress, nodeInterface }: Session): string {
	return nodeInterface ?? localAddress ?? "";
}

/** In the place of a password, in a comment. */
export const MASK = "********";

/** Milliseconds, as the speaker's BFDProfile has them; the router's own are their mirror image. */
export const BFD_PROFILE = { receiveInterval: 380, transmitInterval: 270 } as const;
/** Lost packets in a row that end a BFD session: FRR's default, said to BIRD (whose default is 5). */
export const BFD_MULTIPLIER = 3;

/** Hops of BIRD's `multihop`. The first is the speaker itself when it is in the same network. */
export const MULTIHOP_HOPS = 2;
