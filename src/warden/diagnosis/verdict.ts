import type { Hop, PacketTrace } from "../../model/packet-trace.ts";

/** What the ruleset did with a packet. */
export type PacketVerdict =
	/** No rule ended its way, as far as it was traced. */
	| { readonly kind: "passed" }
	| { readonly kind: "dropped"; readonly hop: Hop }
	/** A rule sent it somewhere else. */
	| { readonly kind: "diverted"; readonly how: Diversion; readonly hop: Hop };

export type Diversion = "tproxied" | "redirected" | "queued" | "duplicated away";

const DIVERSIONS: readonly (readonly [RegExp, Diversion])[] = [
	[/\btproxy\b|\bTPROXY\b/, "tproxied"],
	[/\b(?:redirect|dnat|REDIRECT|DNAT)\b/, "redirected"],
	[/\bqueue\b|\bNFQUEUE\b/, "queued"],
	[/\bfwd (?:ip6? )?to\b/, "duplicated away"],
];

/**
 * @param own the daemon's table, whose rules say nothing about anybody
 * @returns the first thing that was done to it that was not letting it pass
 */
export function verdictOf(trace: PacketTrace, own: string): PacketVerdict {
	for (const [index, hop] of trace.hops.entries()) {
		if (hop.family === "inet" && hop.table === own) continue;
		const how = hop.rule === undefined ? undefined : diversionOf(hop.rule);
		// A program that looks at packets in a queue and hands them back lets them pass.
		if ((how === "queued" || hop.verdict === "queue") && trace.hops.length > index + 1) continue;
		if (how !== undefined) return { kind: "diverted", how, hop };
		if (hop.verdict === "queue") return { kind: "diverted", how: "queued", hop };
		if (hop.verdict === "drop") return { kind: "dropped", hop };
	}
	return { kind: "passed" };
}

/** What is said in a comment or a log prefix is not done. */
function diversionOf(rule: string): Diversion | undefined {
	const statements = rule.replace(/"[^"]*"/g, '""');
	return DIVERSIONS.find(([pattern]) => pattern.test(statements))?.[1];
}

/** `inet fw4 handle_reject`. */
export function chainOf({ family, table, chain }: Hop): string {
	return `${family} ${table} ${chain}`;
}

/** `rule "…" of chain input_lan, table inet fw4`, or the chain's policy. */
export function describeHop({ family, table, chain, rule, handle, policy }: Hop): string {
	const what = policy ? "the policy" : rule === undefined ? `rule ${handle ?? "?"}` : `the rule "${rule}"`;
	return `${what} of chain ${chain} in table ${family} ${table}`;
}

/** fw4 names its chains after zones: `input_lan`, `reject_from_lan`, `drop_from_wan`, `output_lan`, `reject_to_lan`. */
export function zoneOf(trace: PacketTrace): string | undefined {
	for (const { family, table, chain } of trace.hops) {
		if (family !== "inet" || table !== "fw4") continue;
		const zone = /^(?:input|output|reject_from|drop_from|reject_to|drop_to)_(.+)$/.exec(chain)?.[1];
		if (zone !== undefined) return zone;
	}
	return undefined;
}

/** The packet's way, one chain after the other, for a person. */
export function describeWay(trace: PacketTrace): string {
	const ends: string[] = [];
	for (const hop of trace.hops) {
		if (
			hop.verdict === "continue" ||
			hop.verdict === "jump" ||
			hop.verdict === "goto" ||
			hop.verdict === "return"
		)
			continue;
		ends.push(`${chainOf(hop)}: ${hop.verdict}`);
	}
	return ends.join(", ");
}
