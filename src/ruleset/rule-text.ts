import type { Expression, Pattern, Rule, Statement, Value, Verdict, VerdictEntry } from "../model/ruleset.ts";
import type { RuleHit } from "./hit.ts";

/** Elements of a set that are written out. */
const SHOWN = 4;

/** A rule much as nft writes it, e.g. `tcp dport 179 redirect to :7892`, without its comment. */
export function describeRule(rule: Rule): string {
	return rule.statements
		.map(describeStatement)
		.filter((text) => text !== "")
		.join(" ");
}

/** Where it happens and what does it: `inet proxy pre: tcp dport 179 redirect to :7892 (handle 4)`. */
export function describeHit({ table, path, base, rule }: RuleHit): string {
	const place = `${table.family} ${table.name} ${path.length > 0 ? path.join(" > ") : base}`;
	if (!rule) return `${place}: policy drop`;
	const comment = rule.comment === undefined ? "" : ` "${rule.comment}"`;
	return `${place}: ${describeRule(rule)}${comment} (handle ${rule.handle})`;
}

function describeStatement(statement: Statement): string {
	switch (statement.kind) {
		case "match":
			return `${describeExpression(statement.left)}${describeRelation(statement)} ${describePattern(statement.right, wording(statement.left))}`;
		case "verdict":
			return describeVerdict(statement.verdict);
		case "vmap":
			return `${describeExpression(statement.key)} vmap ${describeMap(statement.map, wording(statement.key))}`;
		case "reject":
			return statement.with === undefined ? "reject" : `reject with ${statement.with}`;
		case "queue":
			return `queue${statement.bypass ? " flags bypass" : ""}${statement.to === undefined ? "" : ` to ${statement.to}`}`;
		case "tproxy":
		case "redirect":
		case "dnat":
		case "snat":
		case "masquerade":
			return `${statement.kind}${describeTarget(statement)}`;
		case "set":
			return `${describeExpression(statement.target)} set ${describeExpression(statement.value, wording(statement.target))}`;
		case "limit":
			return `${statement.what}${statement.over ? " over" : ""} …`;
		case "counter":
			return "";
		case "passive":
			return statement.name === "set" ? "update @…" : statement.name;
		case "synproxy":
		case "notrack":
			return statement.kind;
		case "unknown":
			return `${statement.name} …`;
	}
}

/** Equality is not written, and so is one of a few bits, except of TCP's flags, where it would read as equality. */
function describeRelation({ relation, left }: Extract<Statement, { kind: "match" }>): string {
	if (relation === "in") return left.kind === "payload" && left.field === "flags" ? " &" : "";
	return relation === "==" && left.kind !== "binary" ? "" : ` ${relation}`;
}

/** How numbers of an expression are written: protocols by name, marks in hexadecimal digits. */
type Wording = (number: number) => string;

const PROTOCOLS: Readonly<Record<number, string>> = {
	1: "icmp",
	2: "igmp",
	6: "tcp",
	17: "udp",
	50: "esp",
	58: "icmpv6",
};

function wording(expression: Expression): Wording {
	if (expression.kind === "binary") return wording(expression.left);
	const name = expression.kind === "payload" ? expression.field : "key" in expression ? expression.key : "";
	if (name === "l4proto" || name === "protocol" || name === "nexthdr")
		return (number) => PROTOCOLS[number] ?? String(number);
	return name === "mark" ? (number) => `0x${number.toString(16).padStart(8, "0")}` : String;
}

function describeTarget({
	family,
	address,
	port,
}: {
	family?: string;
	address?: string;
	port?: number;
}): string {
	if (address === undefined && port === undefined) return "";
	const host = address === undefined ? "" : address.includes(":") ? `[${address}]` : address;
	return `${family === undefined ? "" : ` ${family}`} to ${host}${port === undefined ? "" : `:${port}`}`;
}

function describeVerdict(verdict: Verdict): string {
	return "target" in verdict ? `${verdict.kind} ${verdict.target}` : verdict.kind;
}

function describeExpression(expression: Expression, word: Wording = wording(expression)): string {
	switch (expression.kind) {
		case "payload":
			return `${expression.protocol} ${expression.field}`;
		case "raw":
			return `@${expression.base},${expression.offset},${expression.length}`;
		case "meta":
			// nft writes the names of interfaces without `meta`.
			return /^[io]if/.test(expression.key) ? expression.key : `meta ${expression.key}`;
		case "ct":
			return `ct ${expression.direction === undefined ? "" : `${expression.direction} `}${expression.key}`;
		case "fib":
			return `fib ${expression.flags.join(" . ")} ${expression.result}`;
		case "socket":
			return `socket ${expression.key}`;
		case "concat":
			return expression.parts.map((part) => describeExpression(part)).join(" . ");
		case "binary":
			return `${describeExpression(expression.left, word)} ${expression.operator} ${describeOperand(expression.right, word)}`;
		case "value":
			return describeValue(expression.value, word);
		case "unknown":
			return `${expression.name} …`;
	}
}

function describeOperand(expression: Expression, word: Wording): string {
	const text = describeExpression(expression, word);
	return expression.kind === "binary" ? `(${text})` : text;
}

function describePattern(pattern: Pattern, word: Wording = String): string {
	switch (pattern.kind) {
		case "is":
			return describeValue(pattern.value, word);
		case "bits":
			return pattern.values.map((value) => describeValue(value, word)).join(",");
		case "prefix":
			return `${describeValue(pattern.bytes, word)}/${pattern.length}`;
		case "range":
			return `${describeValue(pattern.from, word)}-${describeValue(pattern.to, word)}`;
		case "any":
			return `{ ${some(
				pattern.of.slice(0, SHOWN).map((each) => describePattern(each, word)),
				pattern.of.length,
			)} }`;
		case "concat":
			return pattern.parts.map((part) => describePattern(part)).join(" . ");
		case "all":
			return "*";
		case "named":
			return `@${pattern.set}`;
		case "unknown":
			return "…";
	}
}

function describeMap(map: string | readonly VerdictEntry[], word: Wording): string {
	if (typeof map === "string") return `@${map}`;
	const shown = map
		.slice(0, SHOWN)
		.map(({ key, verdict }) => `${describePattern(key, word)} : ${describeVerdict(verdict)}`);
	return `{ ${some(shown, map.length)} }`;
}

function some(shown: readonly string[], all: number): string {
	return all > shown.length ? `${shown.join(", ")}, …` : shown.join(", ");
}

/** Addresses in a form that is short enough to be recognised; IPv6 without its longest row of zeros taken out. */
function describeValue(value: Value, word: Wording): string {
	if (typeof value === "number") return word(value);
	if (typeof value !== "object") return String(value);
	if (value.length === 4) return value.join(".");
	const groups: string[] = [];
	for (let index = 0; index < value.length; index += 2)
		groups.push((((value[index] ?? 0) << 8) | (value[index + 1] ?? 0)).toString(16));
	return groups.join(":").replace(/(^|:)0(:0)+(:|$)/, "::");
}
