import type { MqttConfig } from "../../config/types.ts";
import type { Platform, Timer } from "../../platform/types.ts";
import { retainedMessages } from "../payloads.ts";
import type { PeerStatus, ReportedEvent, Status } from "../status.ts";
import { peerIds, type Topics, topicsFor } from "../topics.ts";
import { createMqttLink, type Message, type MqttLink } from "./link.ts";

/** Milliseconds after a connection during which the broker tells what it holds of our peers. */
const INVENTORY_TIME = 5000;
/** Ghosts taken back per connection: a bound for what a broker can make us remember. */
const HELD_LIMIT = 256;
/** Milliseconds to wait after Home Assistant's birth message, at least, and at random on top of that. */
const BIRTH_DELAY = 1000;
const BIRTH_SPREAD = 4000;

export type Command =
	| { readonly verb: "ensure" | "flush" }
	| { readonly verb: "restart" /** BIRD's protocol name. */; readonly peer: string };

export interface PublisherHandlers {
	/** Only with `commands '1'`. */
	onCommand(command: Command): void;
	/** One line about the connection or a refused command. */
	onLog(level: "info" | "warn", line: string): void;
}

/**
 * Keeps the broker's retained messages equal to the last status, through lost connections and restarts of the broker,
 * of Home Assistant and of this daemon. Holds the last status and the last payload of each topic, no queue.
 */
export class Publisher {
	private readonly topics: Topics;
	private readonly link: MqttLink;
	private status: Status | undefined;
	/** Peers as BIRD listed them last; they outlive an unreachable BIRD. */
	private peers: readonly PeerStatus[] = [];
	/** What was handed over since the connection was made, by topic. */
	private sent = new Map<string, string>();
	/** Ids of peers of which the broker holds retained messages from an earlier run. */
	private held = new Set<string>();
	private inventory: Timer | undefined;
	private birth: Timer | undefined;

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
		this.topics = topicsFor(config, routerId);
		this.link = createLink(
			platform,
			config,
			{ clientId: this.topics.device.replace("_", "-"), willTopic: this.topics.availability },
			{
				onConnect: () => this.connected(),
				onDisconnect: (reason) => this.handlers.onLog("warn", `MQTT: ${this.broker()}: ${reason}`),
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
		this.inventory?.cancel();
		this.birth?.cancel();
		const offline = [this.topics.availability, ...this.peerTopics().map(({ availability }) => availability)];
		await this.link.stop(offline.map((topic): Message => ({ topic, payload: "offline", retain: true })));
	}

	get connectedToBroker(): boolean {
		return this.link.connected;
	}

	/** Takes the newest status; what changed in it is published, now or as soon as there is a connection. */
	update(status: Status): void {
		this.status = status;
		if (status.router.bird.reachable) this.peers = status.peers;
		else this.peers = merged(this.peers, status.peers);
		this.synchronize();
	}

	/** Publishes an event, not retained; without a connection it is lost, since late events mislead. */
	event(event: ReportedEvent): void {
		this.link.publish(this.topics.event, JSON.stringify(event), { retain: false });
	}

	private broker(): string {
		return `${this.config.host}:${this.config.port}`;
	}

	private connected(): void {
		this.handlers.onLog("info", `MQTT: ${this.broker()}: connected`);
		this.sent.clear();
		this.held.clear();
		const { topics, config } = this;
		const inventory = [topics.anyPeerState, topics.anyPeerAvailability];
		this.link.subscribe([
			...inventory,
			...(config.discovery ? [topics.birth] : []),
			...(config.commands ? [topics.command, topics.anyPeerCommand] : []),
		]);
		this.inventory?.cancel();
		this.inventory = this.platform.after(INVENTORY_TIME, () => this.link.unsubscribe(inventory));
		this.synchronize();
	}

	private peerTopics() {
		const ids = peerIds(this.peers.map(({ name }) => name));
		return [...ids.values()].map((id) => this.topics.peer(id));
	}

	/** Publishes what differs from what was sent; what is refused for lack of room follows in `onRoom`. */
	private synchronize(): void {
		if (!this.status || !this.link.connected) return;
		const { router } = this.status;
		const wanted = retainedMessages(this.config, this.topics, { router, peers: this.peers });
		if (router.bird.reachable) this.forgetGhosts(wanted);
		for (const [topic, payload] of wanted) {
			if (this.sent.get(topic) !== payload && !this.send(topic, payload)) return;
		}
		for (const topic of [...this.sent.keys()]) {
			if (wanted.has(topic)) continue;
			if (!this.send(topic, "")) return;
			this.sent.delete(topic);
		}
	}

	/** Marks what the broker holds of peers that BIRD does not have as sent, so that it is taken back. */
	private forgetGhosts(wanted: ReadonlyMap<string, string>): void {
		for (const id of this.held) {
			const ghost = this.topics.peer(id);
			if (wanted.has(ghost.state)) continue;
			if (this.config.discovery) this.sent.set(ghost.discovery, "held");
			this.sent.set(ghost.state, "held");
			// Last, so that the ghost is found again should the connection end in between.
			this.sent.set(ghost.availability, "held");
		}
		this.held.clear();
	}

	private send(topic: string, payload: string): boolean {
		if (!this.link.publish(topic, payload, { retain: true })) return false;
		this.sent.set(topic, payload);
		return true;
	}

	private receive(topic: string, payload: string, retained: boolean): void {
		const peer = this.topics.parsePeerTopic(topic);
		if (topic === this.topics.birth) {
			if (payload === "online" && !retained) this.greet();
		} else if (topic === this.topics.command || peer?.leaf === "command") {
			const refusal = this.obey(peer?.id, payload.trim(), retained);
			if (refusal) this.handlers.onLog("warn", `MQTT: ${topic}: ${refusal}`);
		} else if (peer && retained && payload !== "") {
			if (this.held.size < HELD_LIMIT) this.held.add(peer.id);
			this.synchronize();
		}
	}

	/** Home Assistant has started: everything again, at a moment when not everybody does the same. */
	private greet(): void {
		this.birth?.cancel();
		this.birth = this.platform.after(BIRTH_DELAY + this.platform.random() * BIRTH_SPREAD, () => {
			for (const topic of this.sent.keys()) this.sent.set(topic, "to be sent again");
			this.synchronize();
		});
	}

	/** Hands a command on, or says why not. */
	private obey(peerId: string | undefined, verb: string, retained: boolean): string | undefined {
		if (!this.config.commands) return "refused: commands are off";
		if (retained) return "refused: a retained command would be obeyed again at every start";
		if (peerId === undefined) {
			if (verb !== "ensure" && verb !== "flush") return `refused: ${quoted(verb)} is not ensure or flush`;
			this.handlers.onCommand({ verb });
			return undefined;
		}
		if (verb !== "restart") return `refused: ${quoted(verb)} is not restart`;
		const ids = peerIds(this.peers.map(({ name }) => name));
		const name = [...ids].find(([, id]) => id === peerId)?.[0];
		if (name === undefined) return "refused: BIRD has no such peer";
		this.handlers.onCommand({ verb, peer: name });
		return undefined;
	}
}

/** The peers known so far with what is new about them, sorted by name. */
function merged(known: readonly PeerStatus[], news: readonly PeerStatus[]): PeerStatus[] {
	const all = new Map([...known, ...news].map((peer) => [peer.name, peer]));
	return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function quoted(text: string): string {
	return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
