import type { Expression, Pattern, Rule, Statement, Value, Verdict, VerdictEntry } from "../model/ruleset.ts";
import type { Encounter } from "./hit.ts";

/** Elements of a set that are written out. */
const SHOWN = 4;

/** A rule much as nft writes it, e.g. `tcp dport 179 redirect to :7892`, without its comment. */
export function sayRule(rule: Rule): string {
	return rule.statements
		.map(sayStatement)
		.filter((text) => text !== "")
		.join(" ");
}

/** Where it happens and what does it: `inet proxy pre: tcp dport 179 redirect to :7892 (handle 4)`. */
export function sayEncounter({ table, path, base, rule }: Encounter): string {
	const place = `${table.family} ${table.name} ${path.length > 0 ? path.join(" > ") : base}`;
	if (!rule) return `${place}: policy drop`;
	const comment = rule.comment === undefined ? "" : ` "${rule.comment}"`;
	return `${place}: ${sayRule(rule)}${comment} (handle ${rule.handle})`;
}

function sayStatement(statement: Statement): string {
	switch (statement.kind) {
		case "match":
			return `${sayExpression(statement.left)}${sayRelation(statement)} ${sayPattern(statement.right, wording(statement.left))}`;
		case "verdict":
			return sayVerdict(statement.verdict);
		case "vmap":
			return `${sayExpression(statement.key)} vmap ${sayMap(statement.map, wording(statement.key))}`;
		case "reject":
			return statement.with === undefined ? "reject" : `reject with ${statement.with}`;
		case "queue":
			return `queue${statement.bypass ? " flags bypass" : ""}${statement.to === undefined ? "" : ` to ${statement.to}`}`;
		case "tproxy":
		case "redirect":
		case "dnat":
		case "snat":
		case "masquerade":
			return `${statement.kind}${sayTarget(statement)}`;
		case "set":
			return `${sayExpression(statement.target)} set ${sayExpression(statement.value, wording(statement.target))}`;
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
function sayRelation({ relation, left }: Extract<Statement, { kind: "match" }>): string {
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

function sayTarget({ family, address, port }: { family?: string; address?: string; port?: number }): string {
	if (address === undefined && port === undefined) return "";
	const host = address === undefined ? "" : address.includes(":") ? `[${address}]` : address;
	return `${family === undefined ? "" : ` ${family}`} to ${host}${port === undefined ? "" : `:${port}`}`;
}

function sayVerdict(verdict: Verdict): string {
	return "target" in verdict ? `${verdict.kind} ${verdict.target}` : verdict.kind;
}

function sayExpression(expression: Expression, word: Wording = wording(expression)): string {
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
			return expression.parts.map((part) => sayExpression(part)).join(" . ");
		case "binary":
			return `${sayExpression(expression.left, word)} ${expression.operator} ${sayOperand(expression.right, word)}`;
		case "value":
			return sayValue(expression.value, word);
		case "unknown":
			return `${expression.name} …`;
	}
}

function sayOperand(expression: Expression, word: Wording): string {
	const text = sayExpression(expression, word);
	return expression.kind === "binary" ? `(${text})` : text;
}

function sayPattern(pattern: Pattern, word: Wording = String): string {
	switch (pattern.kind) {
		case "is":
			return sayValue(pattern.value, word);
		case "bits":
			return pattern.values.map((value) => sayValue(value, word)).join(",");
		case "prefix":
			return `${sayValue(pattern.bytes, word)}/${pattern.length}`;
		case "range":
			return `${sayValue(pattern.from, word)}-${sayValue(pattern.to, word)}`;
		case "any":
			return `{ ${some(
				pattern.of.slice(0, SHOWN).map((each) => sayPattern(each, word)),
				pattern.of.length,
			)} }`;
		case "concat":
			return pattern.parts.map((part) => sayPattern(part)).join(" . ");
		case "named":
			return `@${pattern.set}`;
		case "unknown":
			return "…";
	}
}

function sayMap(map: string | readonly VerdictEntry[], word: Wording): string {
	if (typeof map === "string") return `@${map}`;
	const shown = map
		.slice(0, SHOWN)
		.map(({ key, verdict }) => `${sayPattern(key, word)} : ${sayVerdict(verdict)}`);
	return `{ ${some(shown, map.length)} }`;
}

function some(shown: readonly string[], all: number): string {
	return all > shown.length ? `${shown.join(", ")}, …` : shown.join(", ");
}

/** Addresses in a form that is short enough to be recognised; IPv6 without its longest row of zeros taken out. */
function sayValue(value: Value, word: Wording): string {
	if (typeof value === "number") return word(value);
	if (typeof value !== "object") return String(value);
	if (value.length === 4) return value.join(".");
	const groups: string[] = [];
	for (let index = 0; index < value.length; index += 2)
		groups.push((((value[index] ?? 0) << 8) | (value[index + 1] ?? 0)).toString(16));
	return groups.join(":").replace(/(^|:)0(:0)+(:|$)/, "::");
}
