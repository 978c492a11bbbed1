import { hash } from "../lib/hash.ts";
import { reduceId } from "../lib/id.ts";
import type { MqttConfig } from "../model/config.ts";

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
	/** Filter for the discovery of every device, others' included. */
	readonly anyDiscovery: string;
	/** @param id from `peerId` or `parsePeerTopic` */
	peer(id: string): PeerTopics;
	/** Whether this is the discovery topic of any device. */
	isDiscovery(topic: string): boolean;
	/** The peer id and the last level of a topic of this router's peers; undefined for any other topic. */
	parsePeerTopic(topic: string): { readonly id: string; readonly leaf: string } | undefined;
}

/** Characters of an id: with what stands around it, entity ids stay below Home Assistant's 255. */
const ID_LIMIT = 64;

/**
 * The id of a peer, which depends on its name alone: whoever comes and goes besides, a peer stays the same device. A name
 * that is its own reduction is its id; any other is told apart by a suffix made from the full name.
 */
export function peerId(name: string): string {
	const id = reduceId(name);
	if (id === name && id.length <= ID_LIMIT) return id;
	return `${id.slice(0, ID_LIMIT - 9)}_${hash(name)}`;
}

/** @param routerId the configured name or the hostname, as it is */
export function topicsFor(config: MqttConfig, routerId: string): Topics {
	const id = reduceId(routerId).slice(0, ID_LIMIT);
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
		anyDiscovery: discovery("+"),
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
		isDiscovery: (topic) => topic.startsWith(`${prefix}/device/`) && topic.endsWith("/config"),
		parsePeerTopic(topic) {
			if (!topic.startsWith(`${base}/peer/`)) return undefined;
			const [peerId, leaf, more] = topic.slice(base.length + "/peer/".length).split("/");
			return peerId && leaf && more === undefined ? { id: peerId, leaf } : undefined;
		},
	};
}
