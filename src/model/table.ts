import type { MainConfig } from "./config.ts";

/** The options that shape the table. This is the only list of them. */
export const TABLE_OPTIONS = ["table", "scope", "forwarded", "bypassMark", "routeMark"] as const;

export type TableOptions = Pick<MainConfig, (typeof TABLE_OPTIONS)[number]>;

/** Everything that decides what the table does: the same specification is the same table. */
export interface TableSpec extends TableOptions {
	/** Of peers, IPv4 and IPv6, and prefixes of `neighbor range`, for scope `peers`; not used with scope `any`. */
	readonly addresses: readonly string[];
	/** TCP ports of BGP, ascending; 179 among them. */
	readonly ports: readonly number[];
	/** Peers and ranges that have a trace limit of their own, with scope `any`: others send SYNs without end. */
	readonly traced?: readonly string[];
}

/** Whether the options ask for the same table. */
export function sameTable(one: TableOptions, other: TableOptions): boolean {
	return TABLE_OPTIONS.every((option) => one[option] === other[option]);
}

/** The part of some settings that shapes the table. */
export function tableSpec(
	options: TableOptions,
	addresses: readonly string[],
	ports: readonly number[],
	traced: readonly string[] = [],
): TableSpec {
	const { table, scope, forwarded, bypassMark, routeMark } = options;
	const apart = traced.length > 0 ? { traced } : {};
	return { table, scope, forwarded, bypassMark, routeMark, addresses, ports, ...apart };
}

/** How the text puts the table in place; with none of this, any kernel and any nft takes it. */
export interface TableForm {
	/**
	 * The table belongs to the process that makes it, and stays when that ends: kernel 6.9, nft 1.1.0. Never one flag
	 * without the other: a table with `owner` alone (kernel 5.12) vanishes with its owner.
	 */
	readonly owned?: boolean;
	/**
	 * Replaces the table with `destroy` (kernel 6.3, nft 1.0.7). Needed for one whose owner has ended: it has the flag
	 * `persist`, and naming it without that flag, as `table NAME` does, is refused. Implied by `owned`.
	 */
	readonly destroy?: boolean;
	/** Other tables of the daemon's that are removed in the same transaction. */
	readonly former?: readonly string[];
}
