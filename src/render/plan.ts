/** What the renderers share: peers with all that a session needs. Pure. */

import { isLinkLocal, parseAddress } from "../lib/address.ts";
import type { Prefix } from "../lib/prefix.ts";
import type { Config, PeerConfig } from "../model/config.ts";
import { BGP_PORT } from "../model/ports.ts";
import type { Speaker } from "../model/speaker.ts";
import { misfits, RENDERINGS, type Rendered, strangerLine } from "./misfits.ts";
import { bySpeakerSide, routerOf, type Session } from "./session.ts";

/** What a rendering is made from. */
export interface Plan {
	readonly sessions: readonly Session[];
	/** The service addresses, where the caller named them. */
	readonly pools: readonly Prefix[];
	/** How the cluster's objects call the router. */
	readonly routerName: string;
	/** Whether passwords are printed. */
	readonly secrets: boolean;
	/** One sentence for each peer that is left out, because another program speaks there. */
	readonly others: readonly string[];
}

export interface PlanOptions {
	readonly pools?: readonly Prefix[];
	readonly secrets?: boolean;
}

/** Seconds; what both ends ask for where the section says nothing. */
const HOLD_TIME = 15;
const CONNECT_TIME = 10;

/** What speaks from a link-local address, as sessions without addresses do. */
const LINK_LOCAL = "fe80::/10";

/** They have no BFD, or none that their own resources switch on. */
const WITHOUT_BFD: readonly (Speaker | "auto" | undefined)[] = [
	"cilium",
	"gobgp",
	"calico",
	"metallb-native",
];

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
	{ pools = [], secrets = false }: PlanOptions = {},
): Plan | { readonly errors: readonly string[] } {
	if (config.peers.length === 0) return { errors: [`${file}: ${NO_PEERS}`] };
	const errors: string[] = [];
	const others: string[] = [];
	const sessions = config.peers.flatMap((peer, index) => {
		const at = `${place(index)}: peer '${peer.name}'`;
		const stranger = strangerLine(peer.speaker, what);
		if (stranger !== undefined) {
			others.push(`${at}: ${stranger}`);
			return [];
		}
		const session = completeSession(peer);
		const complaints = Array.isArray(session) ? session : misfits(session, what, pools);
		for (const complaint of complaints) errors.push(`${at}: ${complaint}`);
		return Array.isArray(session) ? [] : [session];
	});
	if (sessions.length === 0 && errors.length === 0) return { errors: others };
	for (const { family, text } of errors.length === 0 ? pools : [])
		if (!sessions.some(({ families }) => families.includes(family)))
			errors.push(
				`${file}: --pool ${text}: no peer has an IPv${family} address, so nothing would announce it`,
			);
	if (RENDERINGS[what].asNodes && errors.length === 0) errors.push(...conflicts(sessions, file));
	if (errors.length > 0) return { errors };
	const routerName = kubernetesName(config.main.routerId) ?? "openwrt";
	return { sessions, routerName, pools, secrets, others };
}

/** One node has one session with one address of the router (MetalLB: "doesn't support duplicate BGPPeers"; so has FRR). */
function conflicts(sessions: readonly Session[], file: string): string[] {
	const sides = bySpeakerSide(sessions);
	return sides.flatMap((side, index) =>
		sides.slice(0, index).flatMap((other) => {
			const [own, others] = [side.nodes, other.nodes];
			if (routerOf(side.session) !== routerOf(other.session)) return [];
			// Another AS is another cluster.
			if (side.session.remoteAs !== other.session.remoteAs) return [];
			if (own && others && !own.some((node) => others.includes(node))) return [];
			return [
				`${file}: peers '${other.session.name}' and '${side.session.name}' want different sessions with ${routerOf(side.session)}, and a node can have one of them: option node says which node has which`,
			];
		}),
	);
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
	const { localAddress, localAs, remoteAs, nodeInterface, speaker, holdTime = HOLD_TIME } = peer;
	const unnumbered = nodeInterface !== undefined;
	const remote = unnumbered ? LINK_LOCAL : (peer.range ?? peer.address);
	const local = unnumbered ? LINK_LOCAL : localAddress;
	const needed = { address: remote, local_address: local, local_as: localAs, remote_as: remoteAs };
	const missing = Object.entries(needed).flatMap(([option, value]) => (value === undefined ? [option] : []));
	const [remoteStart, localStart] = [remote, local].map((text) => parseAddress(text?.split("/")[0] ?? ""));
	if (!remoteStart || !localStart || localAs === undefined || remoteAs === undefined)
		return missing.map((option) => `option ${option} is needed to render`);
	const { family } = remoteStart;
	return {
		...present(peer, ["interface", "password", "maxPrefixes", "node", "nodeInterface", "sourceAddress"]),
		...(unnumbered || localAddress === undefined ? {} : { localAddress }),
		...(remote?.includes("/") ? { range: remote } : { remoteAddress: remote ?? "" }),
		...(speaker === undefined || speaker === "auto" ? {} : { speaker }),
		name: peer.name,
		family,
		families: unnumbered || peer.dualStack ? [4, 6] : [family],
		localAs,
		remoteAs,
		port: peer.port ?? BGP_PORT,
		multihop: peer.multihop ?? false,
		bfd: peer.bfd ?? !WITHOUT_BFD.includes(speaker),
		holdTime,
		keepaliveTime: peer.keepaliveTime ?? Math.floor(holdTime / 3),
		connectTime: peer.connectTime ?? CONNECT_TIME,
		gracefulRestart: peer.gracefulRestart ?? false,
		linkLocal: isLinkLocal(remoteStart) || isLinkLocal(localStart),
	};
}

/** Those of an object's values that are there. */
function present<T extends object, Key extends keyof T>(of: T, keys: readonly Key[]): Pick<T, Key> {
	const entries = keys.flatMap((key) => (of[key] === undefined ? [] : [[key, of[key]]]));
	return Object.fromEntries(entries) as Pick<T, Key>;
}
