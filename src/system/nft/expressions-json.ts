/** Expressions and statements of libnftables-json(5). Whatever is not known here becomes `unknown`; nothing throws. */

import { parseAddress } from "../../lib/address.ts";
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
const XT_TARGETS: Readonly<Record<string, Statement>> = {
	DROP: { kind: "verdict", verdict: { kind: "drop" } },
	REJECT: { kind: "reject" },
	REDIRECT: { kind: "redirect" },
	DNAT: { kind: "dnat" },
	SNAT: { kind: "snat" },
	MASQUERADE: { kind: "masquerade" },
	TPROXY: { kind: "tproxy" },
	NFQUEUE: { kind: "queue", bypass: false },
	SYNPROXY: { kind: "synproxy" },
	NOTRACK: { kind: "notrack" },
};

/** One entry of a rule's `expr`. */
export function parseStatement(json: Json): Statement {
	if (!isObject(json)) return { kind: "unknown", name: typeof json === "string" ? json : "?" };
	const [name = "?"] = Object.keys(json);
	const body = json[name];
	const fields = isObject(body) ? body : {};
	const verdict = parseVerdict(json);
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
				...(typeof fields.port === "number" ? { port: fields.port } : {}),
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
			const limits = list(fields.stmt).map(parseStatement);
			return limits.find((each) => each.kind === "limit" && each.over) ?? { kind: "passive", name };
		}
		case "counter":
			return { kind: "counter", packets: typeof fields.packets === "number" ? fields.packets : 0 };
		case "xt": {
			const target = fields.type === "target" && typeof fields.name === "string" ? fields.name : "";
			return XT_TARGETS[target] ?? { kind: "unknown", name: `xt ${String(fields.name ?? "")}`.trim() };
		}
		default:
			return PASSIVE.has(name) ? { kind: "passive", name } : { kind: "unknown", name };
	}
}

/** Anything that stands for a part of a packet, or for a constant. */
export function parseExpression(json: Json): Expression {
	if (Array.isArray(json)) return { kind: "unknown", name: "list" };
	if (!isObject(json)) {
		const value = parseValue(json);
		return value === undefined ? { kind: "unknown", name: "?" } : { kind: "value", value };
	}
	const [name = "?"] = Object.keys(json);
	const body = json[name];
	const fields = isObject(body) ? body : {};
	const text = (field: string) => (typeof fields[field] === "string" ? fields[field] : "");
	if (OPERATORS.has(name)) return parseBinary(name as BinaryOperator, list(body));
	switch (name) {
		case "payload":
			return typeof fields.base === "string"
				? { kind: "raw", base: fields.base, offset: Number(fields.offset), length: Number(fields.len) }
				: { kind: "payload", protocol: text("protocol"), field: text("field") };
		case "meta":
			return { kind: "meta", key: text("key") };
		case "ct":
			return typeof fields.dir === "string"
				? { kind: "ct", key: text("key"), direction: fields.dir }
				: { kind: "ct", key: text("key") };
		case "fib":
			return { kind: "fib", result: text("result"), flags: list(fields.flags).map(String) };
		case "socket":
			return { kind: "socket", key: text("key") };
		case "concat":
			return { kind: "concat", parts: list(body).map(parseExpression) };
		default:
			return { kind: "unknown", name };
	}
}

/** What stands on the right of a match, or as an element of a set. */
export function parsePattern(json: Json): Pattern {
	if (Array.isArray(json)) return { kind: "bits", values: json.flatMap((each) => parseValue(each) ?? []) };
	if (typeof json === "string" && json.startsWith("@")) return { kind: "named", set: json.slice(1) };
	if (json === "*") return { kind: "all" };
	if (!isObject(json)) {
		const value = parseValue(json);
		return value === undefined ? { kind: "unknown" } : { kind: "is", value };
	}
	const [name = "?"] = Object.keys(json);
	const body = json[name];
	switch (name) {
		case "set":
			return { kind: "any", of: list(body).map(parsePattern) };
		case "elem":
			return isObject(body) ? parsePattern(body.val) : { kind: "unknown" };
		case "range": {
			const [from, to] = list(body).map(parseValue);
			return from === undefined || to === undefined ? { kind: "unknown" } : { kind: "range", from, to };
		}
		case "prefix":
			return isObject(body) ? parsePrefix(body.addr, body.len) : { kind: "unknown" };
		case "concat":
			return { kind: "concat", parts: list(body).map(parsePattern) };
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
				keys: keys ? ({ kind: "any", of: keys.map(parsePattern) } as const) : parsePattern(map.data),
			},
		];
	});
	return found.length > 0 ? { lookups: found } : {};
}

function parseMatch({ op, left, right }: JsonObject): Statement {
	const relation = typeof op === "string" && RELATIONS.has(op) ? (op as Relation) : undefined;
	if (!relation) return { kind: "unknown", name: `match ${String(op)}` };
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
function parseBinary(operator: BinaryOperator, operands: readonly Json[]): Expression {
	const [first, ...others] = operands.map((each) =>
		Array.isArray(each) ? parseBinary("|", each) : parseExpression(each),
	);
	if (!first || others.length === 0) return { kind: "unknown", name: operator };
	return others.reduce<Expression>((left, right) => ({ kind: "binary", operator, left, right }), first);
}

function parsePrefix(address: Json, length: Json): Pattern {
	const bytes = typeof address === "string" ? addressBytes(address) : undefined;
	return bytes && typeof length === "number" ? { kind: "prefix", bytes, length } : { kind: "unknown" };
}

function parseValue(json: Json): Value | undefined {
	if (typeof json === "number" || typeof json === "boolean") return json;
	if (typeof json !== "string") return undefined;
	return addressBytes(json) ?? json;
}

/** The listing writes addresses in one form only, so the plain one of IPv4 is worth a short way. */
function addressBytes(text: string): readonly number[] | undefined {
	if (/^\d+\.\d+\.\d+\.\d+$/.test(text)) return text.split(".").map(Number);
	return text.includes(":") ? parseAddress(text)?.bytes : undefined;
}

function describeQueue(number: Json): string | undefined {
	if (typeof number === "number") return String(number);
	const range = isObject(number) ? list(number.range) : [];
	return range.length === 2 ? range.join("-") : undefined;
}

function list(json: Json): readonly Json[] {
	return Array.isArray(json) ? json : json === undefined ? [] : [json];
}

export function isObject(json: Json): json is JsonObject {
	return typeof json === "object" && json !== null && !Array.isArray(json);
}
