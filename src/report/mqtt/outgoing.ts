import type { Platform, Timer } from "../../platform/types.ts";
import type { Content } from "../payloads.ts";
import type { Topics } from "../topics.ts";
import type { PublishOptions } from "./connection.ts";
import { KeptMessages } from "./kept-messages.ts";
import type { MqttLink } from "./link.ts";
import { type LastMessage, RefusedMessages } from "./refused-messages.ts";

/** Milliseconds between two messages that are sent one at a time: the broker hangs up a moment after the one at fault. */
const PACE = 250;
/** Milliseconds that a connection must hold after the last of these to show that none was at fault. */
const HOLDS = 5000;

export interface OutgoingHandlers {
	/** What the broker does not get or keep has changed. */
	onRefused(): void;
	/** There may be more to send in this many milliseconds. */
	onLater(milliseconds: number): void;
}

/** Sends messages, and leaves out those that the broker does not take. */
export class Outgoing {
	private readonly refused: RefusedMessages;
	private readonly kept: KeptMessages;
	/** Messages handed over and not acknowledged. */
	private inFlight = 0;
	private sentAt = Number.NEGATIVE_INFINITY;
	/** The message sent last, if it was to be sent on its own. */
	private suspect: string | undefined;
	/** Everything that may be sent was. */
	private complete = false;
	private holding: Timer | undefined;

	constructor(
		private readonly platform: Platform,
		private readonly topics: Topics,
		private readonly link: () => MqttLink,
		private readonly handlers: OutgoingHandlers,
	) {
		this.refused = new RefusedMessages(() => platform.now().monotonic);
		this.kept = new KeptMessages(platform, topics, link, () => handlers.onRefused());
	}

	/** What the broker does not get or keep, as one line; undefined: nothing. */
	get problem(): string | undefined {
		return this.refused.problem ?? this.kept.problem;
	}

	/** @returns false: not now */
	send(topic: string, payload: string, options: PublishOptions): boolean {
		const isSuspect = this.refused.isSuspect(topic);
		const alone = isSuspect || this.suspect !== undefined;
		const now = this.platform.now().monotonic;
		const wait = alone ? this.sentAt + PACE - now : 0;
		if (wait > 0) {
			this.handlers.onLater(wait);
			return false;
		}
		const taken = this.link().publish(topic, payload, {
			...options,
			...(alone ? { alone } : {}),
			acknowledged: () => {
				this.inFlight--;
				options.acknowledged?.();
			},
		});
		if (!taken) return false;
		if (this.suspect !== undefined) this.refused.passed(this.suspect);
		this.suspect = isSuspect ? topic : undefined;
		this.sentAt = now;
		this.inFlight++;
		return true;
	}

	/** Of the retained messages those that may be sent, and the topics of the others. */
	admit(wanted: ReadonlyMap<string, Content>) {
		const { again, ...admitted } = this.refused.admit(wanted, this.topics.event);
		if (again !== undefined) this.handlers.onLater(again);
		return admitted;
	}

	/** Whether an event is left out. */
	refuses(event: string): boolean {
		return this.refused.refuses(this.topics.event, event);
	}

	/** What was admitted was handed over: all of it, or not. */
	sent(wanted: ReadonlyMap<string, Content>, complete: boolean): void {
		this.complete = complete;
		this.hold();
		if (complete) this.kept.sent(wanted);
	}

	receive(topic: string, payload: string): void {
		this.kept.receive(topic, payload);
	}

	/** @returns whether the latest connections were short, and did not end at a message */
	connected(): boolean {
		this.refused.connected();
		return this.refused.short;
	}

	/** @returns the reason, with the message at which the connection ended where it is known */
	ended(reason: string, last: LastMessage | undefined): string {
		this.stop();
		const described = this.refused.ended(reason, last);
		this.handlers.onRefused();
		return described;
	}

	/** Nothing is sent any more on this connection. */
	stop(): void {
		this.holding?.cancel();
		this.holding = undefined;
		this.inFlight = 0;
		this.suspect = undefined;
		this.complete = false;
		this.kept.stop();
	}

	/** What is left out is tried again. */
	retry(): void {
		this.refused.retry();
		this.kept.retry();
		this.handlers.onLater(0);
	}

	/** Messages were sent one at a time: nothing is wrong with them once the connection has held after the last. */
	private hold(): void {
		if (!this.refused.careful || this.holding) return;
		this.holding = this.platform.after(HOLDS, () => {
			this.holding = undefined;
			if (!this.complete || this.inFlight > 0) return this.hold();
			this.refused.held();
			this.handlers.onRefused();
			this.handlers.onLater(0);
		});
	}
}
