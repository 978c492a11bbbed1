/** What the manifests for MetalLB, FRR-K8s and Cilium have in common. Pure. */

import { kubernetesName, type Plan } from "./plan.ts";
import { MASK, type Session, type SpeakerSide } from "./session.ts";
import { toYaml, type Yaml } from "./yaml.ts";

/** One object, and what a person should know of it. */
export interface Document {
	readonly comment: readonly string[];
	readonly object: Yaml;
	/** All of it is a comment: it cannot be applied by mistake. */
	readonly masked?: boolean;
}

/** A side of the session with the name that its objects have. */
export type Named = SpeakerSide & { readonly name: string };

export const BFD_PROFILE_NAME = "bfdprofile";

/** Documents of YAML, ready for `kubectl apply -f -`. */
export function manifests(
	what: string,
	{ others }: Plan,
	documents: readonly Document[],
	notes: readonly string[] = [],
): string {
	const comment = (lines: readonly string[]) => lines.map((line) => `# ${line}\n`).join("");
	const head = [
		`Made by \`bgpwarden render ${what}\`; its other half is made by \`bgpwarden render bird\`.`,
		...notes,
		...others,
	];
	const texts = documents.map(({ comment: lines, object, masked }) => {
		const text = toYaml(object);
		return `${comment(lines)}${masked ? comment(text.trimEnd().split("\n")) : text}`;
	});
	return `${comment(head)}\n${texts.join("---\n")}`;
}

/** Several objects need several names; each then has that of its first peer as well. */
export function named(sides: readonly SpeakerSide[], { routerName }: Plan): Named[] {
	const taken = new Set<string>();
	return sides.map((side, index) => {
		const own = sides.length > 1 ? kubernetesName(side.session.name) : undefined;
		const wanted = own === undefined ? routerName : `${routerName}-${own}`;
		const name = taken.has(wanted) ? `${wanted}-${index + 1}` : wanted;
		taken.add(name);
		return { ...side, name };
	});
}

/** In whose BIRD it is what. */
export function protocols({ sessions }: SpeakerSide): string {
	return `protocol ${sessions.map(({ name }) => name).join(", ")} in its BIRD`;
}

/** A label selector for these nodes. */
export function nodeSelector(nodes: readonly string[]): Yaml {
	const [only = ""] = nodes;
	if (nodes.length === 1) return { matchLabels: { [HOSTNAME]: only } };
	return { matchExpressions: [{ key: HOSTNAME, operator: "In", values: nodes }] };
}

const HOSTNAME = "kubernetes.io/hostname";

export function secretName(name: string): string {
	return `${name}-bgp`;
}

/** The session's password, in the namespace that its reader looks in; nothing where it has none. */
export function secret({ session, name }: Named, namespace: string, { secrets }: Plan): Document[] {
	const { password } = session;
	if (password === undefined) return [];
	return [
		{
			comment: secrets
				? ["The password of the session (TCP MD5)."]
				: ["The password of the session (TCP MD5). With --secrets it is printed, and this can be applied."],
			object: {
				apiVersion: "v1",
				kind: "Secret",
				metadata: { name: secretName(name), namespace },
				type: "kubernetes.io/basic-auth",
				stringData: { password: secrets ? password : MASK },
			},
			masked: !secrets,
		},
	];
}

/** What MetalLB and FRR-K8s call the same in a peer. */
export function commonFields(session: Session): { readonly [field: string]: Yaml } {
	return {
		holdTime: `${session.holdTime}s`,
		keepaliveTime: `${session.keepaliveTime}s`,
		connectTime: `${session.connectTime}s`,
		...(session.bfd ? { bfdProfile: BFD_PROFILE_NAME } : {}),
		...(session.multihop ? { ebgpMultiHop: true } : {}),
		...(session.gracefulRestart ? { enableGracefulRestart: true } : {}),
		...(session.families.length > 1 && session.nodeInterface === undefined
			? { dualStackAddressFamily: true }
			: {}),
	};
}
