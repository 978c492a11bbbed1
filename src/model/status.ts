/**
 * What bgpwarden knows, as it is shown: the shape of status.json, of `status --json` and `peers --json`, and of the
 * retained MQTT payloads. A value that could not be read is absent, never 0.
 */

/** Why a peer is down, or what is wrong with one that is up; stable ids, explained in README.md ("Diagnoses"). */
export const DIAGNOSES = [
	"healthy",
	"hijacked",
	"tracked",
	"blocked",
	"reply-dropped",
	"peer-silent",
	"peer-unreachable",
	"not-listening",
	"no-answer",
	"rejected",
	"bfd-mode-mismatch",
	"bfd-down-session-up",
	"flapping",
	"route-kind",
	"bird-down",
] as const;
export type DiagnosisId = (typeof DIAGNOSES)[number];

export type Protection = "owned" | "installed" | "missing";

/** Who changed the ruleset, as far as the kernel and /proc still told. */
export interface Actor {
	/** Process name from nft monitor's generation line, e.g. `nft`. */
	readonly process: string;
	/** Absent in a container: the kernel tells the id that the process has outside, which names another one inside. */
	readonly pid?: number;
	/** Command line of the process, if it was still there. */
	readonly command?: string;
	/** Name of the parent process and its command line, e.g. `/bin/sh /etc/init.d/firewall stop`. */
	readonly parent?: string;
	/** The parent, its parent and so on, without init. */
	readonly ancestors?: readonly { readonly pid: number; readonly command: string }[];
}

export interface RepairStatus {
	/** ISO 8601, UTC. */
	readonly at: string;
	readonly by?: string;
	readonly pid?: number;
	readonly service?: string;
	/** `deleted` or `changed`. */
	readonly reason: string;
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
	readonly repairs: number;
	readonly last_repair?: RepairStatus;
	/** Conntrack entries deleted since the start. */
	readonly flushed: number;
	readonly bird: { readonly reachable: boolean; readonly version?: string };
	/** One sentence about what is wrong with bgpwarden's own work, if anything. */
	readonly problem?: string;
	/** The gravest diagnosis of all peers, and its sentence. */
	readonly diagnosis?: DiagnosisId;
	readonly explanation?: string;
}

export type BfdState = "up" | "down" | "init" | "admin_down" | "none";

export interface PeerStatus {
	/** BIRD's protocol name. */
	readonly name: string;
	readonly neighbor_address?: string;
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
}

/** The connection to the broker; absent when MQTT is switched off. */
export interface MqttStatus {
	/** `host:port`. */
	readonly broker: string;
	readonly connected: boolean;
	/** Why it is not connected, in one line. */
	readonly reason?: string;
}

export interface Status {
	readonly router: RouterStatus;
	/** Only in status.json. */
	readonly mqtt?: MqttStatus;
	/** Sorted by name. */
	readonly peers: readonly PeerStatus[];
}

export type EventType =
	| "table_lost"
	| "table_changed"
	| "table_restored"
	| "conntrack_flushed"
	| "peer_up"
	| "peer_down"
	| "peer_nudged"
	| "diagnosis_changed"
	| "service_restarted"
	| "bird_lost"
	| "bird_back"
	| "command_done";

/** One line of events.jsonl and one message on the event topic. */
export interface ReportedEvent {
	readonly event_type: EventType;
	/** ISO 8601, UTC. */
	readonly at: string;
	readonly [detail: string]: string | number | boolean | undefined;
}
