import type { MqttConfig } from "../config/types.ts";

/** Topics of one peer. */
export interface PeerTopics {
	/** The peer's name as it appears in topics and entity ids. */
	readonly id: string;
	readonly state: string;
	readonly availability: string;
	readonly command: string;
	/** Home Assistant's object id and identifier of the peer's device. */
	readonly device: string;
	readonly discovery: string;
}

/** Every topic of one router. */
export interface Topics {
	/** The router id as it appears in topics and entity ids. */
	readonly id: string;
	readonly availability: string;
	readonly state: string;
	readonly event: string;
	readonly command: string;
	/** Home Assistant's object id and identifier of the router's device. */
	readonly device: string;
	readonly discovery: string;
	/** Where Home Assistant says `online` when it has started. */
	readonly birth: string;
	/** Filters for what a broker holds of any peer, and for commands to any peer. */
	readonly anyPeerState: string;
	readonly anyPeerAvailability: string;
	readonly anyPeerCommand: string;
	/** @param id from `peerIds` or `parsePeerTopic` */
	peer(id: string): PeerTopics;
	/** The peer id and the last level of a topic of this router's peers; undefined for any other topic. */
	parsePeerTopic(topic: string): { readonly id: string; readonly leaf: string } | undefined;
}

/** Replaces what may not stand in a topic level or an entity id: all but `[A-Za-z0-9_-]`. Never empty. */
export function reduceId(name: string): string {
	return name.replace(/[^A-Za-z0-9_-]/g, "_") || "_";
}

/**
 * Ids for peers, by name. Two names that reduce to the same id: one that is its own reduction keeps it, each other
 * gets a suffix made from its full name, so that the outcome does not depend on the order.
 */
export function peerIds(names: Iterable<string>): Map<string, string> {
	const all = [...new Set(names)].sort();
	const uses = new Map<string, number>();
	for (const name of all) uses.set(reduceId(name), (uses.get(reduceId(name)) ?? 0) + 1);
	const taken = new Set(all.filter((name) => reduceId(name) === name));
	const ids = new Map<string, string>();
	for (const name of all) {
		let id = reduceId(name);
		if (id !== name && (uses.get(id) ?? 0) > 1) id = `${id}_${hash(name)}`;
		while (id !== name && taken.has(id)) id += "_";
		taken.add(id);
		ids.set(name, id);
	}
	return ids;
}

/** @param routerId the configured name or the hostname, as it is */
export function topicsFor(config: MqttConfig, routerId: string): Topics {
	const id = reduceId(routerId);
	const base = `${config.baseTopic.replace(/\/+$/, "")}/${id}`;
	const prefix = config.discoveryPrefix.replace(/\/+$/, "");
	const device = `bgpwarden_${id}`;
	const discovery = (objectId: string) => `${prefix}/device/${objectId}/config`;
	return {
		id,
		availability: `${base}/availability`,
		state: `${base}/state`,
		event: `${base}/event`,
		command: `${base}/command`,
		device,
		discovery: discovery(device),
		birth: `${prefix}/status`,
		anyPeerState: `${base}/peer/+/state`,
		anyPeerAvailability: `${base}/peer/+/availability`,
		anyPeerCommand: `${base}/peer/+/command`,
		peer: (peerId) => ({
			id: peerId,
			state: `${base}/peer/${peerId}/state`,
			availability: `${base}/peer/${peerId}/availability`,
			command: `${base}/peer/${peerId}/command`,
			device: `${device}_${peerId}`,
			discovery: discovery(`${device}_${peerId}`),
		}),
		parsePeerTopic(topic) {
			if (!topic.startsWith(`${base}/peer/`)) return undefined;
			const [peerId, leaf, more] = topic.slice(base.length + "/peer/".length).split("/");
			return peerId && leaf && more === undefined ? { id: peerId, leaf } : undefined;
		},
	};
}

/** 32-bit FNV-1a over UTF-16 code units, as 8 hex digits. */
function hash(text: string): string {
	let value = 0x811c9dc5;
	for (let index = 0; index < text.length; index++) {
		value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
	}
	return (value >>> 0).toString(16).padStart(8, "0");
}
