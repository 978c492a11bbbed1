import type { MqttConfig } from "../../model/config.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { PeerStatus, Status } from "../../model/status.ts";
import type { Platform, Timer } from "../../platform/types.ts";
import { merged, Payloads } from "../payloads.ts";
import { peerId, type Topics, topicsFor } from "../topics.ts";
import { EventQueue } from "./event-queue.ts";
import { CommandGate, type CommandOutcome, type MqttCommand } from "./incoming-commands.ts";
import { createMqttLink, type Message, type MqttLink } from "./link.ts";
import { Outgoing } from "./outgoing.ts";
import type { LastMessage } from "./refused-messages.ts";
import { RetainedMessages } from "./retained-messages.ts";
import { RetainedTopics } from "./retained-topics.ts";
import { SameIdWatch } from "./same-id.ts";

/**
 * Everything is published at a random moment within this many milliseconds after a connection or Home Assistant's birth
 * message, because all routers of a broker see these at the same time.
 */
const SPREAD = 5000;
export interface PublisherHandlers {
	/** Only with `commands '1'`; whoever carries it out reports its outcome. */
	onCommand(command: MqttCommand): void;
	/** A command was refused at once. */
	onOutcome(outcome: CommandOutcome): void;
	/** One line about the connection or a refused command. */
	onLog(level: "info" | "warn", line: string): void;
	/** Another router uses this one's id; undefined: no longer. */
	onForeign(text: string | undefined): void;
	/** The broker does not get all that it should, though it is connected; undefined: no longer. */
	onRefused(text: string | undefined): void;
	/** The broker has accepted us. */
	onConnect?(): void;
}

/**
 * Keeps the broker's retained messages equal to the last status, also after lost connections and restarts of the broker, of
 * Home Assistant and of this daemon; publishes events and receives commands.
 */
export class Publisher {
	readonly topics: Topics;
	private readonly link: MqttLink;
	private readonly payloads: Payloads;
	private readonly retained: RetainedMessages;
	private readonly events: EventQueue;
	private readonly heldTopics: RetainedTopics;
	private readonly gate = new CommandGate();
	private status: Status | undefined;
	/** Peers as BIRD listed them last; they are kept while BIRD cannot be queried. */
	private peers: readonly PeerStatus[] = [];
	/** The random delay after the connection is over. */
	private ready = false;
	private greeting: Timer | undefined;
	private again: { timer: Timer; at: number } | undefined;
	private readonly sameId: SameIdWatch;
	private readonly outgoing: Outgoing;
	/** Tells the state of this daemon from another's. */
	private readonly instance: string;
	/** The broker has it. */
	private known = false;

	/**
	 * @param routerId the configured name or the hostname, as it is
	 * @param createLink replaced in tests
	 */
	constructor(
		private readonly platform: Platform,
		private readonly config: MqttConfig,
		routerId: string,
		private readonly handlers: PublisherHandlers,
		createLink = createMqttLink,
	) {
		const now = () => platform.now().monotonic;
		this.topics = topicsFor(config, routerId);
		this.instance = Math.floor(platform.random() * 2 ** 32)
			.toString(16)
			.padStart(8, "0");
		this.payloads = new Payloads(config, this.topics, this.instance);
		this.outgoing = new Outgoing(platform, this.topics, () => this.link, {
			onRefused: () => this.handlers.onRefused(this.refusal && `MQTT: ${this.broker()}: ${this.refusal}`),
			onLater: (milliseconds) => this.later(milliseconds),
		});
		this.retained = new RetainedMessages((topic, payload) => this.retain(topic, payload), now);
		this.events = new EventQueue({
			publish: (payload, acknowledged) =>
				this.outgoing.send(this.topics.event, payload, { retain: false, acknowledged }),
			refuses: (payload) => this.outgoing.refuses(payload),
			now,
		});
		this.heldTopics = new RetainedTopics(platform, this.topics, {
			onHeld: () => this.synchronize(),
			onForeign: ({ started }) => this.sameId.foreign(started),
		});
		this.sameId = new SameIdWatch(platform, this.topics.id, (text) => this.handlers.onForeign(text));
		this.link = createLink(
			platform,
			config,
			{ clientId: this.topics.device.replace("_", "-"), willTopic: this.topics.availability },
			{
				onConnect: () => this.connected(),
				onDisconnect: (reason) => this.handlers.onLog("warn", `MQTT: ${this.broker()}: ${reason}`),
				onLost: (reason, last) => this.lost(reason, last),
				onMessage: (topic, payload, retained) => this.receive(topic, payload, retained),
				onRoom: () => this.synchronize(),
				onProblem: (problem) => this.handlers.onLog("warn", problem),
			},
		);
	}

	start(): void {
		this.link.start();
	}

	/** Says goodbye (`offline` for the router and its peers) and disconnects; takes at most 2.5 s, never rejects. */
	async stop(): Promise<void> {
		const offline = [
			this.topics.availability,
			...this.peers.map(({ name }) => this.topics.peer(peerId(name)).availability),
		];
		await this.end(offline.map((topic): Message => ({ topic, payload: "offline", retain: true })));
	}

	/** Removes everything that was published, because the router has another name from now on, and disconnects. */
	async retire(): Promise<void> {
		await this.end(this.retained.topics().map((topic): Message => ({ topic, payload: "", retain: true })));
	}

	/** The configuration was reloaded: what is left out is tried again. */
	retry(): void {
		this.outgoing.retry();
	}

	/** What the broker does not get, or does not keep, as one line; undefined: nothing. */
	get refusal(): string | undefined {
		return this.outgoing.problem;
	}

	get connectedToBroker(): boolean {
		return this.link.connected;
	}

	/** Publishes what has changed in the status, now or as soon as there is a connection. */
	update(status: Status): void {
		this.status = status;
		if (status.router.bird.reachable) this.peers = status.peers;
		else this.peers = merged(this.peers, status.peers);
		this.synchronize();
	}

	/** Publishes an event, not retained, now or as soon as there is a connection. */
	event(event: StoredEvent): void {
		this.events.add(event);
		this.sendEvents();
	}

	private async end(last: readonly Message[]): Promise<void> {
		this.leave();
		const { event: topic } = this.topics;
		const events = this.link.connected ? this.events.drain() : [];
		await this.link.stop([...last, ...events.map((payload): Message => ({ topic, payload, retain: false }))]);
	}

	private broker(): string {
		const { host, port } = this.config;
		return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
	}

	private connected(): void {
		const { topics, config } = this;
		this.handlers.onLog("info", `MQTT: ${this.broker()}: connected`);
		if (config.tls && config.tlsInsecure) {
			const risk =
				"anybody between here and the broker can read and change everything, the password included";
			this.handlers.onLog("warn", `MQTT: ${this.broker()}: not verified (tls_insecure): ${risk}`);
		}
		this.handlers.onConnect?.();
		this.sameId.connected();
		const short = this.outgoing.connected();
		this.link.subscribe([
			topics.availability,
			...(config.discovery ? [topics.birth] : []),
			...(config.commands ? [topics.command, topics.anyPeerCommand] : []),
		]);
		this.heldTopics.start(this.link);
		// If another router takes the connection away each time, each has to find what the other left.
		if (short) this.introduce();
		this.retained.reset();
		this.greet();
	}

	private lost(reason: string, last: LastMessage | undefined): string {
		this.leave();
		this.events.reset();
		return this.outgoing.ended(reason, last);
	}

	/** Nothing is published any more on this connection. */
	private leave(): void {
		this.ready = false;
		for (const timer of [this.greeting, this.again?.timer]) timer?.cancel();
		this.greeting = undefined;
		this.again = undefined;
		this.heldTopics.stop();
		this.outgoing.stop();
		this.sameId.stop();
	}

	private retain(topic: string, payload: string): boolean {
		const acknowledged = () => {
			if (topic === this.topics.state && payload !== "") this.known = true;
		};
		return this.outgoing.send(topic, payload, { retain: true, acknowledged });
	}

	private introduce(): void {
		const state = this.status && this.payloads.retained(this.status).get(this.topics.state);
		if (state) this.retain(this.topics.state, state);
	}

	/** Publishes everything after a random delay. */
	private greet(): void {
		if (this.greeting) return;
		this.greeting = this.platform.after(this.platform.random() * SPREAD, () => {
			this.greeting = undefined;
			this.ready = true;
			this.retained.resend();
			this.synchronize();
		});
	}

	/** Publishes what differs from what was sent; what is refused for lack of room follows in `onRoom`. */
	private synchronize(): void {
		if (!this.status || !this.ready || !this.link.connected) return;
		const { router } = this.status;
		const wanted = this.payloads.retained({ router, peers: this.peers });
		// What the broker holds of peers that BIRD does not have; while BIRD cannot be queried, nobody knows.
		if (router.bird.reachable) {
			for (const topic of this.heldTopics.held) if (!wanted.has(topic)) this.retained.distrust(topic);
			this.heldTopics.held.clear();
		}
		const admitted = this.outgoing.admit(wanted);
		const rest = this.retained.synchronize(admitted.wanted, admitted.leftOut);
		this.outgoing.sent(admitted.wanted, rest !== "full");
		if (rest === "full") return;
		this.sendEvents();
		if (rest !== undefined) this.later(rest);
	}

	private sendEvents(): void {
		if (!this.ready || !this.link.connected) return;
		const rest = this.events.send();
		if (rest !== undefined) this.later(rest);
	}

	private later(milliseconds: number): void {
		const at = this.platform.now().monotonic + milliseconds;
		if (this.again && this.again.at <= at) return;
		this.again?.timer.cancel();
		const timer = this.platform.after(Math.max(1, milliseconds), () => {
			this.again = undefined;
			this.synchronize();
		});
		this.again = { timer, at };
	}

	private receive(topic: string, payload: string, retained: boolean): void {
		const { topics } = this;
		const peer = topics.parsePeerTopic(topic);
		this.outgoing.receive(topic, payload);
		if (topic === topics.birth) {
			if (payload === "online" && !retained) this.greet();
		} else if (topic === topics.command || peer?.leaf === "command") {
			this.command(topic, peer?.id, payload, retained);
		} else if (topic === topics.availability) {
			// A late last will of an earlier connection.
			if (payload === "offline" && !retained && this.ready) {
				this.retained.distrust(topic);
				this.synchronize();
			}
		} else this.heldTopics.receive(topic, payload, retained, this.known ? this.instance : undefined);
	}

	private command(topic: string, peer: string | undefined, payload: string, retained: boolean): void {
		if (!this.config.commands) return;
		const names = this.peers.map(({ name }) => name);
		const verdict = this.gate.judge(peer, { payload, retained }, names, this.platform.now().monotonic);
		if (verdict.kind === "obey") this.handlers.onCommand(verdict.command);
		if (verdict.kind !== "refuse") return;
		const text = `refused: ${verdict.reason}`;
		this.handlers.onLog("warn", `MQTT: ${topic}: '${verdict.word}' ${text}`);
		if (!verdict.answer) return;
		const named = verdict.peer ?? peer;
		const outcome = { command: verdict.word, ok: false, text };
		this.handlers.onOutcome(named === undefined ? outcome : { ...outcome, peer: named });
	}
}
