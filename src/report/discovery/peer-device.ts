import { printable } from "../../lib/printable.ts";
import { DIAGNOSES } from "../../model/catalog.ts";
import type { PeerTopics, Topics } from "../topics.ts";
import {
	attributes,
	button,
	components,
	type DeviceDiscovery,
	type DiscoveryOptions,
	diagnostic,
	type Entity,
	onOff,
	removed,
	text,
	value,
} from "./entity.ts";

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

/** Nodes of a range. */
const CONNECTED: Entity = {
	platform: "sensor",
	name: "Connected nodes",
	icon: "mdi:lan-connect",
	state_class: "measurement",
	unit_of_measurement: "nodes",
	value_template: value("connected"),
};

/** No remedy is one thing where the diagnosis is known, and another where there is none yet. */
const REMEDY =
	"{{ (value_json.get('remedy') or ('none' if value_json.get('diagnosis') else 'None'))[:255] }}";

/**
 * A peer's device, below the router's.
 * @param about.name BIRD's protocol name, which is what makes the peer the same one when it comes back
 * @param about.isRange it stands for all nodes of a range
 */
export function peerDiscovery(
	topics: Topics,
	peer: PeerTopics,
	{ name, isRange }: { readonly name: string; readonly isRange: boolean },
	{ version, commands }: DiscoveryOptions,
): DeviceDiscovery {
	const { device, state } = peer;
	const routes = (key: string, label: string, icon: string): Entity => ({
		platform: "sensor",
		name: label,
		icon,
		state_class: "measurement",
		unit_of_measurement: "routes",
		value_template: value(key),
	});
	return {
		device: {
			identifiers: [device],
			name: `BGP ${printable(name, 64)} on ${topics.id}`,
			manufacturer: "bgpwarden",
			model: "BGP peer",
			via_device: topics.device,
		},
		origin: { name: "bgpwarden", sw_version: version },
		// The daemon's own availability too: its last will cannot speak for every peer.
		availability: [{ topic: topics.availability }, { topic: peer.availability }],
		availability_mode: "all",
		qos: 1,
		components: {
			...components(device + topics.separator, state, {
				session: {
					platform: "binary_sensor",
					name: null,
					device_class: "connectivity",
					value_template: onOff("state", "value == 'Established'"),
					// Not `name`, which Home Assistant 2024 keeps for itself.
					...attributes(
						state,
						["peer", "name"],
						isRange ? "neighbor_range" : "neighbor_address",
						"neighbor_as",
						"local_as",
						...(isRange ? [] : ["node", "speaker"]),
					),
				},
				state: {
					platform: "sensor",
					name: "State",
					icon: "mdi:state-machine",
					device_class: "enum",
					options: SESSION_STATES,
					value_template: value("state"),
				},
				since: {
					platform: "sensor",
					name: "Since",
					device_class: "timestamp",
					value_template: value("since"),
				},
				bfd: {
					platform: "binary_sensor",
					name: "BFD",
					device_class: "connectivity",
					value_template:
						"{% set value = value_json.get('bfd', 'none') %}{{ None if value == 'none' else 'ON' if value == 'up' else 'OFF' }}",
					...attributes(state, "bfd"),
				},
				...(isRange ? { connected: CONNECTED } : {}),
				imported: routes("imported", "Imported routes", "mdi:download-network-outline"),
				exported: routes("exported", "Exported routes", "mdi:upload-network-outline"),
				preferred: routes("preferred", "Preferred routes", "mdi:check-network-outline"),
				flaps: {
					platform: "sensor",
					name: "Flaps",
					icon: "mdi:swap-vertical",
					state_class: "total_increasing",
					value_template: value("flaps"),
					...diagnostic,
				},
				last_error: {
					platform: "sensor",
					name: "Last error",
					icon: "mdi:alert-circle-outline",
					value_template: text("last_error"),
					...diagnostic,
				},
				diagnosis: {
					platform: "sensor",
					name: "Diagnosis",
					icon: "mdi:stethoscope",
					device_class: "enum",
					options: DIAGNOSES,
					value_template: value("diagnosis"),
					...attributes(state, "explanation", "evidence", "tried", "note"),
					...diagnostic,
				},
				remedy: {
					platform: "sensor",
					name: "Remedy",
					icon: "mdi:medical-bag",
					value_template: REMEDY,
					...attributes(state, "remedy"),
					...diagnostic,
				},
			}),
			...(commands
				? components(device + topics.separator, state, {
						restart: button("Restart", peer.command, "restart", { device_class: "restart" }),
					})
				: removed("button", "restart")),
		},
	};
}
