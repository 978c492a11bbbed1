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
	/** Home Assistant's identifier of the peer's device. */
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
	/** Home Assistant's identifier of the router's device. */
	readonly device: string;
	readonly discovery: string;
	/** What stands between a device's identifier and what comes behind it. */
	readonly separator: string;
	/** The MQTT client's id. */
	readonly clientId: string;
	/** Where Home Assistant says `online` when it has started. */
	readonly birth: string;
	/** Filters for what a broker holds of any peer, and for commands to any peer. */
	readonly anyPeerState: string;
	readonly anyPeerAvailability: string;
	readonly anyPeerCommand: string;
	/** Filters for the discovery of every device, others' included. */
	readonly anyDiscovery: readonly string[];
	/** A topic of discovery on which nobody publishes but `PROBE`. */
	readonly probe: string;
	/** The ids that this router had in version 0.1.0, where they are others now. */
	readonly former?: Pick<Topics, "device" | "discovery" | "peer">;
	/** @param id from `peerId` or `parsePeerTopic` */
	peer(id: string): PeerTopics;
	/** Whether this is the discovery topic of any device. */
	isDiscovery(topic: string): boolean;
	/** The peer id and the last level of a topic of this router's peers; undefined for any other topic. */
	parsePeerTopic(topic: string): { readonly id: string; readonly leaf: string } | undefined;
}

/**
 * A device without entities, not retained: Home Assistant makes nothing of it. (Of an empty message it complains in its log, as it
 * knows no such device.)
 */
export const PROBE =
	'{"device":{"identifiers":["bgpwarden-probe"]},"origin":{"name":"bgpwarden"},"components":{}}';

/** Characters of an id: with what stands around it, entity ids stay below Home Assistant's 255. */
const ID_LIMIT = 64;

/**
 * The id of a peer, which depends on its name alone: whoever comes and goes besides, a peer stays the same device. A name
 * that is its own reduction is its id; any other is told apart by a suffix made from the full name, and so is one that looks as
 * if it had such a suffix.
 */
export function peerId(name: string): string {
	const id = reduceId(name);
	if (id === name && id.length <= ID_LIMIT && !/_[0-9a-f]{8}$/.test(id)) return id;
	return `${id.slice(0, ID_LIMIT - 9)}_${hash(name)}`;
}

/** Discovery's part of the topics. */
interface Ids {
	readonly device: string;
	readonly separator: string;
	/** @param peer a peer's id; undefined: the router's own */
	discovery(peer?: string): string;
}

/**
 * Ids of Home Assistant's devices. `bgpwarden_a_b` would be the router `a_b`, and the peer `b` of the router `a`: so a router
 * with an underscore in its id has ids of another form, which no other router's can be.
 */
function idsOf(id: string, prefix: string, form: "plain" | "nested"): Ids {
	if (form === "plain") {
		const device = `bgpwarden_${id}`;
		return {
			device,
			separator: "_",
			discovery: (peer) => `${prefix}/device/${peer === undefined ? device : `${device}_${peer}`}/config`,
		};
	}
	return {
		device: `bgpwarden/${id}`,
		separator: "/",
		discovery: (peer) =>
			`${prefix}/device/bgpwarden-${id}/${peer === undefined ? "router" : `peer-${peer}`}/config`,
	};
}

/** @param routerId the configured name or the hostname, as it is */
export function topicsFor(config: MqttConfig, routerId: string): Topics {
	const id = reduceId(routerId).slice(0, ID_LIMIT);
	const base = `${config.baseTopic.replace(/\/+$/, "")}/${id}`;
	const prefix = config.discoveryPrefix.replace(/\/+$/, "");
	const isNested = id.includes("_");
	const ids = idsOf(id, prefix, isNested ? "nested" : "plain");
	const peerTopics =
		({ device, separator, discovery }: Ids) =>
		(peer: string): PeerTopics => ({
			id: peer,
			state: `${base}/peer/${peer}/state`,
			availability: `${base}/peer/${peer}/availability`,
			command: `${base}/peer/${peer}/command`,
			device: `${device}${separator}${peer}`,
			discovery: discovery(peer),
		});
	const former = isNested ? idsOf(id, prefix, "plain") : undefined;
	const anyDevice = `${prefix}/device/+/config`;
	return {
		id,
		availability: `${base}/availability`,
		state: `${base}/state`,
		event: `${base}/event`,
		command: `${base}/command`,
		device: ids.device,
		separator: ids.separator,
		clientId: `bgpwarden-${id}`,
		discovery: ids.discovery(),
		birth: `${prefix}/status`,
		anyDiscovery: isNested ? [`${prefix}/device/bgpwarden-${id}/+/config`, anyDevice] : [anyDevice],
		probe: isNested
			? `${prefix}/device/bgpwarden-${id}/probe/config`
			: `${prefix}/device/${ids.device}_probe/config`,
		...(former
			? { former: { device: former.device, discovery: former.discovery(), peer: peerTopics(former) } }
			: {}),
		anyPeerState: `${base}/peer/+/state`,
		anyPeerAvailability: `${base}/peer/+/availability`,
		anyPeerCommand: `${base}/peer/+/command`,
		peer: peerTopics(ids),
		isDiscovery: (topic) => topic.startsWith(`${prefix}/device/`) && topic.endsWith("/config"),
		parsePeerTopic(topic) {
			if (!topic.startsWith(`${base}/peer/`)) return undefined;
			const [peerId, leaf, more] = topic.slice(base.length + "/peer/".length).split("/");
			return peerId && leaf && more === undefined ? { id: peerId, leaf } : undefined;
		},
	};
}
