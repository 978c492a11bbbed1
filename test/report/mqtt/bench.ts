import type { MqttConfig } from "../../../src/model/config.ts";
import type { PeerStatus, Status } from "../../../src/model/status.ts";
import type { Platform } from "../../../src/platform/types.ts";
import type { LinkHandlers, Message, MqttLink } from "../../../src/report/mqtt/link.ts";
import { Publisher } from "../../../src/report/mqtt/publisher.ts";
import type { LastMessage } from "../../../src/report/mqtt/refused-messages.ts";
import { mqttConfig } from "./broker.ts";

export const R = "bgpwarden/r1";

/** A link whose broker takes as many messages as `room` says, and a clock that stands still between `advance`s. */
export class Bench {
	readonly published: Message[] = [];
	readonly subscribed: string[] = [];
	readonly unsubscribed: string[] = [];
	readonly commands: unknown[] = [];
	readonly outcomes: unknown[] = [];
	readonly foreign: (string | undefined)[] = [];
	/** What the broker does not get, as said last. */
	refusal: string | undefined;
	readonly log: string[] = [];
	room = Number.POSITIVE_INFINITY;
	/** Whether the broker acknowledges at once. */
	acknowledges = true;
	/** Whether the last message was to be sent on its own. */
	alone = false;
	/** Characters of the last message on each topic. */
	readonly sizes = new Map<string, number>();
	/** Whether the broker keeps a message and lets it be read; absent: it gives nothing back. */
	keeps: ((topic: string, payload: string) => boolean) | undefined;
	readonly held = new Map<string, string>();
	connected = false;
	publisher: Publisher;
	private now = 0;
	private timers: { at: number; callback: () => void }[] = [];
	private handlers: LinkHandlers | undefined;

	constructor(config: Partial<MqttConfig> = {}, routerId = "r1") {
		const platform = {
			random: () => 0.5,
			now: () => ({ monotonic: this.now, wall: this.now }),
			after: (milliseconds: number, callback: () => void) => {
				const timer = { at: this.now + milliseconds, callback };
				this.timers.push(timer);
				return {
					cancel: () => {
						this.timers = this.timers.filter((other) => other !== timer);
					},
				};
			},
		} as unknown as Platform;
		const bench = this;
		this.publisher = new Publisher(
			platform,
			mqttConfig(1883, config),
			routerId,
			{
				onCommand: (command) => this.commands.push(command),
				onOutcome: (outcome) => this.outcomes.push(outcome),
				onForeign: (text) => this.foreign.push(text),
				onRefused: (text) => {
					this.refusal = text;
				},
				onLog: (level, line) => this.log.push(`${level}: ${line}`),
			},
			(_platform, _config, _identity, handlers): MqttLink => {
				this.handlers = handlers;
				return {
					start() {},
					async stop(messages = []) {
						bench.published.push(...messages);
					},
					get connected() {
						return bench.connected;
					},
					publish(topic, payload, { retain, alone = false, acknowledged }) {
						if (!bench.connected || bench.room <= 0) return false;
						bench.room--;
						bench.alone = alone;
						bench.sizes.set(topic, payload.length);
						if (bench.keeps?.(topic, payload)) {
							bench.held.set(topic, payload);
							if (bench.subscribed.includes(topic) && !bench.unsubscribed.includes(topic))
								bench.receive(topic, payload);
						}
						bench.published.push({ topic, payload, retain });
						if (bench.acknowledges) acknowledged?.();
						return true;
					},
					subscribe(topics, done) {
						bench.subscribed.push(...topics);
						done?.();
						for (const topic of bench.keeps ? topics : []) {
							const payload = bench.held.get(topic);
							if (payload) bench.receive(topic, payload, true);
						}
					},
					unsubscribe: (topics) => void bench.unsubscribed.push(...topics),
				};
			},
		);
	}

	/** Connects, and lets the random moment come. */
	connect(): void {
		this.meet();
		this.advance(2500);
	}

	meet(): void {
		this.connected = true;
		this.handlers?.onConnect();
	}

	/** @param last the message at which the connection ended */
	disconnect(reason: string, last?: LastMessage): void {
		this.connected = false;
		this.handlers?.onDisconnect(this.handlers.onLost?.(reason, last) ?? reason);
	}

	receive(topic: string, payload: string, retained = false): void {
		this.handlers?.onMessage(topic, payload, retained);
	}

	roomAgain(): void {
		this.room = Number.POSITIVE_INFINITY;
		this.handlers?.onRoom?.();
	}

	advance(milliseconds: number): void {
		const end = this.now + milliseconds;
		for (;;) {
			const [next] = this.timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
			if (!next) break;
			this.timers = this.timers.filter((timer) => timer !== next);
			this.now = next.at;
			next.callback();
		}
		this.now = end;
	}

	get waitingTimers(): number {
		return this.timers.length;
	}

	/** Topics published since the last call. */
	topics(): string[] {
		return this.published.splice(0).map(({ topic }) => topic);
	}

	/** Messages published since the last call. */
	messages(): [topic: string, payload: string][] {
		return this.published.splice(0).map(({ topic, payload }) => [topic, payload]);
	}
}

export function status(peers: (string | PeerStatus)[] = ["waukeen"], reachable = true): Status {
	return {
		router: {
			version: "1.0.0",
			router: "r1",
			pid: 7,
			started: "2025-11-24T03:00:00Z",
			protection: "owned",
			table: "custom_bgp",
			ports: [179],
			level: "green",
			repairs: 0,
			flushed: 0,
			bird: { reachable },
		},
		peers: peers.map((peer) =>
			typeof peer === "string" ? { name: peer, level: "green", state: "Established", flaps: 0 } : peer,
		),
	};
}

export const DISCOVERY = "homeassistant/device/bgpwarden_r1/config";
export const PEER_DISCOVERY = "homeassistant/device/bgpwarden_r1_waukeen/config";
export const EVERYTHING = [
	DISCOVERY,
	PEER_DISCOVERY,
	`${R}/availability`,
	`${R}/peer/waukeen/availability`,
	`${R}/state`,
	`${R}/peer/waukeen/state`,
];

/** A bench with everything published. */
export function settled(
	config: Partial<MqttConfig> = {},
	peers: (string | PeerStatus)[] = ["waukeen"],
): Bench {
	const bench = new Bench(config);
	bench.publisher.update(status(peers));
	bench.connect();
	bench.topics();
	bench.advance(5000);
	return bench;
}
