import type { Level } from "../../model/catalog.ts";
import type { Finding } from "../finding.ts";

/** One place on the way of a client's packets to a service and back. */
export interface Step {
	/** What is told: `announced`, `BIRD`, `kernel`, `next hop`, `there`, `back`, `connection`. */
	readonly at: string;
	readonly text: string;
	readonly level: Level;
}

/** What a part of the way has brought: steps, in order, and what is wrong there. */
export interface Reviewed {
	readonly steps: readonly Step[];
	readonly findings: readonly Finding[];
}

/** Steps that are as bad as the gravest of the findings that they led to. */
export function told(at: string, texts: readonly string[], findings: readonly Finding[] = []): Reviewed {
	const level = (["red", "yellow"] as const).find((each) => findings.some((found) => found.level === each));
	return { steps: texts.map((text) => ({ at, text, level: level ?? "green" })), findings };
}

export function together(...parts: readonly Reviewed[]): Reviewed {
	return {
		steps: parts.flatMap(({ steps }) => steps),
		findings: parts.flatMap(({ findings }) => findings),
	};
}
