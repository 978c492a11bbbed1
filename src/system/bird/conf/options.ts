import type { BfdOptions, ChannelConfiguration } from "../../../model/bird-configuration.ts";
import type { Statement } from "./statements.ts";
import { type Defines, Words } from "./words.ts";

const FAMILY = /^(ipv4|ipv6|vpn4|vpn6|roa4|roa6|flow4|flow6|eth|mpls|aspa|evpn)$/;
const SUBFAMILIES = ["multicast", "mpls", "sadr"];

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
			pattern +=
				pattern === "" || pattern === "-" || token.text === "/" || pattern.endsWith("/")
					? token.text
					: ` ${token.text}`;
			continue;
		}
		patterns.push(pattern);
		pattern = "";
	}
	return [...patterns, pattern].filter((each) => each !== "");
}

/** Adds `ipv4 { import …; export …; }` to the channels, or changes the one that a template has brought. */
export function readChannel(
	words: Words,
	defines: Defines,
	channels: Map<string, ChannelConfiguration>,
): void {
	if (!FAMILY.test(words.peek()?.text ?? "")) return;
	const family = [words.name(), SUBFAMILIES.includes(words.peek()?.text ?? "") ? words.name() : undefined]
		.filter((word) => word !== undefined)
		.join(" ");
	const channel: { family: string; import?: string; export?: string } = { ...channels.get(family), family };
	for (const statement of words.block ?? []) {
		const inner = new Words(statement, defines);
		for (const direction of ["import", "export"] as const) {
			if (!inner.accept(direction)) continue;
			if (["limit", "table", "keep", "block"].includes(inner.peek()?.text ?? "")) continue;
			const filter = inner.rest();
			channel[direction] = inner.block ? `${filter} { … }` : filter;
		}
	}
	channels.set(family, channel);
}
