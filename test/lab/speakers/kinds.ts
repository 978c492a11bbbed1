import type { Speaker as SpeakerName } from "../../../src/model/speaker.ts";
import type { Host } from "../host.ts";
import { type Peering, startCalico, startFrr, startGobgp, startNative } from "../programs.ts";

/** A running speaker, whatever program it is. */
export interface Speaker {
	/** Its BGP state towards the router, in FRR's words. */
	peer(): Promise<{ bgp?: string | undefined }>;
	/** As its pod is deleted. */
	stop(): Promise<void>;
	/** As it is killed. */
	crash(): Promise<void>;
	/** An operator shuts the session down, or takes that back; absent: it cannot. */
	shutdown?(down: boolean): Promise<void>;
}

/** A speaker with its timers, and the router's protocol that fits. */
export interface SpeakerKind {
	readonly name: string;
	/** What the daemon takes it for, by its OPEN alone. */
	readonly found: SpeakerName;
	/** Whether it tells the node's name. */
	readonly tellsNode: boolean;
	/** Whether BFD runs between the two. */
	readonly bfd: boolean;
	/** Seconds that it may need to dial again by itself after a loss, jitter and holds included. */
	readonly patience: number;
	/** How BIRD is configured for it. */
	readonly peering: Peering;
	start(host: Host): Promise<Speaker>;
}

// What `render bird` writes. The article's `on` has FRR take the router for one that restarts: it holds its dial back.
const aware = "graceful restart aware;\n\tdebug { states };";
const direct: Peering = { multihop: false, extra: `bfd off;\n\t${aware}` };

function frr(name: string, bfd: boolean, patience: number, connectTime?: number): SpeakerKind {
	const options = { bfd, ...(connectTime === undefined ? {} : { connectTime }) };
	return {
		name,
		found: "frr",
		tellsNode: true,
		bfd,
		patience,
		peering: { extra: bfd ? aware : `bfd off;\n\t${aware}` },
		start: (host) => startFrr(host, options),
	};
}

function gobgp(name: string, patience: number, connectRetry?: number): SpeakerKind {
	const options = connectRetry === undefined ? {} : { connectRetry };
	return {
		name,
		found: "gobgp",
		tellsNode: true,
		bfd: false,
		patience,
		peering: direct,
		start: (host) => startGobgp(host, options),
	};
}

/** Every speaker that the figures are about. GoBGP's own hold time in OpenSent is 240 s, whatever is configured. */
export const kinds = {
	frrBfd: frr("FRR-K8s with BFD", true, 60),
	frrConnect: frr("FRR-K8s without BFD, connectTime 10", false, 60, 10),
	frrBare: frr("FRR-K8s without BFD or connectTime", false, 300),
	gobgp: gobgp("GoBGP with Cilium's timers", 300),
	gobgpRetry: gobgp("GoBGP with connect retry 5", 300, 5),
	calico: {
		name: "BIRD as Calico",
		found: "bird",
		tellsNode: false,
		bfd: false,
		patience: 300,
		peering: { extra: `bfd off;\n\t${aware}` },
		start: (host) => startCalico(host),
	},
	native: {
		name: "a stand-in for MetalLB native",
		found: "metallb-native",
		tellsNode: false,
		bfd: false,
		patience: 180,
		peering: direct,
		start: (host) => startNative(host),
	},
} as const satisfies Readonly<Record<string, SpeakerKind>>;
