import { BFD_PORTS, BGP_PORT } from "../model/ports.ts";
import {
	BFD_PROFILE,
	bySpeakerSide,
	HOLD_TIME,
	KEEPALIVE_TIME,
	kubernetesName,
	type Plan,
	type Session,
} from "./plan.ts";

/** Turns one object into a YAML document. */
export type Dump = (object: object) => string;

/** Where MetalLB's manifests and its chart put it. */
const NAMESPACE = "metallb-system";
const PROFILE = "bfdprofile";
const POOL = "bgp-pool";

/**
 * MetalLB's objects for the cluster (metallb.io, the API of MetalLB 0.13.2 and newer): a BGPPeer for each way to reach the
 * router, their BFDProfile, and for a pool its IPAddressPool and BGPAdvertisement. Ready for `kubectl apply -f -`.
 */
export function renderMetallb(plan: Plan, dump: Dump): string {
	const groups = bySpeakerSide(plan.sessions);
	const peers = groups.map((group) => ({ name: peerName(plan, groups.length, group), group }));
	const documents = [
		...peers.map(({ name, group }) => peer(name, group)),
		...(plan.sessions.some(({ bfd }) => bfd) ? [bfdProfile()] : []),
		...(plan.pool ? [addressPool(plan.pool.text), advertisement(peers, plan.pool.family)] : []),
	];
	const texts = documents.map(
		({ comment, object }) => `${comment.map((line) => `# ${line}\n`).join("")}${dump(object)}`,
	);
	return [
		"# Made by `bgpwarden render metallb`; its other half is made by `bgpwarden render bird`.\n",
		texts.join("---\n"),
	].join("");
}

interface Document {
	readonly comment: readonly string[];
	readonly object: object;
}

/** Several objects need several names; each then has that of its first peer as well. */
function peerName({ routerName }: Plan, groups: number, [first]: readonly Session[]): string {
	const own = groups > 1 ? kubernetesName(first?.name ?? "") : undefined;
	return own === undefined ? routerName : `${routerName}-${own}`;
}

function peer(name: string, group: readonly Session[]): Document {
	const [session] = group;
	if (!session) throw new Error("a peer without a session");
	const names = group.map((each) => each.name).join(", ");
	return {
		comment: [
			`The router, as the speakers dial it; protocol ${names} in its BIRD.`,
			...(session.multihop
				? [`ebgpMultiHop: BFD runs on UDP ${BFD_PORTS.multihop}, and BIRD has \`multihop\` as well.`]
				: []),
		],
		object: {
			apiVersion: "metallb.io/v1beta2",
			kind: "BGPPeer",
			metadata: { name, namespace: NAMESPACE },
			spec: {
				myASN: session.remoteAs,
				peerASN: session.localAs,
				peerAddress: session.localAddress,
				...(session.port === BGP_PORT ? {} : { peerPort: session.port }),
				holdTime: `${HOLD_TIME}s`,
				keepaliveTime: `${KEEPALIVE_TIME}s`,
				...(session.bfd ? { bfdProfile: PROFILE } : {}),
				...(session.multihop ? { ebgpMultiHop: true } : {}),
			},
		},
	};
}

function bfdProfile(): Document {
	return {
		comment: ["Milliseconds; BIRD's `min tx interval` and `min rx interval` are their mirror image."],
		object: {
			apiVersion: "metallb.io/v1beta1",
			kind: "BFDProfile",
			metadata: { name: PROFILE, namespace: NAMESPACE },
			spec: { ...BFD_PROFILE },
		},
	};
}

function addressPool(prefix: string): Document {
	return {
		comment: ["The addresses that services of type LoadBalancer get."],
		object: {
			apiVersion: "metallb.io/v1beta1",
			kind: "IPAddressPool",
			metadata: { name: POOL, namespace: NAMESPACE },
			spec: { addresses: [prefix] },
		},
	};
}

function advertisement(
	peers: readonly { name: string; group: readonly Session[] }[],
	family: 4 | 6,
): Document {
	return {
		comment: ["Announces each of them to the router."],
		object: {
			apiVersion: "metallb.io/v1beta1",
			kind: "BGPAdvertisement",
			metadata: { name: POOL, namespace: NAMESPACE },
			spec: {
				ipAddressPools: [POOL],
				peers: peers.filter(({ group }) => group[0]?.family === family).map(({ name }) => name),
			},
		},
	};
}
