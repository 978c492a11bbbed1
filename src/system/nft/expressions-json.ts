/** Expressions and statements of libnftables-json(5). Whatever is not known here becomes `unknown`; nothing throws. */

import { parseAddress } from "../../lib/address.ts";
import { within } from "../../lib/number.ts";
import type {
	BinaryOperator,
	Expression,
	Lookup,
	Pattern,
	Relation,
	Statement,
	Value,
	Verdict,
	VerdictEntry,
} from "../../model/ruleset.ts";

type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

const RELATIONS: ReadonlySet<string> = new Set(["==", "!=", "<", ">", "<=", ">=", "in"]);
const OPERATORS: ReadonlySet<string> = new Set(["&", "|", "^", "<<", ">>"]);
/** Statements that neither stop a packet nor change where it goes. */
const PASSIVE: ReadonlySet<string> = new Set([
	"log",
	"ct helper",
	"ct timeout",
	"ct expectation",
	"flow",
	"dup",
	"last",
	"secmark",
	"tunnel",
]);
/** Targets of iptables-nft that nft cannot translate; by name, since their options are not in the listing. */
const XT_TARGETS: ReadonlyMap<string, Statement> = new Map<string, Statement>([
	["DROP", { kind: "verdict", verdict: { kind: "drop" } }],
	["REJECT", { kind: "reject" }],
	["REDIRECT", { kind: "redirect" }],
	["DNAT", { kind: "dnat" }],
	["SNAT", { kind: "snat" }],
	["MASQUERADE", { kind: "masquerade" }],
	["TPROXY", { kind: "tproxy" }],
	["NFQUEUE", { kind: "queue", bypass: false }],
	["SYNPROXY", { kind: "synproxy" }],
	["NOTRACK", { kind: "notrack" }],
]);
/** What is nested deeper is not read: nft's own text has four levels, and the stack has an end. */
const DEEPEST = 32;

/** One entry of a rule's `expr`. */
export function parseStatement(json: Json, depth = 0): Statement {
	if (!isObject(json) || depth > DEEPEST)
		return { kind: "unknown", name: typeof json === "string" ? json : "?" };
	const [name = "?"] = Object.keys(json);
	const body = json[name];
	const fields = isObject(body) ? body : {};
	const verdict = parseVerdict(json);
	const port = within(fields.port, 0, 65_535);
	const packets = within(fields.packets);
	if (verdict) return { kind: "verdict", verdict };
	switch (name) {
		case "match":
			return parseMatch(fields);
		case "vmap":
			return { kind: "vmap", key: parseExpression(fields.key), map: parseMap(fields.data) };
		case "reject": {
			const words = [fields.type, fields.expr].filter((word) => typeof word === "string");
			return words.length > 0 ? { kind: "reject", with: words.join(" ") } : { kind: "reject" };
		}
		case "queue": {
			const bypass = list(fields.flags).includes("bypass");
			const to = describeQueue(fields.num);
			return to === undefined ? { kind: "queue", bypass } : { kind: "queue", to, bypass };
		}
		case "tproxy":
		case "redirect":
		case "dnat":
		case "snat":
		case "masquerade":
			return {
				kind: name,
				...(typeof fields.family === "string" ? { family: fields.family } : {}),
				...(typeof fields.addr === "string" ? { address: fields.addr } : {}),
				...(port === undefined ? {} : { port }),
				...lookups(fields.addr, fields.port),
			};
		case "synproxy":
		case "notrack":
			return { kind: name };
		case "mangle":
			return {
				kind: "set",
				target: parseExpression(fields.key),
				value: parseExpression(fields.value),
				...lookups(fields.value),
			};
		case "limit":
		case "quota":
		case "ct count":
			// A named limit or quota is a text, and whether it is `over` is written in another object.
			if (!isObject(body)) return { kind: "unknown", name };
			return { kind: "limit", what: name, over: fields.inv === true };
		case "set":
		case "meter": {
			// A rate for each element: the rule goes on as it does behind a rate of its own.
			const limits = list(fields.stmt).map((each) => parseStatement(each, depth + 1));
			return limits.find((each) => each.kind === "limit" && each.over) ?? { kind: "passive", name };
		}
		case "counter":
			return packets === undefined ? { kind: "passive", name } : { kind: "counter", packets };
		case "xt": {
			const extension = typeof fields.name === "string" ? fields.name : "";
			const target = fields.type === "target" ? XT_TARGETS.get(extension) : undefined;
			return target ?? { kind: "unknown", name: `xt ${extension}`.trim() };
		}
		default:
			return PASSIVE.has(name) ? { kind: "passive", name } : { kind: "unknown", name };
	}
}

/** Anything that stands for a part of a packet, or for a constant. */
export function parseExpression(json: Json, depth = 0): Expression {
	if (Array.isArray(json) || depth > DEEPEST) return { kind: "unknown", name: "list" };
	if (!isObject(json)) {
		const value = parseValue(json);
		return value === undefined ? { kind: "unknown", name: "?" } : { kind: "value", value };
	}
	const [name = "?"] = Object.keys(json);
	const body = json[name];
	const fields = isObject(body) ? body : {};
	const text = (field: "protocol" | "field" | "key" | "result") =>
		typeof fields[field] === "string" ? fields[field] : "";
	if (OPERATORS.has(name)) return parseBinary(name as BinaryOperator, list(body), depth + 1);
	switch (name) {
		case "payload": {
			const [offset, length] = [within(fields.offset), within(fields.len)];
			if (typeof fields.base !== "string")
				return { kind: "payload", protocol: text("protocol"), field: text("field") };
			if (offset === undefined || length === undefined) return { kind: "unknown", name };
			return { kind: "raw", base: fields.base, offset, length };
		}
		case "meta":
			return { kind: "meta", key: text("key") };
		case "ct":
			return typeof fields.dir === "string"
				? { kind: "ct", key: text("key"), direction: fields.dir }
				: { kind: "ct", key: text("key") };
		case "fib":
			return { kind: "fib", result: text("result"), flags: list(fields.flags).filter(isText) };
		case "socket":
			return { kind: "socket", key: text("key") };
		case "concat":
			return { kind: "concat", parts: list(body).map((each) => parseExpression(each, depth + 1)) };
		default:
			return { kind: "unknown", name };
	}
}

/** What stands on the right of a match, or as an element of a set. */
export function parsePattern(json: Json, depth = 0): Pattern {
	if (depth > DEEPEST) return { kind: "unknown" };
	if (Array.isArray(json)) return { kind: "bits", values: json.flatMap((each) => parseValue(each) ?? []) };
	if (typeof json === "string" && json.startsWith("@")) return { kind: "named", set: json.slice(1) };
	if (json === "*") return { kind: "all" };
	if (!isObject(json)) {
		const value = parseValue(json);
		return value === undefined ? { kind: "unknown" } : { kind: "is", value };
	}
	const [name = "?"] = Object.keys(json);
	const body = json[name];
	const inside = () => list(body).map((each) => parsePattern(each, depth + 1));
	switch (name) {
		case "set":
			return { kind: "any", of: inside() };
		case "elem":
			return isObject(body) ? parsePattern(body.val, depth + 1) : { kind: "unknown" };
		case "range": {
			const [from, to] = list(body).map(parseValue);
			return from === undefined || to === undefined ? { kind: "unknown" } : { kind: "range", from, to };
		}
		case "prefix":
			return isObject(body) ? parsePrefix(body.addr, body.len) : { kind: "unknown" };
		case "concat":
			return { kind: "concat", parts: inside() };
		case "|": {
			const values = list(body).map(parseValue);
			return values.every((value) => value !== undefined) ? { kind: "bits", values } : { kind: "unknown" };
		}
		default:
			return { kind: "unknown" };
	}
}

/** `[key, verdict]` pairs. */
export function parseVerdictEntries(json: Json): VerdictEntry[] {
	return list(json).flatMap((pair) => {
		const [key, said] = list(pair);
		const verdict = parseVerdict(said);
		return verdict ? [{ key: parsePattern(key), verdict }] : [];
	});
}

function parseMap(json: Json): string | readonly VerdictEntry[] {
	if (typeof json === "string") return json.replace(/^@/, "");
	return isObject(json) ? parseVerdictEntries(json.set) : [];
}

/** Keys of maps that have an element for each of their values. */
const GENERATORS: ReadonlySet<string> = new Set(["numgen", "jhash", "symhash"]);

/** `dnat ip to tcp dport map { 80 : 10.0.0.1 }`, or the name of a map in the place of its entries. */
function lookups(...values: readonly Json[]): { lookups?: readonly Lookup[] } {
	const found = values.flatMap((value) => {
		const map = isObject(value) && isObject(value.map) ? value.map : undefined;
		if (!map || (isObject(map.key) && Object.keys(map.key).some((name) => GENERATORS.has(name)))) return [];
		const keys = isObject(map.data) ? list(map.data.set).map((pair) => list(pair)[0]) : undefined;
		return [
			{
				key: parseExpression(map.key),
				keys: keys
					? ({ kind: "any", of: keys.map((each) => parsePattern(each)) } as const)
					: parsePattern(map.data),
			},
		];
	});
	return found.length > 0 ? { lookups: found } : {};
}

function parseMatch({ op, left, right }: JsonObject): Statement {
	const relation = typeof op === "string" && RELATIONS.has(op) ? (op as Relation) : undefined;
	if (!relation) return { kind: "unknown", name: `match ${isText(op) ? op : "?"}` };
	return { kind: "match", relation, left: parseExpression(left), right: parsePattern(right) };
}

function parseVerdict(json: Json): Verdict | undefined {
	if (!isObject(json)) return undefined;
	const [kind] = Object.keys(json);
	if (kind === "accept" || kind === "drop" || kind === "return" || kind === "continue") return { kind };
	if (kind !== "jump" && kind !== "goto") return undefined;
	const body = json[kind];
	return isObject(body) && typeof body.target === "string" ? { kind, target: body.target } : undefined;
}

/** nft folds more than two operands of one operator into a list; until 1.0.6 it writes the flags of a mask as a bare list. */
function parseBinary(operator: BinaryOperator, operands: readonly Json[], depth: number): Expression {
	// Many operands become as many levels.
	if (depth + operands.length > 2 * DEEPEST) return { kind: "unknown", name: operator };
	const [first, ...others] = operands.map((each) =>
		Array.isArray(each) ? parseBinary("|", each, depth + 1) : parseExpression(each, depth),
	);
	if (!first || others.length === 0) return { kind: "unknown", name: operator };
	return others.reduce<Expression>((left, right) => ({ kind: "binary", operator, left, right }), first);
}

function parsePrefix(address: Json, length: Json): Pattern {
	const bytes = isText(address) ? addressBytes(address) : undefined;
	const bits = bytes && within(length, 0, bytes.length * 8);
	return bytes && bits !== undefined ? { kind: "prefix", bytes, length: bits } : { kind: "unknown" };
}

function parseValue(json: Json): Value | undefined {
	if (typeof json === "boolean") return json;
	if (!isText(json)) return within(json, Number.MIN_SAFE_INTEGER);
	return addressBytes(json) ?? json;
}

/** The listing writes addresses in one form only, so the plain one of IPv4 is worth a short way. */
function addressBytes(text: string): readonly number[] | undefined {
	if (/^\d+\.\d+\.\d+\.\d+$/.test(text)) {
		const bytes = text.split(".").map(Number);
		return bytes.every((byte) => byte < 256) ? bytes : undefined;
	}
	return text.includes(":") ? parseAddress(text)?.bytes : undefined;
}

function describeQueue(number: Json): string | undefined {
	const range = isObject(number) ? list(number.range) : [number];
	const queues = range.flatMap((each) => within(each) ?? []);
	return queues.length === (isObject(number) ? 2 : 1) ? queues.join("-") : undefined;
}

function list(json: Json): readonly Json[] {
	return Array.isArray(json) ? json : json === undefined ? [] : [json];
}

function isText(json: Json): json is string {
	return typeof json === "string";
}

export function isObject(json: Json): json is JsonObject {
	return typeof json === "object" && json !== null && !Array.isArray(json);
}
