import type { BfdState } from "./bird.ts";
import type { DiagnosisId, Level } from "./catalog.ts";
import type { ProblemKind } from "./problem.ts";
import type { Speaker } from "./speaker.ts";

/**
 * What bgpwarden knows, as it is shown: the shape of status.json, of `status --json` and `peers --json`, and of the
 * retained MQTT payloads. A value that could not be read is absent, never 0.
 */
export type Protection = "owned" | "installed" | "missing";

export interface RepairStatus {
	/** ISO 8601, UTC. */
	readonly at: string;
	/** Name of the process that made the repair necessary. */
	readonly by?: string;
	/** The same as a sentence, with command line and parent. */
	readonly described?: string;
	readonly pid?: number;
	readonly service?: string;
	readonly reason: "deleted" | "changed";
	/** From noticing the loss to the table being back. */
	readonly milliseconds: number;
}

export interface RouterStatus {
	readonly version: string;
	/** Id in topics: only [A-Za-z0-9_-]. */
	readonly router: string;
	readonly pid: number;
	/** ISO 8601, UTC. */
	readonly started: string;
	readonly protection: Protection;
	readonly table: string;
	/** A person has released the table: it is neither owned nor repaired. */
	readonly released?: true;
	/** Hash of the text that /etc/bgpwarden/table.nft has to have; see lib/hash.ts. */
	readonly table_file?: string;
	/** TCP ports of BGP that the table covers. */
	readonly ports: readonly number[];
	readonly repairs: number;
	readonly last_repair?: RepairStatus;
	/** Conntrack entries deleted since the start. */
	readonly flushed: number;
	readonly bird: { readonly reachable: boolean; readonly version?: string };
	/** One sentence about what is wrong with bgpwarden's own work, if anything. */
	readonly problem?: string;
	readonly problem_kind?: ProblemKind;
	/** How the router is; `routerLevel` (peer-level.ts) judges it. */
	readonly level: Level;
	/** Hosts on the peers' interfaces that dial BGP, and that BIRD has no peer for. */
	readonly unknown_dialers?: readonly {
		readonly address: string;
		readonly interface: string;
		/** ISO 8601, UTC; `last` to the minute. */
		readonly since: string;
		readonly last: string;
	}[];
	/** The gravest diagnosis of all peers, and its sentence. */
	readonly diagnosis?: DiagnosisId;
	readonly explanation?: string;
}

export interface PeerStatus {
	/** BIRD's protocol name. */
	readonly name: string;
	/** How the peer is; `peerLevel` (peer-level.ts) judges it. */
	readonly level: Level;
	readonly neighbor_address?: string;
	/** In its place, of a range: any host of it may be a node. */
	readonly neighbor_range?: string;
	/** Nodes of the range that are connected. */
	readonly connected?: number;
	/** The range, by its name, that BIRD made this peer for. */
	readonly range?: string;
	/** The node's own name, as the peer said it. */
	readonly node?: string;
	/** Who speaks BGP there, as `option speaker` says or as found out. */
	readonly speaker?: Speaker;
	readonly neighbor_as?: number;
	readonly local_as?: number;
	/** RFC 4271's state, or `Passive` and `Down` as BIRD says. */
	readonly state?: string;
	/** When this state was first seen or began, ISO 8601. */
	readonly since?: string;
	readonly bfd?: BfdState;
	/** Routes over all channels. */
	readonly imported?: number;
	readonly exported?: number;
	readonly preferred?: number;
	/** How often the session left Established since bgpwarden started. */
	readonly flaps: number;
	readonly last_error?: string;
	/** Absent while there is not enough evidence. */
	readonly diagnosis?: DiagnosisId;
	/** The diagnosis as one sentence that names what was seen. */
	readonly explanation?: string;
	/** What the diagnosis rests on, one line each, the strongest first. */
	readonly evidence?: readonly string[];
	/** What a person should change; absent when nothing needs a person. */
	readonly remedy?: string;
	/** What the daemon itself did last for this peer, and how it went. */
	readonly tried?: string;
	/** What is to be said about a session that is up and of no use: a finding's id, a sentence and what to do. */
	readonly note?: string;
}

/** The connection to the broker; absent when MQTT is switched off. */
export interface MqttStatus {
	/** `host:port`. */
	readonly broker: string;
	readonly connected: boolean;
	/** Why it is not connected, in one line; with a connection: what the broker does not get, and why. */
	readonly reason?: string;
}

export interface Status {
	readonly router: RouterStatus;
	/** Only in status.json. */
	readonly mqtt?: MqttStatus;
	/** Sorted by name. */
	readonly peers: readonly PeerStatus[];
}
