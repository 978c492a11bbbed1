import { createInterface } from "node:readline";

/** What a neighbor tells whoever plays it: one line of JSON each. */
export type Report =
	/** It is ready. */
	| { readonly kind: "ready" }
	/** A connection was opened by the daemon. */
	| { readonly kind: "open"; readonly connection: number }
	/** A connection gets to see the attack from now on. */
	| { readonly kind: "attacked"; readonly connection: number }
	/** A connection is over. @property milliseconds since the attack on it began; absent: there was none */
	| {
			readonly kind: "closed";
			readonly connection: number;
			readonly milliseconds?: number;
			readonly bytes: number;
	  }
	/** The daemon has published something on a topic for the first time. */
	| { readonly kind: "published"; readonly topic: string }
	/** The daemon has removed what was retained on a topic. @property own it had published there itself */
	| { readonly kind: "emptied"; readonly topic: string; readonly own: boolean }
	/** How much was done until now. */
	| { readonly kind: "count"; readonly count: number };

export function report(what: Report): void {
	process.stdout.write(`${JSON.stringify(what)}\n`);
}

/** Calls back with each word on standard input, and ends with it: whoever plays this neighbor is gone then. */
export function listen(onWord: (word: string) => void): void {
	createInterface({ input: process.stdin })
		.on("line", onWord)
		.on("close", () => process.exit(0));
}
