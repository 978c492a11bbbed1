/** What Home Assistant must make of a router and a peer: by unique id, the entity and what it is. */
export interface Expected {
	readonly entity: string;
	readonly name: string | null;
	readonly category?: "diagnostic";
	/** Of the state's attributes. */
	readonly attributes?: Readonly<Record<string, unknown>>;
	/** Of a table in place, and of a session that is up and healthy. */
	readonly state: string | RegExp;
}

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/;
const diagnostic = { category: "diagnostic" } as const;
const total = { state_class: "total_increasing" };
const routes = { state_class: "measurement", unit_of_measurement: "routes" };

/** @param version of bgpwarden */
export function routerEntities(router: string, version: string): Record<string, Expected> {
	const id = `bgpwarden_${router}`;
	const entities: Record<string, Expected> = {
		protection: {
			entity: `binary_sensor.${id}_protection`,
			name: "Protection",
			attributes: { device_class: "safety" },
			state: "off",
		},
		protection_mode: {
			entity: `sensor.${id}_protection_mode`,
			name: "Protection mode",
			attributes: { device_class: "enum", options: ["owned", "installed", "missing"] },
			state: /^(owned|installed)$/,
		},
		problem: {
			entity: `binary_sensor.${id}_problem`,
			name: "Problem",
			attributes: { device_class: "problem" },
			state: "off",
		},
		repairs: {
			entity: `sensor.${id}_repairs`,
			name: "Repairs",
			attributes: total,
			state: "0",
			...diagnostic,
		},
		flushed: {
			entity: `sensor.${id}_flushed`,
			name: "Conntrack entries flushed",
			attributes: total,
			state: /^\d+$/,
			...diagnostic,
		},
		last_repair: {
			entity: `sensor.${id}_last_repair`,
			name: "Last repair",
			attributes: { device_class: "timestamp" },
			state: "unknown",
			...diagnostic,
		},
		last_repair_by: {
			entity: `sensor.${id}_last_repair_by`,
			name: "Last repair because of",
			state: "unknown",
			...diagnostic,
		},
		bird: {
			entity: `binary_sensor.${id}_bird`,
			name: "BIRD",
			attributes: { device_class: "connectivity" },
			state: "on",
			...diagnostic,
		},
		bird_version: {
			entity: `sensor.${id}_bird_version`,
			name: "BIRD version",
			state: /^3\.\d+/,
			...diagnostic,
		},
		started: {
			entity: `sensor.${id}_started`,
			name: "Started",
			attributes: { device_class: "timestamp" },
			state: timestamp,
			...diagnostic,
		},
		version: { entity: `sensor.${id}_version`, name: "Version", state: version, ...diagnostic },
		event: { entity: `event.${id}_event`, name: "Event", state: /./ },
		ensure: { entity: `button.${id}_ensure`, name: "Ensure", state: "unknown" },
		flush: { entity: `button.${id}_flush`, name: "Flush", state: "unknown" },
	};
	return byUniqueId(id, entities);
}

export function peerEntities(router: string, peer: string): Record<string, Expected> {
	const id = `bgpwarden_${router}_${peer}`;
	const entities: Record<string, Expected> = {
		session: {
			entity: `binary_sensor.${id}_session`,
			name: null,
			attributes: {
				...{ device_class: "connectivity", peer, neighbor_as: 65009, local_as: 65001 },
				...{ node: "speaker", speaker: "frr" },
			},
			state: "on",
		},
		state: {
			entity: `sensor.${id}_state`,
			name: "State",
			attributes: { device_class: "enum" },
			state: "Established",
		},
		since: {
			entity: `sensor.${id}_since`,
			name: "Since",
			attributes: { device_class: "timestamp" },
			state: timestamp,
		},
		bfd: {
			entity: `binary_sensor.${id}_bfd`,
			name: "BFD",
			attributes: { device_class: "connectivity", bfd: "up" },
			state: "on",
		},
		imported: { entity: `sensor.${id}_imported`, name: "Imported routes", attributes: routes, state: "1" },
		exported: { entity: `sensor.${id}_exported`, name: "Exported routes", attributes: routes, state: "0" },
		preferred: { entity: `sensor.${id}_preferred`, name: "Preferred routes", attributes: routes, state: "1" },
		flaps: { entity: `sensor.${id}_flaps`, name: "Flaps", attributes: total, state: "0", ...diagnostic },
		last_error: { entity: `sensor.${id}_last_error`, name: "Last error", state: /./, ...diagnostic },
		diagnosis: {
			entity: `sensor.${id}_diagnosis`,
			name: "Diagnosis",
			attributes: { device_class: "enum", options: expectDiagnoses },
			state: /^(healthy|unknown)$/,
			...diagnostic,
		},
		remedy: { entity: `sensor.${id}_remedy`, name: "Remedy", state: /^(none|unknown)$/, ...diagnostic },
		restart: {
			entity: `button.${id}_restart`,
			name: "Restart",
			attributes: { device_class: "restart" },
			state: "unknown",
		},
	};
	return byUniqueId(id, entities);
}

/** Asymmetric on purpose: which diagnoses there are is not this test's business. */
const expectDiagnoses = {
	asymmetricMatch: (options: unknown) => Array.isArray(options) && options.includes("healthy"),
};

function byUniqueId(device: string, entities: Record<string, Expected>): Record<string, Expected> {
	return Object.fromEntries(Object.entries(entities).map(([key, entity]) => [`${device}_${key}`, entity]));
}
