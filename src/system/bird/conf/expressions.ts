/** Constants of `define`, and what is worked out while the file is read (conf/confbase.Y, expr; filter/config.Y, term). */

import type { Token } from "./tokens.ts";

/** A token, or a prefix made of three of them. */
export interface Value {
	readonly kind: Token["kind"] | "prefix";
	readonly text: string;
}

/** By name. */
export type Defines = ReadonlyMap<string, Value>;

/** Filters know more operators; these are the ones for numbers. `|` and `&` are BIRD 3's. */
const PRECEDENCE = new Map([
	["|", 1],
	["&", 1],
	["+", 2],
	["-", 2],
	["*", 3],
	["/", 3],
]);

/** The constant of that name; a token that is no constant stays as it is. */
export function resolve(token: Token, defines: Defines): Value {
	const isName = token.kind === "word" || token.kind === "symbol";
	return isName ? (defines.get(token.text) ?? token) : token;
}

/**
 * The value of an expression: one value of any kind, or numbers with `+ - * /` and parentheses. Deep nesting costs no
 * stack.
 * @returns undefined where it cannot be known: another operator, a call, a name without a constant among numbers
 */
export function evaluate(tokens: readonly Token[], defines: Defines): Value | undefined {
	const values: Value[] = [];
	const operators: string[] = [];
	/** Applies what stands on top and binds at least as tightly. */
	const apply = (precedence: number): boolean => {
		for (;;) {
			const bound = PRECEDENCE.get(operators.at(-1) ?? "") ?? 0;
			if (bound === 0 || bound < precedence) return true;
			const [right, left] = [number(values.pop()), number(values.pop())];
			const result = calculate(operators.pop(), left, right);
			if (result === undefined) return false;
			values.push({ kind: "number", text: String(result) });
		}
	};
	let wanted = true;
	for (let at = 0; at < tokens.length; at++) {
		const token = tokens[at] as Token;
		const { kind, text } = token;
		if (wanted) {
			if (kind === "mark" && text !== "(") return undefined;
			if (kind === "mark") {
				operators.push(text);
				continue;
			}
			wanted = false;
			const length = tokens[at + 2];
			const isPrefix = kind === "address" && tokens[at + 1]?.text === "/" && length?.kind === "number";
			values.push(isPrefix ? { kind: "prefix", text: `${text}/${length.text}` } : resolve(token, defines));
			if (isPrefix) at += 2;
			continue;
		}
		if (kind !== "mark") return undefined;
		if (text === ")") {
			if (!apply(0) || operators.pop() !== "(") return undefined;
			continue;
		}
		const precedence = PRECEDENCE.get(text);
		if (precedence === undefined || !apply(precedence)) return undefined;
		operators.push(text);
		wanted = true;
	}
	return !wanted && apply(0) && operators.length === 0 ? values[0] : undefined;
}

function number(value: Value | undefined): number | undefined {
	return value?.kind === "number" ? Number(value.text) : undefined;
}

/** BIRD's numbers have 32 bits and no sign (filter/f-inst.c, FI_ADD and the like). */
function calculate(
	operator: string | undefined,
	left: number | undefined,
	right: number | undefined,
): number | undefined {
	if (left === undefined || right === undefined) return undefined;
	if (Math.max(left, right) > 0xffffffff) return undefined;
	switch (operator) {
		case "+":
			return (left + right) >>> 0;
		case "-":
			return (left - right) >>> 0;
		case "*":
			return Math.imul(left, right) >>> 0;
		case "/":
			return right === 0 ? undefined : Math.floor(left / right);
		case "|":
			return (left | right) >>> 0;
		case "&":
			return (left & right) >>> 0;
		default:
			return undefined;
	}
}
