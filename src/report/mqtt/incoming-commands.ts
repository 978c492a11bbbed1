import { printable } from "../../lib/printable.ts";
import type { Verb } from "../../model/command.ts";

/** Milliseconds between two commands, at least. */
const INTERVAL = 1000;

export interface MqttCommand {
	readonly verb: Verb;
	/** BIRD's protocol name. */
	readonly peer?: string;
}

export interface CommandOutcome {
	readonly command: string;
	readonly peer?: string;
	readonly ok: boolean;
	readonly text: string;
}

/** What is done with a message on a command topic. */
export type Verdict =
	| { readonly kind: "obey"; readonly command: MqttCommand }
	/** @property answer whether an event tells the sender */
	| {
			readonly kind: "refuse";
			readonly reason: string;
			readonly answer: boolean;
			readonly word: string;
			readonly peer?: string;
	  }
	/** Too many in too short a time to say something about each. */
	| { readonly kind: "ignore" };

/** Accepts commands: exact words, one a second, none that the broker had retained. */
export class CommandGate {
	private obeyedAt = Number.NEGATIVE_INFINITY;
	/** The last refusal reported, of live messages and of retained ones. */
	private readonly refusedAt = { live: Number.NEGATIVE_INFINITY, retained: Number.NEGATIVE_INFINITY };

	/**
	 * @param peer id from the topic; absent: the router's own topic
	 * @param name BIRD's protocol name, if there is such a peer
	 * @param now monotonic milliseconds
	 */
	judge(
		peer: string | undefined,
		name: string | undefined,
		message: { readonly payload: string; readonly retained: boolean },
		now: number,
	): Verdict {
		// This is how a retained message is removed; it is no command.
		if (message.payload === "") return { kind: "ignore" };
		const refuse = (reason: string): Verdict => {
			// A flood of nonsense costs one line a second, and does not keep commands from being carried out.
			const kind = message.retained ? "retained" : "live";
			if (now - this.refusedAt[kind] < INTERVAL) return { kind: "ignore" };
			this.refusedAt[kind] = now;
			const word = printable(message.payload, 40);
			const answer = !message.retained;
			return { kind: "refuse", reason, answer, word, ...(name === undefined ? {} : { peer: name }) };
		};
		const verbs: readonly Verb[] = peer === undefined ? ["ensure", "flush"] : ["restart"];
		const verb = verbs.find((candidate) => candidate === message.payload);
		// It would be carried out again at every connection.
		if (message.retained) return refuse("a retained command");
		if (!verb) return refuse(`not the word ${verbs.join(" or ")}`);
		if (peer !== undefined && name === undefined) return refuse("BIRD has no such peer");
		if (now - this.obeyedAt < INTERVAL) return refuse("more than one command in a second");
		this.obeyedAt = now;
		return { kind: "obey", command: { verb, ...(name === undefined ? {} : { peer: name }) } };
	}
}
