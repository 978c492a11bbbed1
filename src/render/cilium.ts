import { BGP_PORT } from "../model/ports.ts";
import {
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
import { bySpeakerSide, MULTIHOP_HOPS, routerOf } from "./session.ts";

/** Where Cilium looks for BGP's passwords, unless its values say otherwise (bgpControlPlane.secretsNamespace). */
const SECRETS = "kube-system";
/** Seconds that the router keeps the routes of an agent that restarts: Cilium's default, said. */
const RESTART_TIME = 120;
/** What the advertisement is chosen by. */
const LABELS = { advertise: "bgp" };
const API = "cilium.io/v2";

const NOTES = [
	"For Cilium's BGP control plane (bgpControlPlane.enabled: true). It has no BFD: `option speaker 'cilium'` keeps it off",
	"in BIRD.",
];

/**
 * Cilium's objects (cilium.io/v2): CiliumBGPClusterConfig for the nodes, a CiliumBGPPeerConfig for each way to reach the
 * router, with the Secret of its password, a CiliumBGPAdvertisement, and for pools a CiliumLoadBalancerIPPool.
 */
export function renderCilium(plan: Plan): string {
	const peers = named(bySpeakerSide(plan.sessions), plan);
	const documents = [
		...clusters(peers).map(clusterConfig),
		...peers.flatMap((peer) => [...secret(peer, SECRETS, plan), peerConfig(peer)]),
		...peers.flatMap(override),
		advertisement(plan.routerName),
		...(plan.pools.length > 0 ? [addressPool(plan)] : []),
	];
	return manifests("cilium", plan, documents, NOTES);
}

/** A node obeys one CiliumBGPClusterConfig: what is for the same nodes stands in one. */
function clusters(peers: readonly Named[]): (readonly [Named, ...Named[]])[] {
	const groups = new Map<string, [Named, ...Named[]]>();
	for (const peer of peers) {
		const key = JSON.stringify(peer.nodes ?? []);
		const group = groups.get(key);
		if (group) group.push(peer);
		else groups.set(key, [peer]);
	}
	return [...groups.values()];
}

const instanceName = (asNumber: number) => `as${asNumber}`;

function clusterConfig(peers: readonly [Named, ...Named[]]): Document {
	const [{ name, nodes }] = peers;
	const asNumbers = [...new Set(peers.map(({ session }) => session.remoteAs))];
	return {
		comment: ["Which nodes dial the router."],
		object: {
			apiVersion: API,
			kind: "CiliumBGPClusterConfig",
			metadata: { name },
			spec: {
				...(nodes ? { nodeSelector: nodeSelector(nodes) } : {}),
				bgpInstances: asNumbers.map((localASN) => ({
					name: instanceName(localASN),
					localASN,
					peers: peers
						.filter(({ session }) => session.remoteAs === localASN)
						.map(({ name: peer, session }) => ({
							name: peer,
							peerASN: session.localAs,
							peerAddress: routerOf(session),
							peerConfigRef: { name: peer },
						})),
				})),
			},
		},
	};
}

function peerConfig(peer: Named): Document {
	const { name, session } = peer;
	const { port, connectTime, gracefulRestart, password } = session;
	return {
		comment: [
			`How they dial it; ${protocols(peer)}.`,
			`connectRetryTimeSeconds: a router that was away is dialed every ${connectTime} s; without it, every 120 s.`,
		],
		object: {
			apiVersion: API,
			kind: "CiliumBGPPeerConfig",
			metadata: { name },
			spec: {
				...(port === BGP_PORT ? {} : { transport: { peerPort: port } }),
				timers: {
					connectRetryTimeSeconds: connectTime,
					holdTimeSeconds: session.holdTime,
					keepAliveTimeSeconds: session.keepaliveTime,
				},
				...(password === undefined ? {} : { authSecretRef: secretName(name) }),
				...(gracefulRestart ? { gracefulRestart: { enabled: true, restartTimeSeconds: RESTART_TIME } } : {}),
				...(session.multihop ? { ebgpMultihop: MULTIHOP_HOPS } : {}),
				families: session.families.map((family) => ({
					afi: `ipv${family}`,
					safi: "unicast",
					advertisements: { matchLabels: { ...LABELS } },
				})),
			},
		},
	};
}

/** The address that one node dials from. */
function override({ name, session, nodes = [] }: Named): Document[] {
	const { sourceAddress } = session;
	if (sourceAddress === undefined) return [];
	return nodes.map((node) => ({
		comment: ["The address that this node dials from."],
		object: {
			apiVersion: API,
			kind: "CiliumBGPNodeConfigOverride",
			metadata: { name: node },
			spec: {
				bgpInstances: [
					{ name: instanceName(session.remoteAs), peers: [{ name, localAddress: sourceAddress }] },
				],
			},
		},
	}));
}

function advertisement(name: string): Document {
	return {
		comment: ["Announces the address of every service of type LoadBalancer."],
		object: {
			apiVersion: API,
			kind: "CiliumBGPAdvertisement",
			metadata: { name, labels: LABELS },
			spec: {
				advertisements: [
					{
						advertisementType: "Service",
						service: { addresses: ["LoadBalancerIP"] },
						// Every service; without a selector, none.
						selector: { matchExpressions: [{ key: "bgp", operator: "NotIn", values: ["off"] }] },
					},
				],
			},
		},
	};
}

function addressPool({ pools, routerName }: Plan): Document {
	return {
		comment: ["The addresses that services of type LoadBalancer get. (Older Cilium: cilium.io/v2alpha1.)"],
		object: {
			apiVersion: API,
			kind: "CiliumLoadBalancerIPPool",
			metadata: { name: routerName },
			spec: { blocks: pools.map(({ text }) => ({ cidr: text })) },
		},
	};
}
