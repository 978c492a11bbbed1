import type { Platform, Timer } from "../../platform/types.ts";
import { PROBE, peerId, type Topics } from "../topics.ts";
import type { MqttLink } from "./link.ts";

/** When no retained message has come for this many milliseconds, the broker has sent everything that it holds. */
const QUIET = 1000;
/** Milliseconds after which it is enough in any case. */
const LIMIT = 5000;
/** Connections on which the discovery of others is listened to, at most: perhaps that is what breaks them. */
const TRIES = 3;
/** Topics remembered, at most, whatever the broker sends. */
const HELD_LIMIT = 512;
/** As every daemon writes it: what a stranger writes in its place is told to nobody. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$/;

/** Another daemon that publishes under this router's name. */
export interface Foreign {
	/** When that daemon started, as it says. */
	readonly started: string;
}

export interface RetainedTopicsHandlers {
	/** The broker holds something from an earlier run; more may follow. */
	onHeld(): void;
	/** It has shown everything that it holds. */
	onSearched(): void;
	/** Whether a peer has this id, so that its topics are wanted. */
	isKnown(peerId: string): boolean;
	/** The broker holds a state of this router which this daemon has not published. */
	onForeign(foreign: Foreign): void;
}

/**
 * Finds out after each connection what the broker holds of this router: states and availabilities of its peers each time;
 * discovery once, because that means receiving the discovery of every device of every program.
 */
export class RetainedTopics {
	/** Topics on which the broker holds something; those that are not wanted have to be removed. */
	readonly held = new Set<string>();
	/** The same of topics under this router's ids of version 0.1.0, until the broker has acknowledged that they are empty. */
	readonly former = new Set<string>();
	/** The broker gives back what is published beside the topics of today's discovery. */
	writable = false;
	private limit: Timer | undefined;
	private quiet: Timer | undefined;
	private finish: () => void = () => {};
	private probe: () => void = () => {};
	private tries = 0;

	constructor(
		private readonly platform: Platform,
		private readonly topics: Topics,
		private readonly handlers: RetainedTopicsHandlers,
	) {}

	start(link: MqttLink): void {
		this.stop();
		this.held.clear();
		this.writable = false;
		const { topics } = this;
		const filters = [topics.state, topics.anyPeerState, topics.anyPeerAvailability];
		if (this.tries++ < TRIES) filters.push(...topics.anyDiscovery);
		if (topics.former) filters.push(topics.probe);
		this.finish = () => {
			this.stop();
			this.tries = TRIES;
			link.unsubscribe(filters);
			this.handlers.onSearched();
		};
		this.limit = this.platform.after(LIMIT, this.finish);
		this.probe = () => void link.publish(topics.probe, PROBE, { retain: false });
		link.subscribe(filters, () => {
			if (this.former.size > 0) this.probe();
			this.stillQuiet();
		});
	}

	/** The broker may still show something that it holds. */
	get searching(): boolean {
		return this.limit !== undefined;
	}

	stop(): void {
		this.limit?.cancel();
		this.quiet?.cancel();
		this.limit = undefined;
		this.quiet = undefined;
	}

	/** Handles a message on any topic. @param own `instance` of the state that the broker has from this daemon, if it has one */
	receive(topic: string, payload: string, retained: boolean, own: string | undefined): void {
		const { topics } = this;
		if (topic === topics.probe) this.writable = true;
		if (!retained || payload === "") return;
		if (this.quiet) this.stillQuiet();
		if (topic === topics.state) {
			const state = parsed(payload);
			const started = member(state, "started");
			if (isTime(started) && own !== undefined && member(state, "instance") !== own)
				this.handlers.onForeign({ started });
			return;
		}
		const peer = topics.parsePeerTopic(topic);
		if (peer) {
			if (!this.handlers.isKnown(peer.id) && isPeers(peer, payload)) this.hold(this.held, topic);
		} else if (topics.isDiscovery(topic)) {
			const whose = ownerOf(topics, topic, payload);
			if (whose === "former") {
				if (this.former.size === 0) this.probe();
				this.hold(this.former, topic);
			} else if (whose === "own") this.hold(this.held, topic);
		}
	}

	private stillQuiet(): void {
		if (!this.limit) return;
		this.quiet?.cancel();
		this.quiet = this.platform.after(QUIET, this.finish);
	}

	private hold(topics: Set<string>, topic: string): void {
		if (topics.size >= HELD_LIMIT) return;
		topics.add(topic);
		this.handlers.onHeld();
	}
}

/** Whether a message is what bgpwarden publishes of a peer: another one's is not taken back, wherever it is. */
function isPeers({ id, leaf }: { readonly id: string; readonly leaf: string }, payload: string): boolean {
	if (leaf === "availability") return payload === "online" || payload === "offline";
	const name = leaf === "state" ? member(parsed(payload), "name") : undefined;
	return typeof name === "string" && peerId(name) === id;
}

/**
 * Whether a discovery message is this router's, by its present ids or by former ones: it is on the topic of the device that it
 * is about, and that device is available when this router is. The topic alone does not tell: `bgpwarden_a_b` may be the peer
 * `b` of the router `a`.
 */
function ownerOf(topics: Topics, topic: string, payload: string): "own" | "former" | undefined {
	// Of hundreds of devices, whose messages have 7 kB each, a few are worth a look.
	if (!topic.includes(`bgpwarden_${topics.id}`) && !topic.includes(`bgpwarden-${topics.id}/`))
		return undefined;
	const message = parsed(payload);
	const device = member(message, "device");
	const identifiers = member(device, "identifiers");
	const availability = member(message, "availability");
	if (!Array.isArray(identifiers) || !Array.isArray(availability)) return undefined;
	if (!availability.some((entry) => member(entry, "topic") === topics.availability)) return undefined;
	const [identifier] = identifiers;
	if (typeof identifier !== "string") return undefined;
	if (isDeviceOf(topics, topic, identifier)) return "own";
	return topics.former && isDeviceOf(topics.former, topic, identifier) ? "former" : undefined;
}

function isDeviceOf(
	{ device, discovery, peer }: Pick<Topics, "device" | "discovery" | "peer">,
	topic: string,
	identifier: string,
): boolean {
	if (identifier === device) return topic === discovery;
	const id = identifier.slice(device.length + 1);
	return identifier === peer(id).device && topic === peer(id).discovery;
}

function isTime(value: unknown): value is string {
	return typeof value === "string" && TIME.test(value) && !Number.isNaN(Date.parse(value));
}

function parsed(payload: string): unknown {
	try {
		return JSON.parse(payload);
	} catch {
		return undefined;
	}
}

function member(value: unknown, name: string): unknown {
	return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
