import { BFD_PORTS, BGP_PORT } from "../model/ports.ts";
import {
	BFD_PROFILE_NAME,
	commonFields,
	type Document,
	manifests,
	type Named,
	named,
	nodeSelector,
	protocols,
	secret,
	secretName,
} from "./manifests.ts";
import type { Plan } from "./plan.ts";
import { BFD_PROFILE, bySpeakerSide, routerOf, type Session } from "./session.ts";

/** Where MetalLB's manifests and its chart put it. */
export const NAMESPACE = "metallb-system";
const POOL = "bgp-pool";

const NOTES = [
	"For MetalLB with FRR-K8s, its default since 0.16, and in FRR mode. Native mode refuses keepaliveTime, connectTime and",
	"BFD (`option speaker 'metallb-native'` leaves them out), graceful restart and IPv6.",
];

const NATIVE_NOTES = [
	"For MetalLB in native mode, without what only FRR-K8s and FRR mode take: keepaliveTime, connectTime (it tries again",
	"after up to 2 minutes), BFD and ebgpMultiHop.",
];

/**
 * MetalLB's objects for the cluster (metallb.io, as in MetalLB 0.16): a BGPPeer for each way to reach the router, with the
 * Secret of its password, their BFDProfile, and for pools an IPAddressPool and a BGPAdvertisement.
 */
export function renderMetallb(plan: Plan): string {
	const peers = named(bySpeakerSide(plan.sessions), plan);
	const native = (peer: Named) => peer.session.speaker === "metallb-native";
	const documents = [
		...peers.flatMap((peer) => [...secret(peer, NAMESPACE, plan), bgpPeer(peer, native(peer))]),
		...(peers.some((peer) => peer.session.bfd && !native(peer)) ? [bfdProfile()] : []),
		...(plan.pools.length > 0 ? [addressPool(plan), advertisement(peers, plan)] : []),
	];
	return manifests("metallb", plan, documents, peers.every(native) ? NATIVE_NOTES : NOTES);
}

function bgpPeer(peer: Named, native: boolean): Document {
	const { name, session, nodes } = peer;
	const { nodeInterface, port, sourceAddress, holdTime } = session;
	return {
		comment: [
			`The router, as the speakers dial it; ${protocols(peer)}.`,
			...(native ? [] : comments(session)),
			...(session.gracefulRestart
				? ["enableGracefulRestart cannot be changed later: that takes another BGPPeer."]
				: []),
			...(sourceAddress !== undefined && !native
				? ["sourceAddress: FRR mode only. With FRR-K8s, MetalLB 0.16.1 does not pass it on."]
				: []),
		],
		object: {
			apiVersion: "metallb.io/v1beta2",
			kind: "BGPPeer",
			metadata: { name, namespace: NAMESPACE },
			spec: {
				myASN: session.remoteAs,
				peerASN: session.localAs,
				...(nodeInterface === undefined ? { peerAddress: routerOf(session) } : { interface: nodeInterface }),
				...(port === BGP_PORT ? {} : { peerPort: port }),
				...(sourceAddress === undefined ? {} : { sourceAddress }),
				...(native ? { holdTime: `${holdTime}s` } : commonFields(session)),
				...(session.password === undefined
					? {}
					: { passwordSecret: { name: secretName(name), namespace: NAMESPACE } }),
				...(nodes ? { nodeSelectors: [nodeSelector(nodes)] } : {}),
			},
		},
	};
}

/** What a person should know of fields that MetalLB and FRR-K8s have in common. */
export function comments({ multihop, bfd, connectTime }: Session): string[] {
	return [
		...(multihop
			? [
					`ebgpMultiHop: ${bfd ? `BFD runs on UDP ${BFD_PORTS.multihop}, and ` : ""}BIRD has \`multihop\` as well.`,
				]
			: []),
		`connectTime: a router that was away is dialed every ${connectTime} s; without it, every 120 s.`,
	];
}

export const PROFILE_COMMENT =
	"Milliseconds; BIRD's `min tx interval` and `min rx interval` are their mirror image.";

function bfdProfile(): Document {
	return {
		comment: [PROFILE_COMMENT],
		object: {
			apiVersion: "metallb.io/v1beta1",
			kind: "BFDProfile",
			metadata: { name: BFD_PROFILE_NAME, namespace: NAMESPACE },
			spec: { ...BFD_PROFILE },
		},
	};
}

function addressPool({ pools }: Plan): Document {
	return {
		comment: ["The addresses that services of type LoadBalancer get."],
		object: {
			apiVersion: "metallb.io/v1beta1",
			kind: "IPAddressPool",
			metadata: { name: POOL, namespace: NAMESPACE },
			spec: { addresses: pools.map(({ text }) => text) },
		},
	};
}

function advertisement(peers: readonly Named[], { pools }: Plan): Document {
	const carries = ({ session }: Named) => pools.some(({ family }) => session.families.includes(family));
	return {
		comment: ["Announces each of them to the router."],
		object: {
			apiVersion: "metallb.io/v1beta1",
			kind: "BGPAdvertisement",
			metadata: { name: POOL, namespace: NAMESPACE },
			spec: { ipAddressPools: [POOL], peers: peers.filter(carries).map(({ name }) => name) },
		},
	};
}
