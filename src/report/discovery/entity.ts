/**
 * Home Assistant's device-based MQTT discovery (2024.11 and later; `homeassistant/components/mqtt/schemas.py` and
 * `discovery.py`). Unknown keys at the root, in `device` or in `origin` make it reject a whole message; states over 255
 * characters are rejected one by one. The payloads depend on names, the version and the configuration only, so
 * they are the same at every start.
 */

export type EntityPlatform = "sensor" | "binary_sensor" | "event" | "button";

/** One entity. With `platform` alone it takes back an entity of that key, if there is one. */
export interface Component {
	readonly platform: EntityPlatform;
	/** Never changes: Home Assistant knows the entity by it, whatever a person has renamed. */
	readonly unique_id?: string;
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

/** What makes the messages of a router and its peers. */
export interface DiscoveryOptions {
	/** Of bgpwarden. */
	readonly version: string;
	/** Whether there are buttons; without, they are taken back. */
	readonly commands: boolean;
}

/** One entity before it has its ids and topic. */
export interface Entity {
	readonly platform: EntityPlatform;
	/** null: the device's main entity, which is called like the device. */
	readonly name: string | null;
	readonly [option: string]: unknown;
}

/** Marks what is of interest when something is wrong. */
export const diagnostic = { entity_category: "diagnostic" } as const;

/** A value of the JSON payload; one that is absent becomes `None`, which Home Assistant shows as unknown. */
export const value = (key: string) => `{{ value_json.get('${key}') }}`;

/** A text that is absent when there is nothing to say. */
export const text = (key: string) => `{{ (value_json.get('${key}') or 'none')[:255] }}`;

/** ON, OFF or unknown: `condition` is asked only when the value is there. */
export const onOff = (key: string, condition: string) =>
	`{% set value = value_json.get('${key}') %}{{ None if value is none else 'ON' if ${condition} else 'OFF' }}`;

/**
 * Some values of the JSON payload as attributes; those that are absent stay away.
 * @param keys of the payload, or an attribute's name and a key that is always there
 */
export function attributes(topic: string, ...keys: readonly (string | readonly [string, string])[]) {
	const list = keys.filter((key) => typeof key === "string").map((key) => `'${key}'`);
	const renamed = keys
		.filter((key) => typeof key !== "string")
		.map(([name, key]) => `, ${name}=value_json['${key}']`);
	const chosen = `value_json.items() | selectattr(0, 'in', [${list.join(", ")}])`;
	return {
		json_attributes_topic: topic,
		json_attributes_template: `{{ dict(${chosen}${renamed.join("")}) | tojson }}`,
	};
}

/** A button that publishes one exact word. */
export function button(name: string, topic: string, word: string, more: Record<string, unknown>): Entity {
	return {
		platform: "button",
		name,
		command_topic: topic,
		payload_press: word,
		retain: false,
		qos: 1,
		...more,
	};
}

/**
 * Gives entities what all of a device have: unique id, proposed entity id, topic.
 * @param device Home Assistant's identifier of the device, with what stands between it and an entity's key
 */
export function components(
	device: string,
	stateTopic: string,
	entities: Readonly<Record<string, Entity>>,
): Record<string, Component> {
	return Object.fromEntries(
		Object.entries(entities).map(([key, entity]) => {
			const id = `${device}${key}`;
			const objectId = slug(id);
			const component: Component = {
				...(entity.platform === "button" ? {} : { state_topic: stateTopic }),
				...entity,
				unique_id: id,
				// Up to Home Assistant 2025.9 and from 2025.10: no release complains about the one it does not use.
				object_id: objectId,
				default_entity_id: `${entity.platform}.${objectId}`,
			};
			return [key, component];
		}),
	);
}

/** Takes the entities of these keys back. */
export function removed(platform: EntityPlatform, ...keys: readonly string[]): Record<string, Component> {
	return Object.fromEntries(keys.map((key) => [key, { platform }]));
}

/** What an entity id may have after its dot (homeassistant/core.py, VALID_ENTITY_ID). */
function slug(id: string): string {
	return id
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, "_")
		.replace(/^_|_$/g, "")
		.slice(0, 200);
}
