import type { DiagnosisId } from "./catalog.ts";

/** Who changed the table. Absent values: nobody saw it, or the process had ended before /proc could be read. */
export type ChangedBy = {
	/** Name of the process that made the change, e.g. `nft`. */
	readonly by?: string | undefined;
	/** The same as a sentence, with command line and parent. */
	readonly described?: string | undefined;
	readonly pid?: number | undefined;
	readonly command?: string | undefined;
	readonly parent?: string | undefined;
	/** The service behind it. */
	readonly service?: string | undefined;
};

/** What each type of event tells, beside its time. The keys are public: they are only ever added. */
export interface EventDetails {
	readonly table_lost: ChangedBy;
	readonly table_changed: ChangedBy;
	/**
	 * One repair: `milliseconds` from noticing the loss to the table being back. With reason `fight` it is the end of a
	 * whole series, told once.
	 */
	readonly table_restored:
		| (ChangedBy & { readonly reason: "deleted" | "changed"; readonly milliseconds: number })
		| (ChangedBy & { readonly reason: "fight"; readonly repairs: number });
	/** @property left entries that were there again after the last try */
	readonly conntrack_flushed: { readonly deleted: number; readonly left: number };
	readonly peer_up: { readonly peer: string };
	/** @property state absent: it was down for less time than lies between two readings */
	readonly peer_down: {
		readonly peer: string;
		readonly state?: string | undefined;
		readonly last_error?: string | undefined;
	};
	/** The session was restarted in BIRD. @property state before it */
	readonly peer_nudged: { readonly peer: string; readonly state?: string | undefined };
	/** The peer was told that connections which it took for established are over. @property connections how many */
	readonly connection_reset: { readonly peer: string; readonly connections: number };
	readonly diagnosis_changed: {
		readonly peer: string;
		readonly diagnosis: DiagnosisId;
		readonly before?: DiagnosisId | undefined;
		readonly explanation: string;
		readonly remedy?: string | undefined;
	};
	readonly service_restarted: {
		readonly service: string;
		readonly change: "started" | "stopped" | "restarted" | "respawned" | "failed";
		readonly exit_code?: number | undefined;
		readonly respawns?: number | undefined;
	};
	readonly bird_lost: { readonly reason: string };
	readonly bird_back: { readonly version?: string | undefined };
	/** A command that came over MQTT. */
	readonly command_done: {
		readonly command: string;
		readonly peer?: string | undefined;
		readonly ok: boolean;
		readonly text: string;
	};
}

export type EventType = keyof EventDetails;

/** All event types. The record has the compiler notice one that is missing. */
const TYPES: Readonly<Record<EventType, true>> = {
	table_lost: true,
	table_changed: true,
	table_restored: true,
	conntrack_flushed: true,
	peer_up: true,
	peer_down: true,
	peer_nudged: true,
	connection_reset: true,
	diagnosis_changed: true,
	service_restarted: true,
	bird_lost: true,
	bird_back: true,
	command_done: true,
};
export const EVENT_TYPES = Object.keys(TYPES) as readonly EventType[];

/** A type of event with its details. */
export type EventReport = {
	readonly [Type in EventType]: { readonly event: Type; readonly details: EventDetails[Type] };
}[EventType];

/** A line of events.jsonl as it is read, perhaps of another version. */
export interface StoredEvent {
	readonly event_type: string;
	readonly at: string;
	readonly [detail: string]: string | number | boolean | undefined;
}

/** One line of events.jsonl and one message on the event topic. @property at ISO 8601, UTC */
export type ReportedEvent = {
	readonly [Type in EventType]: { readonly event_type: Type; readonly at: string } & EventDetails[Type];
}[EventType];
