import { type Backoff, retryDelay } from "../../lib/backoff.ts";
import type { MqttConfig } from "../../model/config.ts";
import type { Platform, Timer } from "../../platform/types.ts";
import { Addresses } from "./addresses.ts";
import type { MqttIdentity } from "./client-options.ts";
import type { PublishOptions } from "./connection.ts";
import { Connection, text } from "./connection.ts";
import { FLOOD } from "./packets.ts";
import type { LastMessage } from "./refused-messages.ts";

export type { MqttIdentity };

/**
 * Between the beginnings of two tries, 1 s to 6 s, so spread that a thousand routers do not come back at once; and before the next
 * one whatever the last has taken.
 */
const RETRY: Backoff = { first: 1000, longest: 4000, jitter: 0.5 };
const LEAST: Backoff = { first: 1000, longest: 1000, jitter: 0.5 };
/** Before a broker that sends too much is tried again. */
const AFTER_FLOOD: Backoff = { first: 40_000, longest: 40_000, jitter: 0.5 };
/** A try that took longer than this, in ms, may have ended before the name was looked up. */
const SLOW_LOOKUP = 4000;
/** One try in this many is for a broker that is far away, or a router that is busy. */
const SLOW_ONES = 5;
/** Milliseconds that a connection must have lasted for the waits to start over at the first. */
const STABLE_AFTER = 10_000;
/** Milliseconds that `stop` waits for acknowledgements, and then for the broker to hang up. */
const ACK_WAIT = 2000;
const CLOSE_WAIT = 500;

export interface LinkHandlers {
	onConnect(): void;
	/** The connection was lost, or could not be made for another reason than the last time; one line. */
	onDisconnect(reason: string): void;
	/**
	 * The connection that `onConnect` reported is gone; called before `onDisconnect`, which gets the reason returned.
	 * @param last the message at which it ended, if it ended at one
	 */
	onLost?(reason: string, last: LastMessage | undefined): string;
	onMessage(topic: string, payload: string, retained: boolean): void;
	/** Packets that the broker may send at once, more than usual. */
	expected?(): number;
	/** `publish` has refused a message for lack of room, and there is room again. */
	onRoom?(): void;
	/** Something else worth one line, such as a refused subscription. */
	onProblem?(problem: string): void;
}

export interface Message {
	readonly topic: string;
	readonly payload: string;
	readonly retain: boolean;
}

/** The connection to the broker, made again for as long as it takes. Keeps no message while there is none. */
export interface MqttLink {
	start(): void;
	/**
	 * Publishes the last messages (if connected), waits for their acknowledgements at most 2 s, and disconnects so
	 * that the broker does not publish the will. Never rejects.
	 */
	stop(finalMessages?: readonly Message[]): Promise<void>;
	readonly connected: boolean;
	/** Hands a message over, QoS 1; false: not connected, or too much is unacknowledged already. */
	publish(topic: string, payload: string, options: PublishOptions): boolean;
	/**
	 * Lasts as long as the connection; does nothing without one. QoS 0: what comes twice or late is worse here than what
	 * does not come.
	 * @param done the broker has answered, what it has kept follows; with it, nothing is said about a refusal
	 */
	subscribe(topics: readonly string[], done?: () => void): void;
	unsubscribe(topics: readonly string[]): void;
}

/** Does nothing before `start`. No handler is called after `stop`. */
export function createMqttLink(
	platform: Platform,
	config: MqttConfig,
	identity: MqttIdentity,
	handlers: LinkHandlers,
): MqttLink {
	return new Link(platform, config, identity, handlers);
}

class Link implements MqttLink {
	private running = false;
	private connection: Connection | undefined;
	private up = false;
	/** Waits in a row, without a connection that lasted. */
	private failures = 0;
	private timer: Timer | undefined;
	/** When the first address was last tried, monotonic milliseconds. */
	private triedAt = 0;
	/** The reason reported last, until a connection succeeds. */
	private lastReason: string | undefined;
	private refused = false;
	private idle: (() => void) | undefined;
	private readonly addresses: Addresses;

	constructor(
		private readonly platform: Platform,
		private readonly config: MqttConfig,
		private readonly identity: MqttIdentity,
		private readonly handlers: LinkHandlers,
	) {
		this.addresses = new Addresses(platform, config.host);
	}

	get connected(): boolean {
		return this.up;
	}

	start(): void {
		if (this.running) return;
		this.running = true;
		this.begin();
	}

	async stop(finalMessages: readonly Message[] = []): Promise<void> {
		this.running = false;
		this.timer?.cancel();
		const connection = this.connection;
		if (!connection) return;
		await this.deliver(connection, finalMessages);
		this.up = false;
		this.connection = undefined;
		await this.atMost(CLOSE_WAIT, (done) => connection.close(done));
		connection.destroy();
	}

	publish(topic: string, payload: string, options: PublishOptions): boolean {
		if (!this.running || !this.connection || !this.up) return false;
		const taken = this.connection.publish(topic, payload, options);
		if (!taken) this.refused = true;
		return taken;
	}

	subscribe(topics: readonly string[], done?: () => void): void {
		this.connection?.subscribe(topics, done);
	}

	unsubscribe(topics: readonly string[]): void {
		this.connection?.unsubscribe(topics);
	}

	/** Every fifth try has more time than the others. */
	private get isSlow(): boolean {
		return this.failures % SLOW_ONES === SLOW_ONES - 1;
	}

	private begin(): void {
		this.triedAt = this.platform.now().monotonic;
		void this.connect();
	}

	private async connect(): Promise<void> {
		try {
			const library = await import("./mqtt-library.ts");
			if (!this.running || this.connection) return;
			const address = this.addresses.current();
			const target = {
				...this.config,
				address,
				expected: this.handlers.expected?.() ?? 0,
				slow: this.isSlow,
			};
			this.connection = new Connection(library, this.platform, target, this.identity, {
				onUp: () => this.established(),
				onMessage: (topic, payload, retained) => {
					if (this.running) this.handlers.onMessage(topic, payload, retained);
				},
				onIdle: () => this.settled(),
				onProblem: (problem) => this.handlers.onProblem?.(problem),
				onEnd: (reason, last) => this.lost(reason, last),
			});
		} catch (error) {
			this.lost(text(error));
		}
	}

	private established(): void {
		if (!this.running) return;
		this.up = true;
		this.addresses.reset();
		this.lastReason = undefined;
		this.refused = false;
		this.timer = this.platform.after(STABLE_AFTER, () => {
			this.failures = 0;
		});
		this.handlers.onConnect();
	}

	private settled(): void {
		this.idle?.();
		if (!this.running || !this.refused) return;
		this.refused = false;
		this.handlers.onRoom?.();
	}

	private lost(reason: string, last?: LastMessage): void {
		this.timer?.cancel();
		const wasUp = this.up;
		this.connection = undefined;
		this.up = false;
		this.idle?.();
		if (!this.running) return;
		if (wasUp) {
			this.wait(this.handlers.onLost?.(reason, last) ?? reason);
			return;
		}
		const slowly = this.platform.now().monotonic - this.triedAt > SLOW_LOOKUP;
		this.addresses.next(slowly, (another) => {
			if (!this.running) return;
			if (another) void this.connect();
			else this.wait(reason);
		});
	}

	private wait(reason: string): void {
		this.failures++;
		const { platform } = this;
		const chance = platform.random();
		const took = platform.now().monotonic - this.triedAt;
		const delay = reason.startsWith(FLOOD)
			? retryDelay(AFTER_FLOOD, 1, chance)
			: Math.max(retryDelay(LEAST, 1, chance), retryDelay(RETRY, this.failures, chance) - took);
		this.timer = platform.after(delay, () => this.begin());
		if (reason === this.lastReason) return;
		this.lastReason = reason;
		this.handlers.onDisconnect(reason);
	}

	/** Hands the messages over as there is room, until all is acknowledged or the time for it is up. */
	private async deliver(connection: Connection, messages: readonly Message[]): Promise<void> {
		const rest = [...messages];
		const deadline = this.platform.now().monotonic + ACK_WAIT;
		for (;;) {
			let next = rest[0];
			while (next && connection.publish(next.topic, next.payload, next)) {
				rest.shift();
				next = rest[0];
			}
			const left = deadline - this.platform.now().monotonic;
			if (!this.up || connection.inFlight === 0 || left <= 0) return;
			await this.atMost(left, (done) => {
				this.idle = done;
			});
		}
	}

	/** Waits until the action calls back, or as long as that. */
	private atMost(milliseconds: number, action: (done: () => void) => void): Promise<void> {
		return new Promise((resolve) => {
			const timer = this.platform.after(milliseconds, resolve);
			action(() => {
				timer.cancel();
				resolve();
			});
		});
	}
}
