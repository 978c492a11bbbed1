import { BGP_PORT } from "../model/ports.ts";
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
import { comments, NAMESPACE, PROFILE_COMMENT } from "./metallb.ts";
import type { Plan } from "./plan.ts";
import { BFD_PROFILE, bySpeakerSide, routerOf } from "./session.ts";

const NOTES = [
	"For FRR-K8s itself; with MetalLB `render metallb` is enough. The namespace is its daemon's: metallb-system where",
	"MetalLB brings it, frr-k8s-system where it is installed alone.",
];

/**
 * FRR-K8s's objects (frrk8s.metallb.io/v1beta1): a FRRConfiguration for the nodes that dial in the same way, with the Secret
 * of its password. With pools the nodes announce them whole.
 * @returns or one line, because all of a node's sessions have one AS number
 */
export function renderFrrK8s(plan: Plan): string | { readonly error: string } {
	const peers = named(bySpeakerSide(plan.sessions), plan);
	const asNumbers = [...new Set(peers.map(({ session }) => session.remoteAs))];
	if (asNumbers.length > 1)
		return {
			error: `one FRR has one AS number, but the peers have ${asNumbers.join(" and ")} (option remote_as)`,
		};
	const documents = peers.flatMap((peer) => [
		...secret(peer, NAMESPACE, plan),
		frrConfiguration(peer, plan.pools),
	]);
	return manifests("frr-k8s", plan, documents, NOTES);
}

function frrConfiguration(peer: Named, pools: Plan["pools"]): Document {
	const { name, session, nodes } = peer;
	const { nodeInterface, port, sourceAddress, families } = session;
	const prefixes = pools.filter(({ family }) => families.includes(family)).map(({ text }) => text);
	return {
		comment: [
			`The router, as the nodes dial it; ${protocols(peer)}.`,
			...comments(session),
			...(session.bfd ? [`bfdProfiles: ${PROFILE_COMMENT}`] : []),
			...(prefixes.length > 0
				? ["prefixes: every node announces all of it. MetalLB announces the addresses in use by itself."]
				: []),
		],
		object: {
			apiVersion: "frrk8s.metallb.io/v1beta1",
			kind: "FRRConfiguration",
			metadata: { name, namespace: NAMESPACE },
			spec: {
				bgp: {
					routers: [
						{
							asn: session.remoteAs,
							neighbors: [
								{
									asn: session.localAs,
									...(nodeInterface === undefined
										? { address: routerOf(session) }
										: { interface: nodeInterface }),
									...(port === BGP_PORT ? {} : { port }),
									...(sourceAddress === undefined ? {} : { sourceaddress: sourceAddress }),
									...commonFields(session),
									...(session.password === undefined ? {} : { passwordSecret: { name: secretName(name) } }),
									...(prefixes.length > 0
										? { toAdvertise: { allowed: { mode: "filtered", prefixes } } }
										: {}),
								},
							],
							...(prefixes.length > 0 ? { prefixes: [...prefixes] } : {}),
						},
					],
					...(session.bfd ? { bfdProfiles: [{ name: BFD_PROFILE_NAME, ...BFD_PROFILE }] } : {}),
				},
				...(nodes ? { nodeSelector: nodeSelector(nodes) } : {}),
			},
		},
	};
}
