import { type Content, literal } from "../payloads.ts";

const EMPTY = literal("");
/** Milliseconds between two messages on one topic, at least; the next one has what changes in between. */
export const MESSAGE_INTERVAL = 1000;

/** What was published on a topic; without a key it has to be published again. */
interface Sent {
	/** Of the content; empty: the topic was emptied. */
	readonly key?: string;
	/** Monotonic milliseconds. */
	readonly at: number;
	/** The broker has it. */
	done?: boolean;
}

/**
 * Keeps the broker's retained messages equal to what is wanted: publishes what differs and removes what is no longer wanted, on
 * each topic at most once a second. Keeps no queue.
 */
export class RetainedMessages {
	private sent = new Map<string, Sent>();

	/**
	 * @param publish sends a retained message, and calls back when the broker has it; false: there is no room for it now
	 * @param now monotonic milliseconds
	 */
	constructor(
		private readonly publish: (topic: string, payload: string, done: () => void) => boolean,
		private readonly now: () => number,
	) {}

	/**
	 * Publishes what differs, in the order of `wanted`.
	 * @param untouched topics on which nothing is published, removed neither
	 * @returns `full`: there was no room, and the rest follows with the next call; otherwise the milliseconds after which to call
	 *   again because a topic has had its message of this second, or undefined
	 */
	synchronize(
		wanted: ReadonlyMap<string, Content>,
		untouched: ReadonlySet<string>,
	): "full" | number | undefined {
		const now = this.now();
		let again: number | undefined;
		const send = (topic: string, content: Content): boolean => {
			const wait = (this.sent.get(topic)?.at ?? Number.NEGATIVE_INFINITY) + MESSAGE_INTERVAL - now;
			if (wait > 0) {
				again = Math.min(again ?? wait, wait);
				return true;
			}
			const sent: Sent = { key: content.key, at: now };
			const done = () => {
				sent.done = true;
			};
			if (!this.publish(topic, content.text(), done)) return false;
			this.sent.set(topic, sent);
			return true;
		};
		for (const [topic, content] of wanted) {
			if (this.sent.get(topic)?.key !== content.key && !send(topic, content)) return "full";
		}
		for (const [topic, { key, at, done }] of this.sent) {
			if (wanted.has(topic) || untouched.has(topic)) continue;
			if (key !== "") {
				if (!send(topic, EMPTY)) return "full";
			} else if (done && now - at >= MESSAGE_INTERVAL) this.sent.delete(topic);
		}
		return again;
	}

	/** Another connection: what the broker has is not known. Earlier topics are remembered, to be removed. */
	reset(): void {
		this.again(Number.NEGATIVE_INFINITY);
	}

	/** Has everything published once more, as if the broker had lost it. */
	resend(): void {
		this.again();
	}

	/** Has one topic published once more: somebody else has published on it. */
	distrust(topic: string): void {
		this.sent.set(topic, { at: this.sent.get(topic)?.at ?? Number.NEGATIVE_INFINITY });
	}

	/** Topics on which something was published, and whose removal the broker has not acknowledged. */
	topics(): string[] {
		return [...this.sent].filter(([, sent]) => !isGone(sent)).map(([topic]) => topic);
	}

	private again(at?: number): void {
		for (const [topic, sent] of [...this.sent]) {
			if (isGone(sent)) this.sent.delete(topic);
			else this.sent.set(topic, { at: at ?? sent.at });
		}
	}
}

function isGone({ key, done }: Sent): boolean {
	return key === "" && done === true;
}
