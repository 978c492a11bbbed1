/** Which program speaks BGP on the other end, and what things are called there. */

/** What `option speaker` takes, and what is found; `frr`, `bird` and `gobgp` where no more than the program is known. */
export const SPEAKERS = [
	"frr-k8s",
	"metallb-frr",
	"metallb-native",
	"cilium",
	"gobgp",
	"calico",
	"frr",
	"bird",
	"other",
] as const;

export type Speaker = (typeof SPEAKERS)[number];

/** What the peer said of itself in its OPEN, as BIRD tells it while the session is up. */
export interface PeerOpen {
	/** From the host name capability (draft-walton-bgp-hostname-capability), made printable. */
	readonly hostname?: string;
	/** By the capabilities that it announces; absent: no program that is known. */
	readonly program?: SpeakingProgram;
	/** It announces that its own restart keeps routes (RFC 4724), not only that it helps others. */
	readonly restarts?: true;
}

export const SPEAKING_PROGRAMS = ["frr", "gobgp", "bird", "metallb-native"] as const;
export type SpeakingProgram = (typeof SPEAKING_PROGRAMS)[number];

/** What an earlier run of the daemon has learned, by the peer's name; it counts for a peer with the same address. */
export type EarlierOpens = ReadonlyMap<string, { readonly address: string; readonly open: PeerOpen }>;

/** Whether the speaker is FRR in whatever form, or may be. */
export function mayBeFrr(speaker: Speaker | undefined): boolean {
	return speaker === undefined || speaker === "other" || isFrr(speaker);
}

export function isFrr(speaker: Speaker | undefined): boolean {
	return speaker === "frr-k8s" || speaker === "metallb-frr" || speaker === "frr";
}

/** What is told to a person who has to change or look at something on the other end. Each completes a sentence. */
export interface SpeakerWords {
	/** What the speaker is called. */
	readonly name: string;
	/** Where a peer is configured. */
	readonly peer: string;
	/** Its fields in there for the speaker's own AS number, and for the one that it expects of this router. */
	readonly as: readonly [own: string, expected: string];
	/** What makes its sessions multihop. */
	readonly multihop: string;
	/** Absent: it has no such timer. */
	readonly connectTime?: string;
	readonly holdTime: string;
	readonly password: string;
	/** Absent: it has no BFD. */
	readonly bfd?: string;
	readonly bfdTimes: string;
	/** What tells which services it announces. */
	readonly advertisement: string;
	/** Command, or file, that shows its log. */
	readonly log: string;
	/** Command that shows its sessions. */
	readonly sessions: string;
	/** How long it waits between two tries, in words. */
	readonly wait: string;
}

const METALLB = {
	name: "MetalLB",
	peer: "MetalLB's BGPPeer",
	as: ["myASN", "peerASN"],
	multihop: "`ebgpMultiHop: true` in MetalLB's BGPPeer",
	connectTime: "`connectTime` in MetalLB's BGPPeer",
	holdTime: "`holdTime` in MetalLB's BGPPeer",
	password: "`passwordSecret` in MetalLB's BGPPeer",
	bfd: "`bfdProfile` in MetalLB's BGPPeer",
	bfdTimes: "MetalLB's BFDProfile",
	advertisement: "MetalLB's BGPAdvertisement for its pool and this peer",
	log: "`kubectl logs -n metallb-system ds/frr-k8s-daemon -c frr`",
	sessions: "`kubectl get bgpsessionstates -A -o wide`",
	wait: "FRR waits for up to 150 s after an outage without BFD",
} as const satisfies SpeakerWords;

const FRR = {
	name: "FRR",
	peer: "FRR's configuration",
	as: ["router bgp", "neighbor … remote-as"],
	multihop: "`neighbor … ebgp-multihop` in FRR (`ebgpMultiHop: true` in MetalLB's BGPPeer)",
	connectTime: "`neighbor … timers connect` in FRR (`connectTime` in MetalLB's BGPPeer)",
	holdTime: "`neighbor … timers` in FRR (`holdTime` in MetalLB's BGPPeer)",
	password: "`neighbor … password` in FRR (`passwordSecret` in MetalLB's BGPPeer)",
	bfd: "`neighbor … bfd` in FRR (`bfdProfile` in MetalLB's BGPPeer)",
	bfdTimes: "FRR's BFD profile (MetalLB: BFDProfile)",
	advertisement: "what FRR announces to this router (MetalLB: BGPAdvertisement)",
	log: "FRR's log (MetalLB: `kubectl logs -n metallb-system ds/frr-k8s-daemon -c frr`)",
	sessions: "`vtysh -c 'show bgp neighbors'` (FRR-K8s: `kubectl get bgpsessionstates -A -o wide`)",
	wait: METALLB.wait,
} as const satisfies SpeakerWords;

const CILIUM = {
	name: "Cilium",
	peer: "Cilium's CiliumBGPClusterConfig",
	as: ["localASN", "peerASN"],
	multihop: "`ebgpMultihop: 2` in CiliumBGPPeerConfig",
	connectTime: "`timers.connectRetryTimeSeconds` in CiliumBGPPeerConfig",
	holdTime: "`timers.holdTimeSeconds` in CiliumBGPPeerConfig",
	password: "`authSecretRef` in CiliumBGPPeerConfig",
	bfdTimes: "",
	advertisement:
		"CiliumBGPAdvertisement for Services, and the labels by which CiliumBGPPeerConfig selects it",
	log: "`kubectl logs -n kube-system ds/cilium -c cilium-agent`",
	sessions: "`cilium bgp peers`",
	wait: "GoBGP waits for up to 4 min",
} as const satisfies SpeakerWords;

const GOBGP = {
	...CILIUM,
	name: "GoBGP",
	peer: "GoBGP's configuration (Cilium: CiliumBGPClusterConfig)",
	multihop: "eBGP multihop in GoBGP (Cilium: `ebgpMultihop: 2` in CiliumBGPPeerConfig)",
	connectTime: "GoBGP's connect retry time (Cilium: `timers.connectRetryTimeSeconds` in CiliumBGPPeerConfig)",
	holdTime: "GoBGP's hold time (Cilium: `timers.holdTimeSeconds` in CiliumBGPPeerConfig)",
	password: "GoBGP's auth password (Cilium: `authSecretRef` in CiliumBGPPeerConfig)",
	advertisement: "what GoBGP announces to this router (Cilium: CiliumBGPAdvertisement for Services)",
	log: "GoBGP's log (Cilium: `kubectl logs -n kube-system ds/cilium -c cilium-agent`)",
	sessions: "`gobgp neighbor` (Cilium: `cilium bgp peers`)",
} as const satisfies SpeakerWords;

const CALICO = {
	name: "Calico",
	peer: "Calico's BGPPeer",
	as: ["asNumber of the node or of BGPConfiguration", "asNumber"],
	multihop: "nothing (Calico is multihop by itself)",
	holdTime: "the hold time of Calico's BIRD (240 s)",
	password: "`password.secretKeyRef` in Calico's BGPPeer",
	bfdTimes: "",
	advertisement: "`serviceLoadBalancerIPs` in Calico's BGPConfiguration",
	log: "`kubectl logs -n calico-system ds/calico-node`",
	sessions: "`calicoctl node status` on the node",
	wait: "Calico's BIRD tries every 5 s",
} as const satisfies SpeakerWords;

const BIRD = {
	name: "BIRD",
	peer: "bird.conf on the other side (Calico: BGPPeer)",
	as: ["local … as", "neighbor … as"],
	multihop: "`multihop` in bird.conf on the other side",
	connectTime: "`connect delay time` and `connect retry time` in bird.conf on the other side",
	holdTime: "`hold time` in bird.conf on the other side",
	password: "`password` in bird.conf on the other side (Calico: `password.secretKeyRef` in BGPPeer)",
	bfd: "`bfd on` in bird.conf on the other side",
	bfdTimes: "the intervals of protocol bfd on the other side",
	advertisement:
		"`export` in bird.conf on the other side (Calico: `serviceLoadBalancerIPs` in BGPConfiguration)",
	log: "BIRD's log on the other side (Calico: `kubectl logs -n calico-system ds/calico-node`)",
	sessions: "`birdc show protocols all` there (Calico: `calicoctl node status`)",
	wait: "BIRD tries every 2 min, Calico's every 5 s",
} as const satisfies SpeakerWords;

/** Nobody knows who it is. */
const OTHER = {
	name: "the speaker",
	peer: "the speaker's configuration of this peer",
	as: ["own AS number", "peer's AS number"],
	multihop: "eBGP multihop on the speaker (MetalLB: `ebgpMultiHop: true`, Cilium: `ebgpMultihop: 2`)",
	connectTime:
		"the speaker's connect timer (MetalLB: `connectTime` in BGPPeer, Cilium: `timers.connectRetryTimeSeconds` in CiliumBGPPeerConfig)",
	holdTime: "the speaker's hold time (MetalLB: `holdTime`, Cilium: `timers.holdTimeSeconds`)",
	password: "the speaker's password (MetalLB: `passwordSecret`, Cilium: `authSecretRef`)",
	bfd: "BFD on the speaker (MetalLB: `bfdProfile` in BGPPeer; Cilium has none)",
	bfdTimes: "the speaker's BFD intervals (MetalLB: BFDProfile)",
	advertisement: "what the speaker announces (MetalLB: BGPAdvertisement, Cilium: CiliumBGPAdvertisement)",
	log: "the speaker's log",
	sessions:
		"the speaker's sessions (MetalLB: `kubectl get bgpsessionstates -A -o wide`, Cilium: `cilium bgp peers`)",
	wait: "speakers wait for up to 4 min",
} as const satisfies SpeakerWords;

/** @param speaker undefined: nobody knows */
export function speakerWords(speaker: Speaker | undefined): SpeakerWords {
	switch (speaker) {
		case "frr-k8s":
			return METALLB;
		case "metallb-frr":
			return {
				...METALLB,
				log: "`kubectl logs -n metallb-system ds/speaker -c frr`",
				sessions: "`kubectl exec -n metallb-system ds/speaker -c frr -- vtysh -c 'show bgp neighbors'`",
			};
		case "metallb-native": {
			const { bfd: _, connectTime: __, ...rest } = METALLB;
			return {
				...rest,
				bfdTimes: "",
				multihop: "nothing (`ebgpMultiHop` has no meaning in MetalLB's native mode)",
				log: "`kubectl logs -n metallb-system ds/speaker`",
				sessions: "`kubectl logs -n metallb-system ds/speaker`",
				wait: "MetalLB's native mode waits longer after each failure, up to 2 min",
			};
		}
		case "cilium":
			return CILIUM;
		case "gobgp":
			return GOBGP;
		case "calico":
			return CALICO;
		case "frr":
			return FRR;
		case "bird":
			return BIRD;
		default:
			return OTHER;
	}
}
