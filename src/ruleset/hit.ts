import type { Effect } from "../model/rule-effect.ts";
import type { Hook, Rule, Statement, Table } from "../model/ruleset.ts";
import type { Journey, Situation } from "./packet.ts";

/** A rule, or a policy, that does something to the packet. */
export interface RuleHit {
	readonly effect: Effect;
	/** Whether it is sure that the packet gets there and matches. */
	readonly certain: boolean;
	readonly hook: Hook;
	readonly table: Table;
	/** The base chain that the packet entered. */
	readonly base: string;
	readonly priority: number;
	/** Chains from the base chain to the rule's own. */
	readonly path: readonly string[];
	/** Absent: the base chain's policy. */
	readonly rule?: Rule;
	readonly statement?: Statement;
}

export interface Walk {
	readonly journey: Journey;
	/** In the order they are met. */
	readonly hits: readonly RuleHit[];
	/**
	 * `stopped`: dropped or rejected; `diverted`: NAT sends it elsewhere; `through`: it arrives, though a proxy may have
	 * it (see `hits`).
	 */
	readonly outcome: "through" | "stopped" | "diverted";
	/** What conntrack makes of it at the end; undefined: not known. */
	readonly state: Situation["state"];
	/** The packet's mark when a packet that came in is routed; undefined: not known. */
	readonly mark: number | undefined;
	/** A rule may have lowered the largest segment that TCP offers. */
	readonly clamped: boolean;
}
