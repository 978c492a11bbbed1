import type { MqttConfig } from "../../model/config.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { Status } from "../../model/status.ts";
import { Alarm } from "../../platform/alarm.ts";
import type { Platform } from "../../platform/types.ts";
import { Payloads } from "../payloads.ts";
import { peerId, type Topics, topicsFor } from "../topics.ts";
import { EventQueue } from "./event-queue.ts";
import { FormerDevices } from "./former-devices.ts";
import { CommandGate } from "./incoming-commands.ts";
import { KnownPeers } from "./known-peers.ts";
import { createMqttLink, type Message, type MqttLink } from "./link.ts";
import { Outgoing } from "./outgoing.ts";
import type { PublisherHandlers } from "./publisher-handlers.ts";
import type { LastMessage } from "./refused-messages.ts";
import { RetainedMessages } from "./retained-messages.ts";
import { RetainedTopics } from "./retained-topics.ts";
import { SameIdWatch } from "./same-id.ts";

/**
 * Everything is published at a random moment within this many milliseconds after a connection or Home Assistant's birth
 * message, because all routers of a broker see these at the same time.
 */
const SPREAD = 2500;
/** Milliseconds until something is done about what the broker has sent, however many messages that are: it costs the same for all. */
const SOON = 100;
/** Packets of a broker for each peer, after a connection. */
const PACKETS_EACH = 10;

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
	private readonly former: FormerDevices;
	private readonly gate = new CommandGate();
	private status: Status | undefined;
	private readonly peers = new KnownPeers();
	/** The random delay after the connection is over. */
	private ready = false;
	private readonly greeting: Alarm;
	private readonly again: Alarm;
	private readonly sameId: SameIdWatch;
	private readonly outgoing: Outgoing;
	private readonly broker: string;
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
		const { host, port } = config;
		this.broker = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
		this.topics = topicsFor(config, routerId);
		this.instance = Math.floor(platform.random() * 2 ** 32)
			.toString(16)
			.padStart(8, "0");
		this.again = new Alarm(platform, () => this.synchronize());
		this.greeting = new Alarm(platform, () => {
			this.ready = true;
			this.retained.resend();
			this.synchronize();
		});
		this.payloads = new Payloads(config, this.topics, this.instance);
		this.outgoing = new Outgoing(platform, this.topics, () => this.link, {
			onRefused: () => this.tellRefusal(),
			onLater: (milliseconds) => this.again.within(milliseconds),
		});
		this.retained = new RetainedMessages((...message) => this.retain(...message), now);
		this.events = new EventQueue({
			publish: (payload, acknowledged) =>
				this.outgoing.send(this.topics.event, payload, { retain: false, acknowledged }),
			refuses: (payload) => this.outgoing.refuses(payload),
			now,
		});
		this.heldTopics = new RetainedTopics(platform, this.topics, {
			onHeld: () => this.again.within(SOON),
			onSearched: () => {
				this.tellRefusal();
				this.synchronize();
			},
			isKnown: (id) => this.peers.nameOf(id) !== undefined,
			onForeign: ({ started }) => this.sameId.foreign(started),
		});
		this.former = new FormerDevices(platform, this.topics, config.discovery, this.heldTopics, {
			remove: (topic, done) => this.retain(topic, "", done),
			onLater: (milliseconds) => this.again.within(milliseconds),
		});
		this.sameId = new SameIdWatch(platform, this.topics.id, (text) => this.handlers.onForeign(text));
		this.link = createLink(
			platform,
			config,
			{ clientId: this.topics.clientId, willTopic: this.topics.availability },
			{
				onConnect: () => this.connected(),
				onDisconnect: (reason) => this.handlers.onLog("warn", `MQTT: ${this.broker}: ${reason}`),
				onLost: (reason, last) => this.lost(reason, last),
				onMessage: (topic, payload, retained) => this.receive(topic, payload, retained),
				// Each of its messages comes back once, and is acknowledged now and then.
				expected: () => this.peers.all.length * PACKETS_EACH,
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
			...this.peers.all.map(({ name }) => this.topics.peer(peerId(name)).availability),
		];
		await this.end(offline.map((topic): Message => ({ topic, payload: "offline", retain: true })));
	}

	/**
	 * Removes everything that was published, because the router has another name from now on, and disconnects.
	 * @returns topics that are still to be removed: there is no connection
	 */
	async retire(): Promise<readonly string[]> {
		const topics = this.retained.topics();
		const left = this.link.connected ? [] : topics;
		await this.end(topics.map((topic): Message => ({ topic, payload: "", retain: true })));
		return left;
	}

	/** Removes what a publisher before this one could not. */
	remove(topics: readonly string[]): void {
		for (const topic of topics) this.retained.distrust(topic);
	}

	/** The configuration was reloaded: what is left out is tried again, and what the broker has dropped. */
	retry(): void {
		const again = this.link.connected && this.refusal !== undefined;
		if (again && this.former.problem) this.heldTopics.start(this.link);
		this.outgoing.retry();
		if (again) this.greet();
	}

	/** What the broker does not get, or does not keep, as one line; undefined: nothing. */
	get refusal(): string | undefined {
		return this.outgoing.problem ?? this.former.problem;
	}

	private tellRefusal(): void {
		this.handlers.onRefused(this.refusal && `MQTT: ${this.broker}: ${this.refusal}`);
	}

	get connectedToBroker(): boolean {
		return this.link.connected;
	}

	/** Publishes what has changed in the status, now or as soon as there is a connection. */
	update(status: Status): void {
		this.status = status;
		this.peers.update(status);
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

	private connected(): void {
		const { topics, config } = this;
		this.handlers.onLog("info", `MQTT: ${this.broker}: connected`);
		if (config.tls && config.tlsInsecure) {
			const risk =
				"anybody between here and the broker can read and change everything, the password included";
			this.handlers.onLog("warn", `MQTT: ${this.broker}: not verified (tls_insecure): ${risk}`);
		}
		this.handlers.onConnect?.();
		this.sameId.connected();
		const short = this.outgoing.connected();
		this.link.subscribe([
			topics.availability,
			...(config.discovery ? [topics.birth] : []),
			...(config.commands ? [topics.command, topics.anyPeerCommand] : []),
		]);
		this.former.connected();
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
		this.greeting.set(undefined);
		this.again.set(undefined);
		this.heldTopics.stop();
		this.outgoing.stop();
		this.sameId.stop();
	}

	private retain(topic: string, payload: string, done?: () => void): boolean {
		const acknowledged = () => {
			if (topic === this.topics.state && payload !== "") this.known = true;
			done?.();
		};
		return this.outgoing.send(topic, payload, { retain: true, acknowledged });
	}

	private introduce(): void {
		const state = this.status && this.payloads.retained(this.status).get(this.topics.state);
		if (state) this.retain(this.topics.state, state.text());
	}

	/** Publishes everything after a random delay. */
	private greet(): void {
		if (!this.greeting.isSet) this.greeting.within(this.platform.random() * SPREAD);
	}

	/** Publishes what differs from what was sent; what is refused for lack of room follows in `onRoom`. */
	private synchronize(): void {
		if (!this.status || !this.ready || !this.link.connected || this.former.takeBack()) return;
		const { router } = this.status;
		const wanted = this.payloads.retained({ router, peers: this.peers.all });
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
		if (rest !== undefined) this.again.within(rest);
	}

	private sendEvents(): void {
		if (!this.ready || !this.link.connected) return;
		const rest = this.events.send();
		if (rest !== undefined) this.again.within(rest);
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
				this.again.within(SOON);
			}
		} else this.heldTopics.receive(topic, payload, retained, this.known ? this.instance : undefined);
	}

	private command(topic: string, peer: string | undefined, payload: string, retained: boolean): void {
		if (!this.config.commands) return;
		const name = peer === undefined ? undefined : this.peers.nameOf(peer);
		const verdict = this.gate.judge(peer, name, { payload, retained }, this.platform.now().monotonic);
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
