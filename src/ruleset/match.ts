import { inPrefix } from "../lib/prefix.ts";
import type { NamedSet, Pattern, Relation, Value, Verdict, VerdictEntry } from "../model/ruleset.ts";
import { type Known, number } from "./packet.ts";

/** `maybe`: it depends on something that is not known. */
export type Answer = "yes" | "no" | "maybe";

/** Finds a set or map of the table that a rule is in. */
export type FindSet = (name: string) => NamedSet | undefined;

/** Whether a value stands in a relation to a pattern, as nft_cmp, nft_range, nft_bitwise and nft_lookup decide it. */
export function matches(value: Known, relation: Relation, pattern: Pattern, find: FindSet): Answer {
	// The kernel ends a rule at something that the packet does not have, whatever the relation.
	if (value.kind === "absent") return "no";
	switch (relation) {
		case "==":
			return fits(value, pattern, find);
		case "!=":
			return not(fits(value, pattern, find));
		case "in":
			return sharesBits(value, pattern, find);
		default:
			return compares(value, relation, pattern);
	}
}

/** The entry of a verdict map that a value meets: its verdict, if any, and how sure that is. */
export function lookUp(
	value: Known,
	map: string | readonly VerdictEntry[],
	find: FindSet,
): readonly { readonly verdict: Verdict; readonly answer: Answer }[] | undefined {
	if (value.kind === "absent") return [];
	const entries = typeof map === "string" ? find(map)?.verdicts() : map;
	if (!entries) return undefined;
	const met: { verdict: Verdict; answer: Answer }[] = [];
	for (const { key, verdict } of entries) {
		if (key.kind === "all") continue;
		const answer = fits(value, key, find);
		// A value has one entry at most, except for intervals, which do not overlap either.
		if (answer === "yes") return [{ verdict, answer }];
		if (answer === "maybe") met.push({ verdict, answer });
	}
	const rest = entries.find(({ key }) => key.kind === "all");
	if (rest) met.push({ verdict: rest.verdict, answer: met.length === 0 ? "yes" : "maybe" });
	return met;
}

function fits(value: Known, pattern: Pattern, find: FindSet): Answer {
	if (pattern.kind === "any") return anyOf(pattern.of, (each) => fits(value, each, find));
	if (pattern.kind === "named") {
		const elements = find(pattern.set)?.elements();
		return elements ? anyOf(elements, (each) => fits(value, each, find)) : "maybe";
	}
	if (pattern.kind === "all") return "yes";
	if (pattern.kind === "unknown" || value.kind === "unknown") return "maybe";
	if (pattern.kind === "concat") {
		if (value.kind !== "concat") return "maybe";
		return allOf(
			value.parts.map((part, index) => fits(part, pattern.parts[index] ?? { kind: "unknown" }, find)),
		);
	}
	if (value.kind === "between") return fitsBetween(value.from, value.to, pattern);
	if (value.kind !== "value") return "maybe";
	const { symbols } = value;
	switch (pattern.kind) {
		case "is":
			return equal(value, pattern.value, symbols);
		case "bits": {
			const [own, wanted] = [number(value, symbols), bits(pattern.values, symbols)];
			return own === undefined || wanted === undefined ? "maybe" : yesNo(own === wanted);
		}
		case "prefix":
			return Array.isArray(value.value)
				? yesNo(inPrefix(value.value, pattern.bytes, pattern.length))
				: "maybe";
		case "range": {
			const [low, high] = [order(value.value, pattern.from), order(value.value, pattern.to)];
			return low === undefined || high === undefined ? "maybe" : yesNo(low >= 0 && high <= 0);
		}
	}
}

function equal(
	value: Extract<Known, { kind: "value" }>,
	other: Value,
	symbols: Readonly<Record<string, number>> | undefined,
): Answer {
	const own = value.value;
	if (typeof own === "string" && typeof other === "string")
		return yesNo(other.endsWith("*") ? own.startsWith(other.slice(0, -1)) : own === other);
	if (Array.isArray(own) && Array.isArray(other)) return yesNo(order(own, other) === 0);
	const [left, right] = [number(value, symbols), number({ kind: "value", value: other }, symbols)];
	if (left !== undefined && right !== undefined) return yesNo(left === right);
	// A name that is none of the symbols: another protocol's, say, or an interface by its index.
	return symbols && typeof other === "string" ? "no" : "maybe";
}

/** A port that is only known to be one of many. */
function fitsBetween(from: number, to: number, pattern: Pattern): Answer {
	const [low, high] =
		pattern.kind === "is"
			? [pattern.value, pattern.value]
			: pattern.kind === "range"
				? [pattern.from, pattern.to]
				: [];
	if (typeof low !== "number" || typeof high !== "number") return "maybe";
	if (high < from || low > to) return "no";
	return low <= from && high >= to ? "yes" : "maybe";
}

/** `ct state established,related`, `tcp flags syn`: at least one of the bits. */
function sharesBits(value: Known, pattern: Pattern, find: FindSet): Answer {
	if (value.kind !== "value") return "maybe";
	const wanted =
		pattern.kind === "bits"
			? bits(pattern.values, value.symbols)
			: pattern.kind === "is"
				? number({ kind: "value", value: pattern.value }, value.symbols)
				: undefined;
	const own = number(value, value.symbols);
	if (own === undefined) return "maybe";
	if (wanted !== undefined) return yesNo((own & wanted) !== 0);
	return pattern.kind === "any" ? anyOf(pattern.of, (each) => sharesBits(value, each, find)) : "maybe";
}

function compares(value: Known, relation: "<" | ">" | "<=" | ">=", pattern: Pattern): Answer {
	if (pattern.kind !== "is") return "maybe";
	const limit = pattern.value;
	const test = (difference: number) => {
		if (relation === "<") return difference < 0;
		if (relation === ">") return difference > 0;
		return relation === "<=" ? difference <= 0 : difference >= 0;
	};
	if (value.kind === "between" && typeof limit === "number") {
		const [low, high] = [test(value.from - limit), test(value.to - limit)];
		return low === high ? yesNo(low) : "maybe";
	}
	const difference = value.kind === "value" ? order(value.value, limit) : undefined;
	return difference === undefined ? "maybe" : yesNo(test(difference));
}

/** Negative, 0 or positive; undefined where the two cannot be compared. Addresses of two families differ. */
function order(a: Value, b: Value): number | undefined {
	if (typeof a === "number" && typeof b === "number") return a - b;
	if (!Array.isArray(a) || !Array.isArray(b)) return undefined;
	if (a.length !== b.length) return a.length - b.length;
	for (const [index, byte] of a.entries()) {
		if (byte !== b[index]) return byte - b[index];
	}
	return 0;
}

function bits(
	values: readonly Value[],
	symbols: Readonly<Record<string, number>> | undefined,
): number | undefined {
	let sum = 0;
	for (const value of values) {
		const bit = number({ kind: "value", value }, symbols);
		if (bit === undefined) return undefined;
		sum |= bit;
	}
	return sum;
}

function anyOf(patterns: readonly Pattern[], test: (pattern: Pattern) => Answer): Answer {
	let best: Answer = "no";
	for (const pattern of patterns) {
		const answer = test(pattern);
		if (answer === "yes") return answer;
		if (answer === "maybe") best = answer;
	}
	return best;
}

export function allOf(answers: readonly Answer[]): Answer {
	if (answers.includes("no")) return "no";
	return answers.includes("maybe") ? "maybe" : "yes";
}

function not(answer: Answer): Answer {
	if (answer === "maybe") return answer;
	return answer === "yes" ? "no" : "yes";
}

function yesNo(condition: boolean): Answer {
	return condition ? "yes" : "no";
}
