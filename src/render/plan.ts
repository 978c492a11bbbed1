/** What the renderers share: peers with all that a session needs, and the article's timers. Pure. */

import { isLinkLocal, parseAddress } from "../lib/address.ts";
import type { Prefix } from "../lib/prefix.ts";
import type { Config, PeerConfig } from "../model/config.ts";
import { BGP_PORT } from "../model/ports.ts";

/** One BGP session, seen from the router. */
export interface Session {
	/** BIRD's protocol name. */
	readonly name: string;
	readonly family: 4 | 6;
	readonly localAddress: string;
	readonly localAs: number;
	/** The speaker's. */
	readonly remoteAddress: string;
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
}

/** What a rendering is made from. */
export interface Plan {
	readonly sessions: readonly Session[];
	/** The service addresses, where the caller named them. */
	readonly pool?: Prefix;
	/** How MetalLB's objects call the router. */
	readonly routerName: string;
}

export type Rendered = "bird" | "metallb" | "frr";

/** Seconds; what both ends ask for. */
export const HOLD_TIME = 15;
export const KEEPALIVE_TIME = 5;

/** Milliseconds, as the speaker's BFDProfile has them; the router's own are their mirror image. */
export const BFD_PROFILE = { receiveInterval: 380, transmitInterval: 270 } as const;
/** Lost packets in a row that end a BFD session: FRR's default, said to BIRD (whose default is 5). */
export const BFD_MULTIPLIER = 3;

/** Hops of BIRD's `multihop`. The first is the speaker itself when it is in the same network. */
export const MULTIHOP_HOPS = 2;

/** The highest `peerPort` of a BGPPeer. */
const MOST_PEER_PORT = 16_384;

const NO_PEERS =
	"no 'config peer' section to render from; add one with name, address, local_address, local_as and remote_as";

/**
 * Takes the configuration for a rendering.
 * @param place where a peer's section begins, for the messages, e.g. `/etc/config/bgpwarden:12`
 * @param file the configuration, for the message that it has no peers
 * @returns or one line for everything that is missing
 */
export function makePlan(
	config: Config,
	what: Rendered,
	file: string,
	place: (peer: number) => string,
	pool?: Prefix,
): Plan | { readonly errors: readonly string[] } {
	if (config.peers.length === 0) return { errors: [`${file}: ${NO_PEERS}`] };
	const errors: string[] = [];
	const sessions = config.peers.flatMap((peer, index) => {
		const session = completeSession(peer);
		const complaints = Array.isArray(session) ? session : misfits(session, what);
		for (const complaint of complaints) errors.push(`${place(index)}: peer '${peer.name}': ${complaint}`);
		return Array.isArray(session) ? [] : [session];
	});
	if (pool && errors.length === 0 && !sessions.some(({ family }) => family === pool.family))
		errors.push(
			`${file}: --pool ${pool.text}: no peer has an IPv${pool.family} address, so nothing would announce it`,
		);
	if (errors.length > 0) return { errors };
	const routerName = kubernetesName(config.main.routerId) ?? "openwrt";
	return { sessions, routerName, ...(pool ? { pool } : {}) };
}

/** Sessions that one object of MetalLB's stands for: its speakers on all nodes dial the same router in the same way. */
export function bySpeakerSide(sessions: readonly Session[]): Session[][] {
	const groups = new Map<string, Session[]>();
	for (const session of sessions) {
		const { localAddress, localAs, remoteAs, multihop, bfd, port } = session;
		const key = JSON.stringify([localAddress, localAs, remoteAs, multihop, bfd, port]);
		const group = groups.get(key);
		if (group) group.push(session);
		else groups.set(key, [session]);
	}
	return [...groups.values()];
}

/** A name that Kubernetes takes (RFC 1123 label); undefined when nothing of it is left. */
export function kubernetesName(text: string): string | undefined {
	const name = text
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, "-")
		.slice(0, 50)
		.replace(/^-+|-+$/g, "");
	return name === "" ? undefined : name;
}

/** Which options are missing, or the session. */
function completeSession(peer: PeerConfig): Session | string[] {
	const { address, localAddress, localAs, remoteAs } = peer;
	const needed = { address, local_address: localAddress, local_as: localAs, remote_as: remoteAs };
	const missing = Object.entries(needed).flatMap(([option, value]) => (value === undefined ? [option] : []));
	const family = parseAddress(address ?? "")?.family;
	if (
		address === undefined ||
		localAddress === undefined ||
		localAs === undefined ||
		remoteAs === undefined ||
		!family
	)
		return missing.map((option) => `option ${option} is needed to render`);
	const { name, interface: device, multihop = false, bfd = true, port = BGP_PORT } = peer;
	return {
		name,
		family,
		localAddress,
		localAs,
		remoteAddress: address,
		remoteAs,
		port,
		...(device === undefined ? {} : { interface: device }),
		multihop,
		bfd,
		linkLocal: [address, localAddress].some((text) => {
			const parsed = parseAddress(text);
			return parsed !== undefined && isLinkLocal(parsed);
		}),
	};
}

/** What cannot work on one of the two ends. */
function misfits(session: Session, what: Rendered): string[] {
	const complaints: string[] = [];
	const { multihop, localAs, remoteAs, linkLocal } = session;
	// MetalLB, internal/config/config.go: "invalid ebgp-multihop parameter set for an ibgp peer".
	if (multihop && localAs === remoteAs)
		complaints.push("option multihop is for external BGP: MetalLB refuses it when local_as is remote_as");
	// The API's own limit (api/v1beta2/bgppeer_types.go).
	if (what !== "bird" && session.port > MOST_PEER_PORT)
		complaints.push(`MetalLB takes no option port above ${MOST_PEER_PORT}`);
	if (!linkLocal) return complaints;
	if (multihop) complaints.push("option multihop does not work with a link-local address");
	if (session.interface === undefined)
		complaints.push("option interface is needed to render, because the address is link-local");
	if (what !== "bird") complaints.push("MetalLB cannot dial a link-local address; use another one");
	return complaints;
}
