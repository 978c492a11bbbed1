import type { EventType } from "./status.ts";
import type { PeerTopics, Topics } from "./topics.ts";

/**
 * Home Assistant's device-based MQTT discovery (2024.11 and later; `homeassistant/components/mqtt/schemas.py`). Unknown
 * keys at the root, in `device` or in `origin` make it reject a whole message; states over 255 characters are
 * rejected one by one. The payloads depend on names and the version only, so they are the same at every start.
 */

/** One entity; `platform` and `unique_id` are required, the rest depends on the platform. */
export interface Component {
	readonly platform: "sensor" | "binary_sensor" | "event";
	readonly unique_id: string;
	readonly [option: string]: unknown;
}

export interface DeviceDiscovery {
	readonly device: {
		readonly identifiers: readonly string[];
		readonly name: string;
		readonly manufacturer: string;
		readonly model: string;
		readonly sw_version?: string;
		readonly via_device?: string;
	};
	readonly origin: { readonly name: string; readonly sw_version: string };
	readonly availability: readonly { readonly topic: string }[];
	readonly availability_mode: "all";
	readonly qos: 1;
	readonly components: Readonly<Record<string, Component>>;
}

/** All event types, for the event entity. The record makes the compiler notice one that is missing. */
const EVENT_TYPES: Record<EventType, true> = {
	table_lost: true,
	table_changed: true,
	table_restored: true,
	conntrack_flushed: true,
	peer_up: true,
	peer_down: true,
	peer_nudged: true,
	diagnosis_changed: true,
	service_restarted: true,
	bird_lost: true,
	bird_back: true,
};

/** RFC 4271, section 8.2.2, and what BIRD says besides. */
const SESSION_STATES = [
	"Idle",
	"Connect",
	"Active",
	"OpenSent",
	"OpenConfirm",
	"Established",
	"Passive",
	"Down",
	"Close",
];

/** A value of the JSON payload; one that is absent becomes `None`, which Home Assistant shows as unknown. */
const value = (key: string) => `{{ value_json.get('${key}') }}`;
/** A sentence that is absent when there is nothing to say. */
const sentence = (key: string) => `{{ (value_json.get('${key}') or 'none')[:255] }}`;

const diagnostic = { entity_category: "diagnostic" };

/** The router's device. @param version of bgpwarden */
export function routerDiscovery(topics: Topics, version: string): DeviceDiscovery {
	const entities = entityBuilder(topics.device, topics.state);
	return {
		device: {
			identifiers: [topics.device],
			name: `bgpwarden ${topics.id}`,
			manufacturer: "bgpwarden",
			model: "BGP router",
			sw_version: version,
		},
		origin: { name: "bgpwarden", sw_version: version },
		availability: [{ topic: topics.availability }],
		availability_mode: "all",
		qos: 1,
		components: entities({
			protection: {
				platform: "sensor",
				name: "Protection",
				device_class: "enum",
				options: ["owned", "installed", "missing"],
				value_template: value("protection"),
			},
			repairs: {
				platform: "sensor",
				name: "Repairs",
				state_class: "total_increasing",
				value_template: value("repairs"),
				...diagnostic,
			},
			flushed: {
				platform: "sensor",
				name: "Conntrack entries flushed",
				state_class: "total_increasing",
				value_template: value("flushed"),
				...diagnostic,
			},
			last_repair: {
				platform: "sensor",
				name: "Last repair",
				device_class: "timestamp",
				value_template: "{{ (value_json.get('last_repair') or {}).get('at') }}",
				json_attributes_topic: topics.state,
				json_attributes_template: "{{ (value_json.get('last_repair') or {}) | tojson }}",
				...diagnostic,
			},
			problem: {
				platform: "binary_sensor",
				name: "Problem",
				device_class: "problem",
				value_template: "{{ 'ON' if value_json.get('problem') else 'OFF' }}",
				json_attributes_topic: topics.state,
				json_attributes_template: "{{ {'problem': value_json.get('problem')} | tojson }}",
			},
			diagnosis: {
				platform: "sensor",
				name: "Diagnosis",
				value_template: sentence("diagnosis"),
				...diagnostic,
			},
			bird: {
				platform: "binary_sensor",
				name: "BIRD",
				device_class: "connectivity",
				value_template: "{{ 'ON' if value_json.bird.reachable else 'OFF' }}",
				...diagnostic,
			},
			event: {
				platform: "event",
				name: "Event",
				state_topic: topics.event,
				event_types: Object.keys(EVENT_TYPES),
			},
		}),
	};
}

/** A peer's device, below the router's. @param name BIRD's protocol name */
export function peerDiscovery(
	topics: Topics,
	peer: PeerTopics,
	name: string,
	version: string,
): DeviceDiscovery {
	const entities = entityBuilder(peer.device, peer.state);
	const routes = (key: string, label: string) => ({
		platform: "sensor" as const,
		name: label,
		state_class: "measurement",
		unit_of_measurement: "routes",
		value_template: value(key),
		...diagnostic,
	});
	return {
		device: {
			identifiers: [peer.device],
			name: `BGP ${name} on ${topics.id}`,
			manufacturer: "bgpwarden",
			model: "BGP peer",
			via_device: topics.device,
		},
		origin: { name: "bgpwarden", sw_version: version },
		// The daemon's own availability too: its last will cannot speak for every peer.
		availability: [{ topic: topics.availability }, { topic: peer.availability }],
		availability_mode: "all",
		qos: 1,
		components: entities({
			state: {
				platform: "sensor",
				name: "Session",
				device_class: "enum",
				options: SESSION_STATES,
				value_template: value("state"),
				json_attributes_topic: peer.state,
			},
			established: {
				platform: "binary_sensor",
				name: "Established",
				device_class: "connectivity",
				value_template:
					"{{ None if value_json.get('state') is none else 'ON' if value_json.state == 'Established' else 'OFF' }}",
			},
			bfd: {
				platform: "sensor",
				name: "BFD",
				device_class: "enum",
				options: ["up", "down", "init", "admin_down", "none"],
				value_template: value("bfd"),
			},
			imported: routes("imported", "Imported routes"),
			exported: routes("exported", "Exported routes"),
			flaps: {
				platform: "sensor",
				name: "Flaps",
				state_class: "total_increasing",
				value_template: value("flaps"),
				...diagnostic,
			},
			since: {
				platform: "sensor",
				name: "Since",
				device_class: "timestamp",
				value_template: value("since"),
				...diagnostic,
			},
			last_error: {
				platform: "sensor",
				name: "Last error",
				value_template: sentence("last_error"),
				...diagnostic,
			},
			diagnosis: { platform: "sensor", name: "Diagnosis", value_template: sentence("diagnosis") },
		}),
	};
}

type Entity = { readonly platform: Component["platform"]; readonly [option: string]: unknown };

/** Adds what all entities of a device have: unique id, proposed entity id, topic. */
function entityBuilder(device: string, stateTopic: string) {
	return (entities: Record<string, Entity>): Record<string, Component> =>
		Object.fromEntries(
			Object.entries(entities).map(([key, entity]) => {
				const id = `${device}_${key}`;
				const component: Component = {
					state_topic: stateTopic,
					...entity,
					unique_id: id,
					// Entity ids are lower case and know no dash.
					default_entity_id: `${entity.platform}.${id.toLowerCase().replaceAll("-", "_")}`,
				};
				return [key, component];
			}),
		);
}
