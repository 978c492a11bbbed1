import { printable } from "../../lib/printable.ts";
import { encodeUtf8 } from "../../lib/utf8.ts";

/** Messages on topics that nobody asked for, which are not looked at; beyond that the broker is left. */
const MOST_UNASKED = 64;
/** Answers to nothing, from which on the broker is left: one that comes twice does no harm. */
const MOST_ANSWERS = 8;
/** What no topic of a message has (MQTT 3.1.1, sections 1.5.3 and 4.7.1). */
const NO_TOPIC = /[+#\0]/;

/** Packets that answer one of the client's (MQTT 3.1.1, section 3). */
export type Answer = "puback" | "suback" | "unsuback";

/** What a broker was asked for on one connection, and so may send. */
export class Asked {
	/** Answers that the broker owes; below zero: those that it does not. */
	private readonly owed = { puback: 0, suback: 0, unsuback: 0 };
	/** All filters of this connection: what was unsubscribed may be on its way. */
	private readonly filters = new Set<string>();
	/** Those with `+` for a level (MQTT 3.1.1, section 4.7). */
	private readonly wildcards: (readonly string[])[] = [];
	/** Messages on topics that nobody asked for. */
	private unasked = 0;

	/** A packet is sent that is answered. */
	sent(answer: Answer): void {
		this.owed[answer]++;
	}

	/** These filters are subscribed to. */
	subscribed(topics: readonly string[]): void {
		this.sent("suback");
		for (const topic of topics) {
			if (topic.includes("+") && !this.filters.has(topic)) this.wildcards.push(topic.split("/"));
			this.filters.add(topic);
		}
	}

	/** An answer has come. @returns why the broker is to be left */
	answered(answer: Answer): string | undefined {
		if (--this.owed[answer] >= -MOST_ANSWERS) return undefined;
		return `the broker sent ${answer.toUpperCase()}, which nobody asked for`;
	}

	/**
	 * A message has come.
	 * @param bytes that its topic had in the packet: what is not UTF-8 was longer or shorter
	 * @returns whether it is to be looked at, or why the broker is to be left
	 */
	message(topic: string, bytes: number): boolean | string {
		if (!isTopic(topic, bytes)) return "the broker sent a message on what is no topic";
		if (this.isAskedFor(topic)) return true;
		// Some brokers deliver first what an earlier connection had subscribed to.
		if (++this.unasked <= MOST_UNASKED) return false;
		return `the broker sent a message on ${printable(topic, 80)}, which nobody asked for`;
	}

	private isAskedFor(topic: string): boolean {
		if (this.filters.has(topic)) return true;
		const parts = topic.split("/");
		return this.wildcards.some((levels) => matches(levels, parts));
	}
}

function isTopic(topic: string, bytes: number): boolean {
	if (topic === "" || NO_TOPIC.test(topic)) return false;
	return !topic.includes("\ufffd") || encodeUtf8(topic).length === bytes;
}

/** Whether a topic is one of a filter's, both by their levels. */
function matches(levels: readonly string[], parts: readonly string[]): boolean {
	return levels.length === parts.length && levels.every((level, at) => level === "+" || level === parts[at]);
}
