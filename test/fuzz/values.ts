/** What a value of a type may be: a check says in words what is wrong with a value, or nothing. */

import { parseAddress } from "../../src/lib/address.ts";
import { parsePrefix } from "../../src/lib/prefix.ts";

/** @property type only for the compiler: what is checked has to be of the type that it is checked as */
export interface Check<T> {
	(value: unknown): string | undefined;
	readonly type?: T;
	readonly optional?: true;
}

type Optional<T> = Check<T> & { readonly optional: true };

/** A check for each property of a type; those that may be absent are `maybe`. */
export type Fields<T> = {
	readonly [Key in keyof T]-?: Record<never, never> extends Pick<T, Key>
		? Optional<Exclude<T[Key], undefined>>
		: Check<T[Key]>;
};

export const any: Check<never> = () => undefined;
export const text: Check<string> = (value) =>
	typeof value === "string" ? undefined : wrong(value, "a text");
export const flag: Check<boolean> = (value) =>
	typeof value === "boolean" ? undefined : wrong(value, "true or false");

/** A text of one line. */
export const line: Check<string> = (value) =>
	text(value) ?? (/\p{Cc}/u.test(String(value)) ? wrong(value, "without control characters") : undefined);

/** A text without what a terminal would obey. */
export const harmless: Check<string> = (value) =>
	text(value) ?? (/[\p{Cc}\u202a-\u202e]/u.test(String(value)) ? wrong(value, "harmless") : undefined);

export const some: Check<string> = (value) => text(value) ?? (value === "" ? "an empty text" : undefined);

export function matching(pattern: RegExp): Check<string> {
	return (value) =>
		text(value) ?? (pattern.test(String(value)) ? undefined : wrong(value, `like ${pattern.source}`));
}

export function whole(least: number, most: number): Check<number> {
	return (value) =>
		Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
			? undefined
			: wrong(value, `a whole number from ${least} to ${most}`);
}

export const port = whole(1, 65_535);
/** In a packet there may be any. */
export const anyPort = whole(0, 65_535);
export const count = whole(0, Number.MAX_SAFE_INTEGER);
export const pid = whole(1, Number.MAX_SAFE_INTEGER);
export const handle = whole(0, Number.MAX_SAFE_INTEGER);
export const asNumber = whole(1, 0xffffffff);
export const mark = whole(0, 0xffffffff);
export const byte = whole(0, 255);
export const finite: Check<number> = (value) =>
	Number.isFinite(value) ? undefined : wrong(value, "a number");

export function oneOf<const Word>(...words: readonly Word[]): Check<Word> {
	return (value) =>
		words.includes(value as Word) ? undefined : wrong(value, `one of ${words.map(String).join(", ")}`);
}

/** Canonical text of an address, without a zone. */
export const address: Check<string> = (value) =>
	typeof value === "string" && parseAddress(value)?.text === value ? undefined : wrong(value, "an address");

/** The same, or with the zone of a link. */
export const zonedAddress: Check<string> = (value) => {
	const parsed = typeof value === "string" ? parseAddress(value) : undefined;
	const whole = parsed && (parsed.zone === undefined ? parsed.text : `${parsed.text}%${parsed.zone}`);
	return whole === value && value !== undefined ? undefined : wrong(value, "an address");
};

export const prefix: Check<string> = (value) =>
	typeof value === "string" && parsePrefix(value)?.text === value ? undefined : wrong(value, "a prefix");

/** As Linux takes it. */
export const device = matching(/^(?!\.\.?$)[!-$&-.0-9;-~]{1,15}$/);

export function list<T>(of: Check<T>, most = Number.POSITIVE_INFINITY): Check<T[]> {
	return (value) => {
		if (!Array.isArray(value)) return wrong(value, "a list");
		if (value.length > most) return `a list of ${value.length}, more than ${most}`;
		for (let index = 0; index < value.length; index++) {
			const complaint = of(value[index]);
			if (complaint !== undefined) return `[${index}]${joined(complaint)}`;
		}
		return undefined;
	};
}

export function mapOf<Key, T>(key: Check<Key>, of: Check<T>): Check<Map<Key, T>> {
	return (value) => {
		if (!(value instanceof Map)) return wrong(value, "a Map");
		for (const [name, each] of value) {
			const complaint = key(name) ?? of(each);
			if (complaint !== undefined) return `(${show(name)})${joined(complaint)}`;
		}
		return undefined;
	};
}

export function maybe<T>(check: Check<T>): Optional<T> {
	return Object.assign((value: unknown) => check(value), { optional: true as const });
}

/** Also undefined. */
export function orAbsent<T>(check: Check<T>): Check<T | undefined> {
	return (value) => (value === undefined ? undefined : check(value));
}

export function either<One, Other>(one: Check<One>, other: Check<Other>): Check<One | Other> {
	return (value) => {
		const complaint = one(value);
		return complaint === undefined || other(value) === undefined ? undefined : complaint;
	};
}

/** For a type that is made of itself. */
export function lazy<T>(make: () => Check<T>): Check<T> {
	let check: Check<T> | undefined;
	return (value) => {
		check ??= make();
		return check(value);
	};
}

/** An object with these properties and no others, none of which is there and undefined. */
export function shape<T extends object>(fields: Fields<T>): Check<T> {
	const known = new Map(Object.entries(fields) as [string, Check<unknown>][]);
	const needed = [...known].filter(([, check]) => !check.optional).map(([name]) => name);
	return (value) => {
		if (typeof value !== "object" || value === null || Array.isArray(value)) return wrong(value, "an object");
		const prototype = Object.getPrototypeOf(value);
		if (prototype !== null && prototype !== Object.prototype) return "an object of another kind";
		for (const name of Object.keys(value)) {
			const check = known.get(name);
			if (!check) return `.${name}: the type has no such property`;
			const complaint = check((value as Record<string, unknown>)[name]);
			if (complaint !== undefined) return `.${name}${joined(complaint)}`;
		}
		for (const name of needed) if (!Object.hasOwn(value, name)) return `.${name}: is missing`;
		return undefined;
	};
}

/** One of several shapes, told by a property. */
export function byKind<T extends object>(key: string, shapes: Readonly<Record<string, Check<T>>>): Check<T> {
	const known = new Map(Object.entries(shapes));
	return (value) => {
		if (typeof value !== "object" || value === null) return wrong(value, "an object");
		const check = known.get(String((value as Record<string, unknown>)[key]));
		return check
			? check(value)
			: `.${key}: ${show((value as Record<string, unknown>)[key])} is no kind of it`;
	};
}

/** Names of others' as keys: a Map, or an object without a prototype. */
export function foreignKeys<T>(of: Check<T>): Check<Readonly<Record<string, T>>> {
	return (value) => {
		if (typeof value !== "object" || value === null) return wrong(value, "an object");
		if (Object.getPrototypeOf(value) !== null) return "has a prototype, though others name its keys";
		for (const [name, each] of Object.entries(value)) {
			const complaint = of(each);
			if (complaint !== undefined) return `.${name}${joined(complaint)}`;
		}
		return undefined;
	};
}

function joined(complaint: string): string {
	return /^[.[(]/.test(complaint) ? complaint : `: ${complaint}`;
}

function wrong(value: unknown, wanted: string): string {
	return `${show(value)} is not ${wanted}`;
}

function show(value: unknown): string {
	if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
	if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
	return String(value);
}
