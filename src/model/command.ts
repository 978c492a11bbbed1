/** A request of the command line or of MQTT; with an id, somebody waits for the reply. */
export interface Command {
	readonly id?: string;
	readonly verb: Verb;
	readonly peer?: string;
}

export type Verb = "ensure" | "release" | "flush" | "restart";
