import type { StoredEvent } from "../../model/event.ts";
import { bounded } from "../payloads.ts";

/** Events kept while they cannot be published; beyond that the oldest are dropped, and counted. */
const LIMIT = 200;
/** Events that may be published at once; then one a second, so that a storm here is not one at the broker. */
const BURST = 10;
const INTERVAL = 1000;

export interface EventBroker {
	/** Sends an event, and calls back when it is acknowledged; false: no room for it now. */
	publish(payload: string, acknowledged: () => void): boolean;
	/** The broker does not take it: it is dropped, and counted. */
	refuses(payload: string): boolean;
	/** Monotonic milliseconds. */
	now(): number;
}

/**
 * The events on their way to the broker. Each is kept until the broker has acknowledged it, so that none is lost with a
 * connection (one may come twice). They carry their own time, because they may come late.
 */
export class EventQueue {
	private waiting: StoredEvent[] = [];
	/** Sent and not acknowledged, oldest first. */
	private unacknowledged: StoredEvent[] = [];
	private dropped = 0;
	private tokens = BURST;
	private filledAt: number;

	constructor(private readonly broker: EventBroker) {
		this.filledAt = broker.now();
	}

	add(event: StoredEvent): void {
		this.waiting.push(event);
		this.trim();
	}

	/** The connection is lost: what was not acknowledged waits again. */
	reset(): void {
		this.waiting = [...this.unacknowledged, ...this.waiting];
		this.unacknowledged = [];
		this.trim();
	}

	/** Sends events as room and rate allow. @returns milliseconds until the rate allows more, if there are more */
	send(): number | undefined {
		this.fill();
		while (this.waiting.length > 0 && this.tokens >= 1) {
			if (!this.hand()) return undefined;
			this.tokens--;
		}
		return this.waiting.length > 0 && this.tokens < 1
			? this.filledAt + INTERVAL - this.broker.now()
			: undefined;
	}

	/** What waits, to be sent before the end. */
	drain(): string[] {
		const payloads = this.waiting.map(bounded);
		this.waiting = [];
		return payloads;
	}

	private hand(): boolean {
		const [event] = this.waiting;
		if (!event) return false;
		// The count is a detail of the first event after the gap.
		const payload = bounded(this.dropped > 0 ? { ...event, dropped: this.dropped } : event);
		if (this.broker.refuses(payload)) {
			this.waiting.shift();
			this.dropped++;
			return true;
		}
		const taken = this.broker.publish(payload, () => {
			this.unacknowledged = this.unacknowledged.filter((other) => other !== event);
		});
		if (!taken) return false;
		this.waiting.shift();
		this.unacknowledged.push(event);
		this.dropped = 0;
		return true;
	}

	private fill(): void {
		const whole = Math.floor((this.broker.now() - this.filledAt) / INTERVAL);
		this.tokens = Math.min(BURST, this.tokens + whole);
		this.filledAt += whole * INTERVAL;
	}

	private trim(): void {
		const excess = this.waiting.length + this.unacknowledged.length - LIMIT;
		if (excess <= 0) return;
		this.dropped += this.waiting.splice(0, excess).length;
	}
}
