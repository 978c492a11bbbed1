import { EVENT_TYPES } from "../../model/event.ts";
import type { Topics } from "../topics.ts";
import {
	attributes,
	button,
	components,
	type DeviceDiscovery,
	type DiscoveryOptions,
	diagnostic,
	onOff,
	removed,
	value,
} from "./entity.ts";

/** Who made the last repair necessary: the service if one is known, else the program. */
const LAST_REPAIR_BY =
	"{% set repair = value_json.get('last_repair') %}{{ None if repair is none else " +
	"(repair.get('service') or repair.get('described') or repair.get('by') or 'not known')[:255] }}";

/** The router's device. */
export function routerDiscovery(topics: Topics, { version, commands }: DiscoveryOptions): DeviceDiscovery {
	const { device, state, separator } = topics;
	return {
		device: {
			identifiers: [device],
			name: `bgpwarden ${topics.id}`,
			manufacturer: "bgpwarden",
			model: "BGP router",
			sw_version: version,
		},
		origin: { name: "bgpwarden", sw_version: version },
		availability: [{ topic: topics.availability }],
		availability_mode: "all",
		qos: 1,
		components: {
			...components(device + separator, state, {
				protection: {
					platform: "binary_sensor",
					name: "Protection",
					device_class: "safety",
					value_template: onOff("protection", "value == 'missing'"),
				},
				protection_mode: {
					platform: "sensor",
					name: "Protection mode",
					icon: "mdi:shield-lock-outline",
					device_class: "enum",
					options: ["owned", "installed", "missing"],
					value_template: value("protection"),
				},
				problem: {
					platform: "binary_sensor",
					name: "Problem",
					device_class: "problem",
					value_template: "{{ 'OFF' if value_json.get('level', 'red') == 'green' else 'ON' }}",
					...attributes(state, "problem", "diagnosis", "explanation"),
				},
				repairs: {
					platform: "sensor",
					name: "Repairs",
					icon: "mdi:wrench-outline",
					state_class: "total_increasing",
					value_template: value("repairs"),
					...diagnostic,
				},
				flushed: {
					platform: "sensor",
					name: "Conntrack entries flushed",
					icon: "mdi:broom",
					state_class: "total_increasing",
					value_template: value("flushed"),
					...diagnostic,
				},
				last_repair: {
					platform: "sensor",
					name: "Last repair",
					device_class: "timestamp",
					value_template: "{{ (value_json.get('last_repair') or {}).get('at') }}",
					json_attributes_topic: state,
					json_attributes_template: "{{ (value_json.get('last_repair') or {}) | tojson }}",
					...diagnostic,
				},
				last_repair_by: {
					platform: "sensor",
					name: "Last repair because of",
					icon: "mdi:account-wrench-outline",
					value_template: LAST_REPAIR_BY,
					...diagnostic,
				},
				bird: {
					platform: "binary_sensor",
					name: "BIRD",
					device_class: "connectivity",
					value_template: onOff("bird", "value.get('reachable')"),
					...diagnostic,
				},
				bird_version: {
					platform: "sensor",
					name: "BIRD version",
					icon: "mdi:bird",
					value_template: "{{ (value_json.get('bird') or {}).get('version') }}",
					...diagnostic,
				},
				started: {
					platform: "sensor",
					name: "Started",
					device_class: "timestamp",
					value_template: value("started"),
					...diagnostic,
				},
				version: {
					platform: "sensor",
					name: "Version",
					icon: "mdi:tag-outline",
					value_template: value("version"),
					...diagnostic,
				},
				event: {
					platform: "event",
					name: "Event",
					icon: "mdi:bell-outline",
					state_topic: topics.event,
					event_types: EVENT_TYPES,
				},
			}),
			...(commands
				? components(device + separator, state, {
						ensure: button("Ensure", topics.command, "ensure", { icon: "mdi:shield-refresh-outline" }),
						flush: button("Flush", topics.command, "flush", { icon: "mdi:broom" }),
					})
				: removed("button", "ensure", "flush")),
		},
	};
}
