import type { BfdOptions } from "../../../model/bird-configuration.ts";
import type { Defines } from "./expressions.ts";
import type { Statement } from "./statements.ts";
import { Words } from "./words.ts";

/** Intervals and the like of BFD, as an interface, `multihop` and BGP's `bfd { … }` have them. */
export function bfdOptions(statements: readonly Statement[], defines: Defines): BfdOptions {
	const options: { -readonly [Key in keyof BfdOptions]: BfdOptions[Key] | undefined } = {};
	for (const statement of statements) {
		const words = new Words(statement, defines);
		if (words.accept("interval")) options.minReceive = options.minTransmit = words.milliseconds();
		else if (words.accept("min", "rx", "interval")) options.minReceive = words.milliseconds();
		else if (words.accept("min", "tx", "interval")) options.minTransmit = words.milliseconds();
		else if (words.accept("idle", "tx", "interval")) options.idleTransmit = words.milliseconds();
		else if (words.accept("multiplier")) options.multiplier = words.number();
		else if (words.accept("passive")) options.passive = words.switch();
	}
	return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** `"eth*", -"eth1", 192.168.1.0/24`. */
export function interfacePatterns(words: Words): string[] {
	const patterns: string[] = [];
	let pattern = "";
	for (let token = words.value(); token; token = words.value()) {
		if (token.kind !== "mark" || token.text !== ",") {
			pattern += pattern === "" || pattern === "-" ? token.text : ` ${token.text}`;
			continue;
		}
		patterns.push(pattern);
		pattern = "";
	}
	return [...patterns, pattern].filter((each) => each !== "");
}
