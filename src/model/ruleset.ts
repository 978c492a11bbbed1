/** A ruleset as `nft -j list ruleset` tells it (libnftables-json(5)), typed as far as a packet's way depends on it. */

/** Families whose chains IP packets to and from this router meet. */
export type Family = "inet" | "ip" | "ip6" | "netdev";
export type Hook = "ingress" | "egress" | "prerouting" | "input" | "forward" | "output" | "postrouting";

/** A symbol or text, a number, yes or no; an IP address is its 4 or 16 bytes. */
export type Value = string | number | boolean | readonly number[];

/** Something of a packet, or computed from it. */
export type Expression =
	| { readonly kind: "payload"; readonly protocol: string; readonly field: string }
	/** Bits of a header, by position: base `ll`, `nh` or `th`, offset and length in bits. */
	| { readonly kind: "raw"; readonly base: string; readonly offset: number; readonly length: number }
	| { readonly kind: "meta"; readonly key: string }
	/** Keys that name a direction of the connection have one. */
	| { readonly kind: "ct"; readonly key: string; readonly direction?: string }
	| { readonly kind: "fib"; readonly result: string; readonly flags: readonly string[] }
	| { readonly kind: "socket"; readonly key: string }
	| { readonly kind: "concat"; readonly parts: readonly Expression[] }
	| {
			readonly kind: "binary";
			readonly operator: BinaryOperator;
			readonly left: Expression;
			readonly right: Expression;
	  }
	| { readonly kind: "value"; readonly value: Value }
	/** `name` is nft's key for it. */
	| { readonly kind: "unknown"; readonly name: string };

export type BinaryOperator = "&" | "|" | "^" | "<<" | ">>";
export type Relation = "==" | "!=" | "<" | ">" | "<=" | ">=" | "in";

/** What an expression is compared with. */
export type Pattern =
	| { readonly kind: "is"; readonly value: Value }
	/** Several bits at once, such as `syn|ack`. */
	| { readonly kind: "bits"; readonly values: readonly Value[] }
	| { readonly kind: "prefix"; readonly bytes: readonly number[]; readonly length: number }
	| { readonly kind: "range"; readonly from: Value; readonly to: Value }
	| { readonly kind: "any"; readonly of: readonly Pattern[] }
	| { readonly kind: "concat"; readonly parts: readonly Pattern[] }
	/** The element `*` of a set or map: what none of the others fits. */
	| { readonly kind: "all" }
	/** A set of the same table. */
	| { readonly kind: "named"; readonly set: string }
	| { readonly kind: "unknown" };

export type Verdict =
	| { readonly kind: "accept" | "drop" | "return" | "continue" }
	| { readonly kind: "jump" | "goto"; readonly target: string };

export type Statement =
	| {
			readonly kind: "match";
			readonly relation: Relation;
			readonly left: Expression;
			readonly right: Pattern;
	  }
	| { readonly kind: "verdict"; readonly verdict: Verdict }
	| {
			readonly kind: "vmap";
			readonly key: Expression;
			/** A map's name, or its entries. */
			readonly map: string | readonly VerdictEntry[];
	  }
	/** `with`: nft's words, e.g. `tcp reset`. */
	| { readonly kind: "reject"; readonly with?: string }
	| { readonly kind: "queue"; readonly to?: string; readonly bypass: boolean }
	| {
			readonly kind: "tproxy" | "redirect" | "dnat" | "snat" | "masquerade";
			readonly family?: string;
			readonly address?: string;
			readonly port?: number;
			readonly lookups?: readonly Lookup[];
	  }
	| { readonly kind: "synproxy" | "notrack" }
	/** Writes to a packet or its connection. */
	| {
			readonly kind: "set";
			readonly target: Expression;
			readonly value: Expression;
			readonly lookups?: readonly Lookup[];
	  }
	/** A rate, a quota or a number of connections: `over` matches beyond it. `what` is nft's key. */
	| { readonly kind: "limit"; readonly what: string; readonly over: boolean }
	| { readonly kind: "counter"; readonly packets: number }
	/** Nothing that stops or changes a packet: log, set updates, helpers. */
	| { readonly kind: "passive"; readonly name: string }
	/** `name` is nft's key for it. It may match or not. */
	| { readonly kind: "unknown"; readonly name: string };

/** A map that a statement takes its value from: without an entry for the packet, the kernel ends the rule there. */
export interface Lookup {
	readonly key: Expression;
	readonly keys: Pattern;
}

export interface VerdictEntry {
	readonly key: Pattern;
	readonly verdict: Verdict;
}

export interface Rule {
	readonly family: Family;
	readonly table: string;
	readonly chain: string;
	readonly handle: number;
	readonly comment?: string;
	readonly statements: readonly Statement[];
	/**
	 * One statement, read when first asked for: most rules have nothing to do with a packet, and their first statement shows it.
	 * @returns undefined behind the last one
	 */
	at(index: number): Statement | undefined;
}

/** Where a base chain is attached. */
export interface Attachment {
	readonly type: string;
	readonly hook: Hook;
	readonly priority: number;
	readonly policy: "accept" | "drop";
	/** Names of the interfaces whose packets it sees; absent: all of them. */
	readonly devices?: readonly string[];
}

export interface Chain {
	readonly name: string;
	/** Absent for a chain that only jumps lead to. */
	readonly base?: Attachment;
	readonly rules: readonly Rule[];
}

/** A set or a map. What it holds is read when first asked for: sets of countries have thousands of elements. */
export interface NamedSet {
	/** Undefined where the elements were not listed. */
	elements(): readonly Pattern[] | undefined;
	/** The same of a map to verdicts. */
	verdicts(): readonly VerdictEntry[] | undefined;
}

export interface Table {
	readonly family: Family;
	readonly name: string;
	/** Switched off as a whole. */
	readonly dormant: boolean;
	/** A process owns it: nobody else may change it. */
	readonly owned: boolean;
	readonly chains: ReadonlyMap<string, Chain>;
	readonly sets: ReadonlyMap<string, NamedSet>;
}

export interface Ruleset {
	/** In the listing's order, which is that of creation. */
	readonly tables: readonly Table[];
	/** Tables of family bridge that have rules: they are not read. */
	readonly bridges: readonly string[];
	/** Version of nft, e.g. `1.1.3`. */
	readonly version?: string;
}
