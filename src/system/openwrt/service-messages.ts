/**
 * Text of OpenWrt's `ubus` command line (openwrt/ubus, cli.c): `subscribe` and `listen` print one JSON object per line,
 * `call` prints one indented JSON object per reply, `list` one path per line.
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

/** An object on the bus. */
export interface UbusObject {
	readonly path: string;
	/** Argument types by name, by method; empty where `list` was not verbose. Types as ubus says, e.g. `String`. */
	readonly methods: Readonly<Record<string, Readonly<Record<string, string>>>>;
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

/** What `ubus list`, with or without `-v`, printed; undefined when that is something else. */
export function parseList(text: string): UbusObject[] | undefined {
	const objects: { path: string; methods: Record<string, Record<string, string>> }[] = [];
	for (const line of text.split("\n")) {
		if (line === "") continue;
		if (line.startsWith("\t")) {
			const signature = parseJson(`{${line.slice(1)}}`);
			const object = objects.at(-1);
			if (!isObject(signature) || !object) return undefined;
			for (const [method, types] of Object.entries(signature)) object.methods[method] = stringsOf(types);
			continue;
		}
		const path = /^'(.*)' @[0-9a-f]{8}$/.exec(line)?.[1] ?? /^[^\s'"{}]+$/.exec(line)?.[0];
		if (path === undefined) return undefined;
		objects.push({ path, methods: {} });
	}
	return objects;
}

function stringsOf(value: unknown): Record<string, string> {
	if (!isObject(value)) return {};
	const strings = Object.entries(value).filter(([, type]) => typeof type === "string");
	return Object.fromEntries(strings) as Record<string, string>;
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
