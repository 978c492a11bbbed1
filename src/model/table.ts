import type { Config } from "./config.ts";

/** What the table depends on. */
export type TableOptions = Pick<Config["main"], "table" | "scope" | "forwarded" | "bypassMark" | "routeMark">;

/** In which way the text puts the table in place; with none of this, any kernel and any nft takes it. */
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
	/** Other tables of the daemon's that go in the same transaction. */
	readonly former?: readonly string[];
}

export interface PeerAddresses {
	readonly ipv4: readonly string[];
	readonly ipv6: readonly string[];
}
