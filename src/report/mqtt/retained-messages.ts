/** Milliseconds between two messages on one topic, at least; what changes in between is told by the next one. */
export const MESSAGE_INTERVAL = 1000;

/** What the broker was given on a topic; without a payload it is to be given again. */
interface Sent {
	readonly payload?: string;
	/** Monotonic milliseconds. */
	readonly at: number;
}

/**
 * Keeps the broker's retained messages equal to what is wanted: publishes what differs, takes back what is no longer
 * wanted, on each topic at most once a second. Holds the last payload of each topic, no queue.
 */
export class RetainedMessages {
	private sent = new Map<string, Sent>();

	/**
	 * @param publish hands a retained message over; false: there is no room for it now
	 * @param now monotonic milliseconds
	 */
	constructor(
		private readonly publish: (topic: string, payload: string) => boolean,
		private readonly now: () => number,
	) {}

	/**
	 * Publishes what differs, in the order of `wanted`.
	 * @returns `full`: there was no room, the rest follows when asked again; otherwise the milliseconds after which it
	 *   is to be asked again because a topic has had its message of this second, or undefined
	 */
	synchronize(wanted: ReadonlyMap<string, string>): "full" | number | undefined {
		const now = this.now();
		let again: number | undefined;
		const send = (topic: string, payload: string): boolean => {
			const wait = (this.sent.get(topic)?.at ?? Number.NEGATIVE_INFINITY) + MESSAGE_INTERVAL - now;
			if (wait > 0) {
				again = Math.min(again ?? wait, wait);
				return true;
			}
			if (!this.publish(topic, payload)) return false;
			this.sent.set(topic, { payload, at: now });
			return true;
		};
		for (const [topic, payload] of wanted) {
			if (this.sent.get(topic)?.payload !== payload && !send(topic, payload)) return "full";
		}
		for (const [topic, { payload, at }] of [...this.sent]) {
			if (wanted.has(topic)) continue;
			if (payload !== "") {
				if (!send(topic, "")) return "full";
			} else if (now - at >= MESSAGE_INTERVAL) this.sent.delete(topic);
		}
		return again;
	}

	/** Another connection: what the broker has is not known. Topics of before are remembered, to be taken back. */
	reset(): void {
		this.again(Number.NEGATIVE_INFINITY);
	}

	/** Everything is to be published once more, as if the broker had lost it. */
	resend(): void {
		this.again();
	}

	/** One topic is to be published once more: somebody else wrote there, or holds something there. */
	distrust(topic: string): void {
		this.sent.set(topic, { at: this.sent.get(topic)?.at ?? Number.NEGATIVE_INFINITY });
	}

	/** Topics on which something was published and not taken back. */
	topics(): string[] {
		return [...this.sent].filter(([, { payload }]) => payload !== "").map(([topic]) => topic);
	}

	private again(at?: number): void {
		for (const [topic, sent] of [...this.sent]) {
			if (sent.payload === "") this.sent.delete(topic);
			else this.sent.set(topic, { at: at ?? sent.at });
		}
	}
}
