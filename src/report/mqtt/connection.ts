import type { MqttClient } from "mqtt";
import { decodeUtf8, encodeUtf8 } from "../../lib/utf8.ts";
import type { Platform, Timer } from "../../platform/types.ts";
import { Asked } from "./asked.ts";
import { brokerProblem, clientOptions, KEEPALIVE, type MqttIdentity } from "./client-options.ts";
import type { LastMessage } from "./refused-messages.ts";
import { BROKER_CLOSED, openTransport, type Target } from "./transport.ts";

/** Milliseconds within which a message is acknowledged, or the broker is left. */
const ACK_TIMEOUT = KEEPALIVE * 1500;
/** Milliseconds for the TCP connection, TLS and the broker's first answer together: usually, and for a very slow broker. */
const CONNECT_TIMEOUT = { usual: 5000, slow: 15_000 } as const;
/** A message that was acknowledged is where the connection ended if that was within this many milliseconds of sending it. */
const JUST_SENT = 400;
/** Unacknowledged messages, and bytes in them, from which on `publish` refuses: each costs 5 kB under QuickJS. */
const IN_FLIGHT_MESSAGES = 64;
const IN_FLIGHT_BYTES = 65_536;

/** What the package calls back with when the connection ends before the broker's answer. */
const CLOSED = "Connection closed";

export interface ConnectionHandlers {
	/** The broker has accepted us. */
	onUp(): void;
	onMessage(topic: string, payload: string, retained: boolean): void;
	/** Everything in flight has been acknowledged. */
	onIdle(): void;
	onProblem(problem: string): void;
	/** The end, once: refused, failed, timed out or lost, perhaps at a message. Not called after `close`. */
	onEnd(reason: string, last?: LastMessage): void;
}

/** The npm packages, loaded. */
export type Library = typeof import("./mqtt-library.ts");

/**
 * One connection to the broker, from the first byte to the last; it is never made again, so nothing of it outlives
 * it.
 */
export class Connection {
	private readonly client: MqttClient;
	private up = false;
	private ended = false;
	private reason: string | undefined;
	/** What is not acknowledged, oldest first: a broker acknowledges in order (MQTT 3.1.1, section 4.6). */
	private readonly unacknowledged = new Map<number, Sent>();
	private last: Sent | undefined;
	/** A topic on which a message was acknowledged, and whether there was another. */
	private acknowledgedTopic: string | undefined;
	private acknowledgedMore = false;
	/** Topics of subscriptions that the broker has not answered. */
	private readonly asked = new Set<string>();
	/** What the broker may send. */
	private readonly allowed = new Asked();
	private sequence = 0;
	private bytes = 0;
	private ackWatch: Timer | undefined;
	private closed: (() => void) | undefined;

	private readonly patience: number;

	/** @throws Error when the child process cannot be started */
	constructor(
		library: Library,
		private readonly platform: Platform,
		config: Target,
		identity: MqttIdentity,
		private readonly handlers: ConnectionHandlers,
	) {
		this.patience = CONNECT_TIMEOUT[config.slow ? "slow" : "usual"];
		library.attachPlatform(platform, (error) => this.fail(text(error)));
		const transport = () =>
			openTransport(library.Duplex, platform, config, {
				onEnd: (reason) => this.because(reason),
				onSkipped: (what) => handlers.onProblem(`MQTT: ${what}`),
			});
		this.client = new library.MqttClient(transport, clientOptions(config, identity, this.patience));
		this.client.on("connect", () =>
			this.guarded(() => {
				this.up = true;
				handlers.onUp();
			}),
		);
		this.client.on("message", (topic, payload, packet) =>
			this.guarded(() => {
				if (this.ended || this.reason !== undefined) return;
				// Two bytes for the topic's length; at QoS 0 there is no packet id.
				const verdict = this.allowed.message(topic, (packet.length ?? 0) - 2 - payload.length);
				if (typeof verdict === "string") this.fail(verdict);
				else if (verdict) handlers.onMessage(topic, decodeUtf8(payload), packet.retain);
			}),
		);
		this.client.on("packetreceive", ({ cmd }) => {
			if (cmd !== "puback" && cmd !== "suback" && cmd !== "unsuback") return;
			const complaint = this.allowed.answered(cmd);
			if (complaint !== undefined) this.fail(complaint);
		});
		// A malformed packet does not close the connection by itself.
		this.client.on("error", (error) => this.fail(brokerProblem(error, this.patience)));
		this.client.on("close", () => this.end());
	}

	/** Messages not acknowledged yet. */
	get inFlight(): number {
		return this.unacknowledged.size;
	}

	/** Hands a message over, QoS 1; false: not connected, or too much is unacknowledged already. */
	publish(topic: string, payload: string, options: PublishOptions): boolean {
		if (!this.up || this.ended) return false;
		const bytes = encodeUtf8(payload);
		const cost = topic.length + bytes.length;
		if (this.inFlight >= (options.alone ? 1 : IN_FLIGHT_MESSAGES)) return false;
		if (this.inFlight > 0 && this.bytes + cost > IN_FLIGHT_BYTES) return false;
		const number = this.sequence++;
		const sent: Sent = { topic, payload, at: this.platform.now().monotonic, alone: this.inFlight === 0 };
		this.last = sent;
		this.unacknowledged.set(number, sent);
		this.bytes += cost;
		this.watch();
		this.allowed.sent("puback");
		// A plain array is as good as a Buffer to the packet writer; text it would encode itself, slowly.
		this.client.publish(topic, bytes as Buffer, { qos: 1, retain: options.retain }, (error) => {
			if (error?.message === CLOSED) return;
			this.unacknowledged.delete(number);
			this.bytes -= cost;
			if (this.ended) return;
			if (!error) {
				this.acknowledgedMore ||= this.acknowledgedTopic !== undefined && this.acknowledgedTopic !== topic;
				this.acknowledgedTopic = topic;
				this.guarded(() => options.acknowledged?.());
			}
			if (this.inFlight === 0) this.guarded(() => this.handlers.onIdle());
		});
		return true;
	}

	/** @param done called when the broker has granted or refused it; with it, a refusal is no problem told */
	subscribe(topics: readonly string[], done?: () => void): void {
		if (!this.up || this.ended || topics.length === 0) return;
		for (const topic of topics) this.asked.add(topic);
		this.allowed.subscribed(topics);
		this.client.subscribe([...topics], { qos: 0 }, (error) => {
			if (this.ended || error?.message === CLOSED) return;
			for (const topic of topics) this.asked.delete(topic);
			if (done) this.guarded(done);
			else if (error) this.handlers.onProblem(`MQTT subscribe: ${topics.join(", ")}: refused by the broker`);
		});
	}

	unsubscribe(topics: readonly string[]): void {
		if (!this.up || this.ended || topics.length === 0) return;
		this.allowed.sent("unsuback");
		this.client.unsubscribe([...topics], () => {});
	}

	/**
	 * Disconnects and calls back when the transport is closed. With something unacknowledged it just hangs up, and the
	 * broker publishes the will.
	 */
	close(closed: () => void): void {
		if (this.ended) {
			closed();
			return;
		}
		this.ended = true;
		this.ackWatch?.cancel();
		this.closed = closed;
		this.client.end(!(this.up && this.inFlight === 0));
	}

	/** Ends the child process, whatever it is waiting for. */
	destroy(): void {
		this.client.stream.destroy();
	}

	/** Leaves a broker that answers pings but takes nothing, or to which nothing gets through. */
	private watch(): void {
		if (this.ackWatch) return;
		const [oldest] = this.unacknowledged;
		if (!oldest) return;
		const [number, { at }] = oldest;
		const left = Math.max(0, at + ACK_TIMEOUT - this.platform.now().monotonic);
		this.ackWatch = this.platform.after(left, () => {
			this.ackWatch = undefined;
			if (this.ended) return;
			if (!this.unacknowledged.has(number)) this.watch();
			else this.fail(`the broker has acknowledged nothing for ${ACK_TIMEOUT / 1000} s`);
		});
	}

	private because(reason: string): void {
		this.reason ??= reason;
	}

	private fail(reason: string): void {
		this.because(reason);
		this.destroy();
	}

	private end(): void {
		const wasUp = this.up;
		this.up = false;
		this.ackWatch?.cancel();
		this.closed?.();
		this.closed = undefined;
		if (this.ended) return;
		this.ended = true;
		const last = this.lastMessage();
		const reason = this.reason ?? "the connection was closed";
		this.guarded(() => this.handlers.onEnd(`${reason}${last ? "" : this.lastStep(wasUp)}`, last));
	}

	/** What the broker had been asked for when it ended, if it was no message. */
	private lastStep(wasUp: boolean): string {
		if (this.reason !== BROKER_CLOSED) return "";
		if (!wasUp) return " without an answer";
		const topics = [...this.asked];
		return topics.length > 0 ? ` at the subscription to ${topics.slice(0, 4).join(", ")}` : "";
	}

	/** The message at which it ended, if it ended at one. */
	private lastMessage(): LastMessage | undefined {
		const [oldest] = this.unacknowledged.values();
		const sent = oldest ?? this.last;
		if (!sent || (!oldest && this.platform.now().monotonic - sent.at > JUST_SENT)) return undefined;
		const { topic, payload, alone } = sent;
		const others =
			this.acknowledgedMore || (this.acknowledgedTopic !== undefined && this.acknowledgedTopic !== topic);
		const inFlight = [...this.unacknowledged.values(), sent].map((each) => each.topic);
		return { topic, payload, alone: alone && this.inFlight <= 1, acknowledged: !oldest, others, inFlight };
	}

	private guarded(action: () => void): void {
		try {
			action();
		} catch (error) {
			this.handlers.onProblem(`MQTT: ${text(error)}`);
		}
	}
}

/** What an exception says. */
export function text(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** A message handed over. @property alone nothing else was unacknowledged then */
interface Sent {
	readonly topic: string;
	readonly payload: string;
	/** Monotonic milliseconds. */
	readonly at: number;
	readonly alone: boolean;
}

export interface PublishOptions {
	readonly retain: boolean;
	/** Only when nothing else is unacknowledged. */
	readonly alone?: boolean;
	/** The broker has the message. Never called when the connection is lost before. */
	readonly acknowledged?: () => void;
}
