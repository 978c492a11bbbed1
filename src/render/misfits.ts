/** What can be rendered for whom, and what cannot work on one of the two ends. Pure. */

import type { Prefix } from "../lib/prefix.ts";
import type { PeerConfig } from "../model/config.ts";
import type { Speaker } from "../model/speaker.ts";
import type { Session } from "./session.ts";

export type Rendered = "bird" | "metallb" | "frr-k8s" | "cilium" | "frr";

interface Rendering {
	/** Whom it is for, in the messages. */
	readonly program: string;
	/** Whose it is, of those that `option speaker` names. */
	readonly speakers: readonly Speaker[];
	/** Whether it is for nodes, of which each has one session with one address of the router. */
	readonly asNodes: boolean;
	/** The highest port that it can dial. */
	readonly mostPort: number;
}

/** The highest `peerPort` of a BGPPeer, and of FRR-K8s (api/v1beta2/bgppeer_types.go, api/v1beta1/frrconfiguration_types.go). */
const METALLB_PORT = 16_384;

export const RENDERINGS: Readonly<Record<Rendered, Rendering>> = {
	bird: { program: "BIRD", speakers: [], asNodes: false, mostPort: 65_535 },
	metallb: {
		program: "MetalLB",
		speakers: ["frr-k8s", "metallb-frr", "metallb-native"],
		asNodes: true,
		mostPort: METALLB_PORT,
	},
	"frr-k8s": { program: "FRR-K8s", speakers: ["frr-k8s"], asNodes: true, mostPort: METALLB_PORT },
	cilium: { program: "Cilium", speakers: ["cilium"], asNodes: true, mostPort: 65_535 },
	frr: {
		program: "MetalLB",
		speakers: ["frr", "frr-k8s", "metallb-frr"],
		asNodes: true,
		mostPort: METALLB_PORT,
	},
};

/** Why a peer is left out of a rendering: another program speaks there. Undefined: it is not. */
export function strangerLine(speaker: PeerConfig["speaker"], what: Rendered): string | undefined {
	if (what === "bird" || speaker === undefined || speaker === "auto") return undefined;
	if (RENDERINGS[what].speakers.includes(speaker)) return undefined;
	const own = (Object.keys(RENDERINGS) as Rendered[]).find((each) =>
		RENDERINGS[each].speakers.includes(speaker),
	);
	const instead = own ? `'bgpwarden render ${own}' is for it` : "nothing is rendered for it";
	return `option speaker is ${speaker}, so 'render ${what}' leaves it out; ${instead}`;
}

/** What cannot work on one of the two ends, one line each. */
export function misfits(session: Session, what: Rendered, pools: readonly Prefix[]): string[] {
	const complaints: string[] = [];
	const { multihop, linkLocal, nodeInterface, sourceAddress, remoteAddress } = session;
	const { program, mostPort } = RENDERINGS[what];
	const isCluster = what !== "bird";
	// MetalLB, internal/config/config.go: "invalid ebgp-multihop parameter set for an ibgp peer".
	if (multihop && session.localAs === session.remoteAs)
		complaints.push("option multihop is for external BGP: MetalLB refuses it when local_as is remote_as");
	if (session.port > mostPort) complaints.push(`${program} takes no option port above ${mostPort}`);
	if (sourceAddress !== undefined && remoteAddress !== undefined && sourceAddress !== remoteAddress)
		complaints.push(
			`option source_address is ${sourceAddress}, and BIRD waits for ${remoteAddress}, the option address: they have to be the same`,
		);
	if (what === "cilium" && sourceAddress !== undefined && session.node === undefined)
		complaints.push("Cilium takes a source_address for one node: option node is needed");
	if (what === "cilium" && nodeInterface !== undefined)
		complaints.push("option node_interface is for FRR: render cilium needs addresses");
	const isGobgp = what === "cilium" || session.speaker === "cilium" || session.speaker === "gobgp";
	// Seen with GoBGP 4.8.0: ::ffff:192.0.2.1, for which BIRD takes the route for withdrawn.
	if (isGobgp && session.family === 4 && session.families.length > 1)
		complaints.push(
			"option dual_stack needs an IPv6 session here: GoBGP, which Cilium uses, gives IPv6 prefixes an IPv4 next hop otherwise, and BIRD drops them",
		);
	if (what === "metallb" && session.speaker === "metallb-native") complaints.push(...native(session, pools));
	if (!linkLocal) return complaints;
	if (multihop) complaints.push("option multihop does not work with a link-local address");
	if (session.interface === undefined)
		complaints.push("option interface is needed to render, because the address is link-local");
	if (isCluster && nodeInterface === undefined)
		complaints.push(`${program} cannot dial a link-local address; use another one, or option node_interface`);
	return complaints;
}

/** What MetalLB's native mode refuses and no other way is left for (internal/config/validation.go, DiscardFRROnly). */
function native({ family, families, gracefulRestart }: Session, pools: readonly Prefix[]): string[] {
	return [
		...(family === 6 || families.length > 1 || pools.some((pool) => pool.family === 6)
			? ["MetalLB's native mode has no IPv6, neither with option dual_stack nor without addresses"]
			: []),
		...(gracefulRestart ? ["MetalLB's native mode has no graceful restart"] : []),
	];
}
