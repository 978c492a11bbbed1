import { Memo } from "../lib/memo.ts";
import { oneLine, toJson } from "../lib/printable.ts";
import type { MqttConfig } from "../model/config.ts";
import type { PeerStatus, RouterStatus, Status } from "../model/status.ts";
import { peerDiscovery } from "./discovery/peer-device.ts";
import { routerDiscovery } from "./discovery/router-device.ts";
import { type PeerTopics, peerId, type Topics } from "./topics.ts";

/** Makes the retained messages of a router out of its status. */
export class Payloads {
	/** Topics by peer's name. */
	private readonly own = new Map<string, PeerTopics>();
	/** Of a thousand peers few have another status than before. */
	private readonly states = new Memo<Content>();
	private readonly discoveries = new Memo<Content>();
	/** While messages wait for room, nothing changes. */
	private readonly all = new Memo<ReadonlyMap<string, Content>>();

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
	retained({ router, peers }: Status): ReadonlyMap<string, Content> {
		return this.all.get("", router, peers, () => this.make(router, peers));
	}

	private make(router: RouterStatus, peers: readonly PeerStatus[]): ReadonlyMap<string, Content> {
		const { topics, config } = this;
		const known = peers.map((peer) => ({ peer, own: this.topicsOf(peer.name) }));
		if (this.own.size > 2 * peers.length + 16) this.own.clear();
		this.states.limit(peers.length);
		this.discoveries.limit(peers.length);
		const messages = new Map<string, Content>();
		if (config.discovery) {
			messages.set(topics.discovery, this.routerDiscovery(router.version));
			for (const { peer, own } of known)
				messages.set(own.discovery, this.peerDiscovery(own, peer, router.version));
		}
		messages.set(topics.availability, ONLINE);
		for (const { own } of known) messages.set(own.availability, router.bird.reachable ? ONLINE : OFFLINE);
		messages.set(topics.state, literal(bounded(routerPayload(router, this.instance))));
		for (const { peer, own } of known) messages.set(own.state, this.state(peer));
		return messages;
	}

	private topicsOf(name: string): PeerTopics {
		const own = this.own.get(name) ?? this.topics.peer(peerId(name));
		this.own.set(name, own);
		return own;
	}

	private state(peer: PeerStatus): Content {
		return this.states.get(peer.name, peer, undefined, () => literal(bounded(peerPayload(peer))));
	}

	/** Discovery depends on names and this only, and is the largest part by far: it is made when it is sent. */
	private discovery(kind: "router" | "peer" | "range", version: string, make: () => unknown): Content {
		return { key: `${kind} ${version}`, text: () => toJson(make()) };
	}

	private routerDiscovery(version: string): Content {
		const { topics, config } = this;
		return this.discovery("router", version, () =>
			routerDiscovery(topics, { version, commands: config.commands }),
		);
	}

	private peerDiscovery(own: PeerTopics, { name, neighbor_range }: PeerStatus, version: string): Content {
		const { topics, config } = this;
		// One name may become a range, or cease to be one.
		const isRange = neighbor_range !== undefined;
		return this.discoveries.get(name, own, isRange, () =>
			this.discovery(isRange ? "range" : "peer", version, () =>
				peerDiscovery(topics, own, { name, isRange }, { version, commands: config.commands }),
			),
		);
	}
}

/** What is published on a topic. */
export interface Content {
	/** Of two contents of one topic: equal if they say the same. */
	readonly key: string;
	text(): string;
}

/** @param text that is as good as any key */
export function literal(text: string): Content {
	return { key: text, text: () => text };
}

const ONLINE = literal("online");
const OFFLINE = literal("offline");

/** Characters of a text in a message, and entries of a list: whatever a program or a peer says, a message stays small. */
const TEXT_LIMIT = 1000;
const LIST_LIMIT = 20;

/** A value as JSON, for a message. */
export function bounded(message: object): string {
	return JSON.stringify(message, (_, value) => {
		if (typeof value === "string") {
			const text = oneLine(value);
			return text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT)}…` : text;
		}
		return Array.isArray(value) ? value.slice(0, LIST_LIMIT) : value;
	});
}

/** The router's state as published; what is absent in the status is absent here. */
function routerPayload(router: RouterStatus, instance: string) {
	const { version, started, protection, repairs, last_repair, flushed, bird, problem } = router;
	const { level, diagnosis, explanation, unknown_dialers } = router;
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
		unknown_dialers,
	};
}

function peerPayload(peer: PeerStatus) {
	const { name, level, neighbor_address, neighbor_range, connected, range } = peer;
	const { node, speaker, neighbor_as, local_as, state, since, bfd } = peer;
	const { imported, exported, preferred, flaps, last_error } = peer;
	const { diagnosis, explanation, evidence, remedy, tried, note } = peer;
	return {
		...{ name, level, neighbor_address, neighbor_range, connected, range },
		...{ node, speaker, neighbor_as, local_as, state, since, bfd },
		...{ imported, exported, preferred, flaps, last_error },
		...{ diagnosis, explanation, evidence, remedy, tried, note },
	};
}
