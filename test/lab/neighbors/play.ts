import type { Ledger } from "./ledger.ts";

/** One neighbor, and what it may not bring about. */
export interface Play {
	/** The part of the table at the end. */
	readonly group: string;
	readonly name: string;
	/** Played with QUICK=1 too. */
	readonly quick: boolean;
	/** @throws Error when the play itself cannot go on */
	run(ledger: Ledger): Promise<void>;
}
