import type { FindingId, Level } from "../model/catalog.ts";

/** One thing that was checked. The shape of `doctor --json`'s findings. */
export interface Finding {
	/** Stable: an id of the catalog, or the name of something that is fine. */
	readonly id: string;
	readonly level: Level;
	/** What it is about: a peer's name, a program, a file, `router`. */
	readonly subject: string;
	/** One sentence or two about what was seen. */
	readonly text: string;
	/** What a person should do; absent when nothing. */
	readonly advice?: string;
	/** What it rests on, one line each. */
	readonly evidence?: readonly string[];
}

export const green = (id: string, subject: string, text: string): Finding => ({
	id,
	level: "green",
	subject,
	text,
});

export const yellow = (
	id: FindingId,
	subject: string,
	text: string,
	advice?: string,
	evidence: readonly string[] = [],
): Finding => ({
	id,
	level: "yellow",
	subject,
	text,
	...(advice === undefined ? {} : { advice }),
	...(evidence.length > 0 ? { evidence } : {}),
});

export const red: typeof yellow = (...what) => ({ ...yellow(...what), level: "red" });
