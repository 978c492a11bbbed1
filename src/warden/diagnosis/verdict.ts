import { zoneOfChains } from "../../model/fw4-zone.ts";
import type { Hop, PacketTrace } from "../../model/packet-trace.ts";
import { EFFECTS, type Effect, effectOfRule } from "../../model/rule-effect.ts";

/** What the ruleset did with a packet. */
export type PacketVerdict =
	/** No rule ended its way, as far as it was traced. */
	| { readonly kind: "passed" }
	/** `stopped`: dropped or rejected; `diverted`: it went somewhere else. */
	| { readonly kind: "stopped" | "diverted"; readonly effect: Effect; readonly hop: Hop };

const DIVERTS: ReadonlySet<Effect> = new Set(["tproxy", "redirect", "dnat", "queue", "fwd"]);

/**
 * @param own the daemon's table, whose rules say nothing about others
 * @returns the first thing that stopped or diverted the packet
 */
export function verdictOf(trace: PacketTrace, own: string): PacketVerdict {
	for (const [index, hop] of trace.hops.entries()) {
		if (hop.family === "inet" && hop.table === own) continue;
		const named = hop.rule === undefined ? undefined : effectOfRule(hop.rule);
		const effect = hop.verdict === "queue" ? "queue" : named;
		// A program that inspects packets in a queue and hands them back lets them pass.
		if (effect === "queue" && trace.hops.length > index + 1) continue;
		if (effect !== undefined && DIVERTS.has(effect)) return { kind: "diverted", effect, hop };
		if (hop.verdict === "drop")
			return { kind: "stopped", effect: effect === "reject" ? effect : "drop", hop };
	}
	return { kind: "passed" };
}

/** `redirected by the rule "…" of chain pre in table inet proxy`. */
export function describeVerdict({ effect, hop }: Exclude<PacketVerdict, { kind: "passed" }>): string {
	return `${EFFECTS[effect]} ${describeHop(hop)}`;
}

/** `the rule "…" of chain input_lan in table inet fw4`, or the chain's policy. */
export function describeHop({ family, table, chain, rule, handle, policy }: Hop): string {
	const what = policy ? "the policy" : rule === undefined ? `rule ${handle ?? "?"}` : `the rule "${rule}"`;
	return `${what} of chain ${chain} in table ${family} ${table}`;
}

export function zoneOf({ hops }: PacketTrace): string | undefined {
	return zoneOfChains(
		hops.flatMap(({ family, table, chain }) => (family === "inet" && table === "fw4" ? chain : [])),
	);
}

/** Where the packet's way ended in each base chain, e.g. `inet custom_bgp raw_pre: accept, inet fw4 handle_reject: drop`. */
export function describeWay({ hops }: PacketTrace): string {
	return hops
		.filter(({ verdict }) => !["continue", "jump", "goto", "return"].includes(verdict))
		.map(({ family, table, chain, verdict }) => `${family} ${table} ${chain}: ${verdict}`)
		.join(", ");
}
