/** `red`: broken now, or bound to break; `yellow`: worth changing; `green`: looked at and fine. */
export type Level = "red" | "yellow" | "green";

/** One thing that was looked at. The shape of `doctor --json`'s findings. */
export interface Finding {
	/** Stable: a diagnosis of a peer (see DIAGNOSES in report/status.ts) or a name of the review's own. */
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

export const yellow = (id: string, subject: string, text: string, advice?: string): Finding => ({
	id,
	level: "yellow",
	subject,
	text,
	...(advice === undefined ? {} : { advice }),
});

export const red = (id: string, subject: string, text: string, advice?: string): Finding => ({
	...yellow(id, subject, text, advice),
	level: "red",
});
