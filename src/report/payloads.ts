import type { MqttConfig } from "../model/config.ts";
import type { PeerStatus, RouterStatus, Status } from "../model/status.ts";
import { peerDiscovery } from "./discovery/peer-device.ts";
import { routerDiscovery } from "./discovery/router-device.ts";
import { type PeerTopics, peerId, type Topics } from "./topics.ts";

/** Makes the retained messages of a router out of its status. */
export class Payloads {
	/** Discovery by topic: it depends on names only, and is the largest part by far. */
	private readonly discovery = new Map<string, { readonly kind: string; readonly payload: string }>();

	/** @param instance in the router's state: tells this daemon's from another's under the same id */
	constructor(
		private readonly config: MqttConfig,
		private readonly topics: Topics,
		private readonly instance: string,
	) {}

	/**
	 * Every retained message, topic to payload, in the order in which they are to be published after a connection:
	 * discovery, availability, states. Home Assistant may miss a state whose entity it does not know yet.
	 */
	retained({ router, peers }: Status): Map<string, string> {
		const { topics, config } = this;
		const known = peers.map((peer) => ({ peer, own: topics.peer(peerId(peer.name)) }));
		const messages = new Map<string, string>();
		if (config.discovery) {
			messages.set(topics.discovery, this.routerDiscovery(router.version));
			for (const { peer, own } of known)
				messages.set(own.discovery, this.peerDiscovery(own, peer, router.version));
		}
		for (const topic of [...this.discovery.keys()]) if (!messages.has(topic)) this.discovery.delete(topic);
		messages.set(topics.availability, "online");
		for (const { own } of known) messages.set(own.availability, router.bird.reachable ? "online" : "offline");
		messages.set(topics.state, bounded(routerPayload(router, this.instance)));
		for (const { peer, own } of known) messages.set(own.state, bounded(peerPayload(peer)));
		return messages;
	}

	private routerDiscovery(version: string): string {
		const { topics, config } = this;
		return this.cached(topics.discovery, "router", () =>
			routerDiscovery(topics, { version, commands: config.commands }),
		);
	}

	private peerDiscovery(own: PeerTopics, peer: PeerStatus, version: string): string {
		const { topics, config } = this;
		const isRange = peer.neighbor_range !== undefined;
		// One name may become a range, or cease to be one.
		return this.cached(own.discovery, isRange ? "range" : "peer", () =>
			peerDiscovery(topics, own, { name: peer.name, isRange }, { version, commands: config.commands }),
		);
	}

	private cached(topic: string, kind: string, make: () => unknown): string {
		const known = this.discovery.get(topic);
		const payload = known?.kind === kind ? known.payload : JSON.stringify(make());
		this.discovery.set(topic, { kind, payload });
		return payload;
	}
}

/** Characters of a text in a message, and entries of a list: whatever a program or a peer says, a message stays small. */
const TEXT_LIMIT = 1000;
const LIST_LIMIT = 20;

/** A value as JSON, for a message. */
export function bounded(message: object): string {
	return JSON.stringify(message, (_, value) => {
		if (typeof value === "string")
			return value.length > TEXT_LIMIT ? `${value.slice(0, TEXT_LIMIT)}…` : value;
		return Array.isArray(value) ? value.slice(0, LIST_LIMIT) : value;
	});
}

/** The router's state as published; what is absent in the status is absent here. */
function routerPayload(router: RouterStatus, instance: string) {
	const { version, started, protection, repairs, last_repair, flushed, bird, problem } = router;
	const { level, diagnosis, explanation } = router;
	return {
		version,
		started,
		instance,
		protection,
		repairs,
		last_repair,
		flushed,
		bird,
		problem,
		level,
		diagnosis,
		explanation,
	};
}

function peerPayload(peer: PeerStatus) {
	const { name, level, neighbor_address, neighbor_range, connected, range } = peer;
	const { neighbor_as, local_as, state, since, bfd } = peer;
	const { imported, exported, preferred, flaps, last_error } = peer;
	const { diagnosis, explanation, evidence, remedy, tried, note } = peer;
	return {
		...{ name, level, neighbor_address, neighbor_range, connected, range },
		...{ neighbor_as, local_as, state, since, bfd },
		...{ imported, exported, preferred, flaps, last_error },
		...{ diagnosis, explanation, evidence, remedy, tried, note },
	};
}

/** The peers known so far with what is new about them, sorted by name. */
export function merged(known: readonly PeerStatus[], news: readonly PeerStatus[]): PeerStatus[] {
	const all = new Map([...known, ...news].map((peer) => [peer.name, peer]));
	return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
