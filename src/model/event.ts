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
