import { encodeUtf8 } from "../../lib/utf8.ts";
import type { Content } from "../payloads.ts";

/** The message at which a connection ended: the oldest that was not acknowledged, or the last one, sent just before. */
export interface LastMessage {
	readonly topic: string;
	readonly payload: string;
	/** It was sent on its own: every message before it had been acknowledged. */
	readonly alone: boolean;
	readonly acknowledged: boolean;
	/** Another message was acknowledged on that connection. */
	readonly others: boolean;
	/** Topics of all that was not acknowledged, and of this one. */
	readonly inFlight: readonly string[];
}

/** A message that is left out, because the connection ends at it each time. */
interface Refusal {
	readonly topic: string;
	payload: string;
	/** Bytes of the smallest payload that was refused. */
	bytes: number;
	/** The cause up to `at a message of`, e.g. `the broker closes the connection`. */
	how: string;
	/** Monotonic milliseconds of the last try, and how long it counts. */
	since: number;
	period: number;
	/** It is sent once more to see whether it is taken now. */
	trial: boolean;
}

/** Connections in a row, sent one message at a time, that end at the same message before it is left out. */
const TIMES = 2;
/** The same where it had been acknowledged: the end may have had another cause. */
const TIMES_ACKNOWLEDGED = 3;
/** Milliseconds until a message is tried again: at first, and at most; a tenth of it once its text has changed. */
const FIRST_PERIOD = 600_000;
const LONGEST_PERIOD = 86_400_000;
/** A payload smaller than this share of the refused one may pass. */
const SMALLER = 0.9;
/** Short connections in a row that are called that, each below this many milliseconds. */
const SHORT_CONNECTIONS = 3;
const SHORT = 30_000;

const NOTHING: ReadonlySet<string> = new Set();
const CLOSED = /closed the connection|connection broke|reset by peer|broken pipe/i;
/** Nothing gets through any more: a message that is too large for the path stops those behind it too. */
const STUCK = /acknowledged nothing|fallen silent|timed out/i;

/**
 * Finds the message at which a broker hangs up (a limit of size, an access list that disconnects, a proxy that cuts), so that it
 * is left out and all others arrive. After a connection that ended with messages on their way, these are sent first, one at a
 * time, the smallest first; the second end at the same one decides.
 */
export class RefusedMessages {
	private refusals: Refusal[] = [];
	private suspect: { readonly topic: string; readonly times: number; readonly others: boolean } | undefined;
	/** Topics at one of which a connection may have ended. */
	private readonly suspects = new Set<string>();
	private connectedAt = 0;
	private shortEnds = 0;
	/** The retained messages of the last `admit` that could leave one out. */
	private wanted: ReadonlyMap<string, Content> | undefined;
	/** Of these, by the refusal's own topic and others that are as large. */
	private leftOut: ReadonlySet<string> = NOTHING;

	/** @param now monotonic milliseconds */
	constructor(private readonly now: () => number) {}

	/** Something may be wrong with a message, until a connection has held. */
	get careful(): boolean {
		return this.suspect !== undefined || this.refusals.some(({ trial }) => trial);
	}

	/** Whether a message is to be sent on its own. */
	isSuspect(topic: string): boolean {
		return (
			this.suspects.has(topic) || this.refusals.some((refusal) => refusal.trial && refusal.topic === topic)
		);
	}

	/** It was sent on its own and acknowledged, and the connection has held for a moment. */
	passed(topic: string): void {
		this.suspects.delete(topic);
	}

	/** The latest connections were short, and did not end at a message. */
	get short(): boolean {
		return this.shortEnds > 1 && !this.careful;
	}

	connected(): void {
		this.connectedAt = this.now();
	}

	/**
	 * What may be sent of the retained messages.
	 * @returns `again`: milliseconds after which to ask again
	 */
	admit(wanted: ReadonlyMap<string, Content>, eventTopic: string) {
		this.wanted = undefined;
		if (this.suspects.size === 0 && this.refusals.length === 0)
			return { wanted, leftOut: NOTHING, again: undefined };
		this.refusals = this.refusals.filter(({ topic }) => topic === eventTopic || wanted.has(topic));
		this.wanted = wanted;
		const leftOut = this.leaveOut();
		const now = this.now();
		// What is due and still left out is an event, or waits for a smaller one of its kind: neither is a matter of time.
		const waits = this.refusals.map(({ since, period }) => since + period - now).filter((wait) => wait > 0);
		const again = waits.length > 0 ? Math.min(...waits) : undefined;
		const first = [...this.suspects].flatMap((topic) => {
			const content = wanted.get(topic);
			return content ? { topic, content, bytes: size(content.text()) } : [];
		});
		first.sort((one, other) => one.bytes - other.bytes);
		const admitted = new Map(first.map(({ topic, content }) => [topic, content]));
		for (const [topic, content] of wanted) admitted.set(topic, content);
		for (const topic of leftOut) admitted.delete(topic);
		return { wanted: admitted, leftOut, again };
	}

	/** Finds what is to be left out of the messages of the last `admit`. */
	private leaveOut(): ReadonlySet<string> {
		const leftOut = new Set<string>();
		for (const [topic, content] of this.wanted ?? [])
			if (this.concerns(topic) && this.refuses(topic, content.text())) leftOut.add(topic);
		this.leftOut = leftOut;
		return leftOut;
	}

	/** Whether a message on this topic may be left out. */
	private concerns(topic: string): boolean {
		return this.refusals.some(
			(refusal) => refusal.topic === topic || (isConfig(topic) && isConfig(refusal.topic)),
		);
	}

	/** Whether a message is left out. */
	refuses(topic: string, payload: string): boolean {
		// A message that removes another is the smallest there is.
		if (payload === "" || this.refusals.length === 0) return false;
		const bytes = size(payload);
		return this.refusals.some((refusal) => {
			// The next larger ones of the same kind need not break a connection each.
			if (refusal.topic !== topic)
				return isConfig(topic) && isConfig(refusal.topic) && bytes >= refusal.bytes;
			const wait = payload === refusal.payload ? refusal.period : refusal.period / 10;
			refusal.trial = bytes < refusal.bytes * SMALLER || this.now() >= refusal.since + wait;
			return !refusal.trial;
		});
	}

	/** Everything admitted was acknowledged, and the connection has held since. */
	held(): void {
		this.shortEnds = 0;
		this.suspect = undefined;
		this.suspects.clear();
		this.refusals = this.refusals.filter(({ trial }) => !trial);
	}

	/** Everything is tried again now. */
	retry(): void {
		for (const refusal of this.refusals) refusal.since = Number.NEGATIVE_INFINITY;
	}

	/** A connection has ended. @returns the reason, with the message where it is known */
	ended(reason: string, last: LastMessage | undefined): string {
		this.shortEnds = this.now() - this.connectedAt < SHORT ? this.shortEnds + 1 : 0;
		const closed = CLOSED.test(reason);
		if (!last || !(closed || STUCK.test(reason))) {
			this.suspect = undefined;
			this.suspects.clear();
			if (!closed || this.shortEnds < SHORT_CONNECTIONS) return reason;
			return `${reason}, as each time within ${SHORT / 1000} s; the broker's log may tell why`;
		}
		const how = closed ? "the broker closes the connection" : "the connection stops";
		const at = { ...last, bytes: size(last.payload), how };
		const trial = this.refusals.find((refusal) => refusal.trial && refusal.topic === last.topic);
		if (trial) {
			const period = Math.min(trial.period * 2, LONGEST_PERIOD);
			const bytes = Math.min(trial.bytes, at.bytes);
			Object.assign(trial, { payload: last.payload, how, bytes, period, since: this.now(), trial: false });
			return describe(at);
		}
		const before = this.suspect?.topic === last.topic ? this.suspect : undefined;
		const times = (before?.times ?? 0) + (last.alone ? 1 : 0);
		const others = last.others || before?.others === true;
		this.suspect = { topic: last.topic, times, others };
		for (const topic of last.inFlight) this.suspects.add(topic);
		// If nothing at all is acknowledged, it is not this message.
		if (others && times >= (last.acknowledged ? TIMES_ACKNOWLEDGED : TIMES)) {
			const { topic, payload, bytes } = at;
			this.refusals.push({
				topic,
				payload,
				bytes,
				how,
				since: this.now(),
				period: FIRST_PERIOD,
				trial: false,
			});
			// So that the problem is complete when it is told first.
			this.leaveOut();
			// The next connection is careful as well: there may be others.
			this.suspect = { topic: "", times: 0, others: false };
			this.suspects.delete(topic);
		}
		return last.alone ? describe(at) : reason;
	}

	/** What is left out and why, as one line; undefined: nothing. */
	get problem(): string | undefined {
		const [first] = this.refusals;
		if (!first) return undefined;
		const more = new Set([...this.refusals.map(({ topic }) => topic), ...this.leftOut]).size - 1;
		const others = more > 0 ? `, and ${more} other${more > 1 ? "s" : ""}` : "";
		return `${describe(first)}; it is left out${others}`;
	}
}

/** e.g. `the broker closes the connection at a message of 4,123 bytes (topic a/b)`. */
function describe(at: { readonly how: string; readonly topic: string; readonly bytes: number }): string {
	return `${at.how} at ${describeMessage(at.topic, at.bytes)}`;
}

/** e.g. `a message of 4,123 bytes (topic a/b)`. */
export function describeMessage(topic: string, bytes: number): string {
	return `a message of ${String(bytes).replace(/\B(?=(\d{3})+$)/g, ",")} bytes (topic ${topic})`;
}

/** Bytes of a payload. */
export function size(payload: string): number {
	return encodeUtf8(payload).length;
}

/** Discovery: the largest messages, of similar sizes. */
function isConfig(topic: string): boolean {
	return topic.endsWith("/config");
}
