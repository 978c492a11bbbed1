/**
 * Text of OpenWrt's `ubus` command line (openwrt/ubus, cli.c): `subscribe` and `listen` print one JSON object per line,
 * `call` prints one indented JSON object per reply.
 */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

export interface JsonObject {
	readonly [name: string]: JsonValue | undefined;
}

/** A notification of a subscribed object, or an event of the bus. */
export interface UbusEvent {
	/** e.g. `instance.start`, `ubus.object.add`. */
	readonly name: string;
	readonly data: JsonObject;
}

export function isObject(value: unknown): value is JsonObject {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One line of `ubus subscribe` or `ubus listen`, e.g. `{ "service.stop": {"service":"x"} }`. */
export function parseEvent(line: string): UbusEvent | undefined {
	const value = parseJson(line);
	if (!isObject(value)) return undefined;
	const [entry, ...others] = Object.entries(value);
	if (!entry || others.length > 0) return undefined;
	const [name, data] = entry;
	return isObject(data) ? { name, data } : undefined;
}

/**
 * What `ubus call` printed.
 * @returns an empty object for a method that answers nothing; undefined for what is not one JSON object
 */
export function parseReply(text: string): JsonObject | undefined {
	if (text.trim() === "") return {};
	const value = parseJson(text);
	return isObject(value) ? value : undefined;
}

/**
 * Ubus's own words in what it complained, e.g. `Not found` of `Command failed: Not found`, of `Command failed: ubus call
 * x y (Not found)` and of `Error while registering for event 'x': Not found`; other complaints as they are.
 */
export function parseComplaint(line: string): string {
	const text = line.trim();
	const words =
		/^Command failed: ubus .*\(([^()]+)\)$/.exec(text)?.[1] ??
		/^Command failed: (.+)$/.exec(text)?.[1] ??
		/^Error while registering for event '.*': (.+)$/.exec(text)?.[1];
	return words ?? text;
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
