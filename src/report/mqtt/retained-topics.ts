import { printable } from "../../lib/printable.ts";
import type { Platform, Timer } from "../../platform/types.ts";
import type { Topics } from "../topics.ts";
import type { MqttLink } from "./link.ts";

/** When no retained message has come for this many milliseconds, the broker has sent everything that it holds. */
const QUIET = 1000;
/** Milliseconds after which it is enough in any case. */
const LIMIT = 5000;
/** Topics remembered, at most, whatever the broker sends. */
const HELD_LIMIT = 512;

/** Another daemon that publishes under this router's name. */
export interface Foreign {
	/** When that daemon started, as it says. */
	readonly started: string;
}

export interface RetainedTopicsHandlers {
	/** The broker holds something from an earlier run; more may follow. */
	onHeld(): void;
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
	private limit: Timer | undefined;
	private quiet: Timer | undefined;
	private finish: () => void = () => {};
	private discovered = false;

	constructor(
		private readonly platform: Platform,
		private readonly topics: Topics,
		private readonly handlers: RetainedTopicsHandlers,
	) {}

	start(link: MqttLink): void {
		this.stop();
		this.held.clear();
		const { topics } = this;
		const filters = [topics.state, topics.anyPeerState, topics.anyPeerAvailability];
		// Not again after a failure: perhaps it was the discovery of others that broke the connection.
		if (!this.discovered) filters.push(topics.anyDiscovery);
		this.discovered = true;
		this.finish = () => {
			this.stop();
			link.unsubscribe(filters);
		};
		this.limit = this.platform.after(LIMIT, this.finish);
		link.subscribe(filters, () => this.stillQuiet());
	}

	stop(): void {
		this.limit?.cancel();
		this.quiet?.cancel();
		this.limit = undefined;
		this.quiet = undefined;
	}

	/** Handles a message on any topic. @param own `instance` of the state that the broker has from this daemon, if it has one */
	receive(topic: string, payload: string, retained: boolean, own: string | undefined): void {
		if (!retained || payload === "") return;
		const { topics } = this;
		if (this.quiet) this.stillQuiet();
		if (topic === topics.state) {
			const state = parsed(payload);
			const started = member(state, "started");
			if (typeof started === "string" && own !== undefined && member(state, "instance") !== own)
				this.handlers.onForeign({ started: printable(started, 40) });
			return;
		}
		const peer = topics.parsePeerTopic(topic);
		if (peer && (peer.leaf === "state" || peer.leaf === "availability")) this.hold(topic, peer.id);
		else if (topics.isDiscovery(topic) && isOurs(topics, topic, payload)) this.hold(topic);
	}

	private stillQuiet(): void {
		if (!this.limit) return;
		this.quiet?.cancel();
		this.quiet = this.platform.after(QUIET, this.finish);
	}

	private hold(topic: string, peer?: string): void {
		if (this.held.size >= HELD_LIMIT) return;
		// Whoever left one of a peer's topics may have left the others too.
		if (peer !== undefined) {
			const { discovery, state, availability } = this.topics.peer(peer);
			this.held.add(discovery);
			this.held.add(state);
			this.held.add(availability);
		} else this.held.add(topic);
		this.handlers.onHeld();
	}
}

/**
 * Whether a discovery message is this router's. The topic alone does not tell: `bgpwarden_a_b` may be the router `a_b` or the
 * peer `b` of the router `a`.
 */
function isOurs(topics: Topics, topic: string, payload: string): boolean {
	if (!topic.includes(topics.device)) return false;
	const message = parsed(payload);
	const device = member(message, "device");
	const identifiers = member(device, "identifiers");
	const availability = member(message, "availability");
	if (!Array.isArray(identifiers) || !Array.isArray(availability)) return false;
	const isMine = identifiers[0] === topics.device || member(device, "via_device") === topics.device;
	return isMine && availability.some((entry) => member(entry, "topic") === topics.availability);
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
