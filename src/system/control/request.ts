import type { Command, Verb } from "../../model/command.ts";

/** Names in the run directory. */
export const CONTROL_FIFO = "control";
export const REPLIES = "replies";

const VERBS: readonly Verb[] = ["ensure", "release", "flush", "restart"];
/** Verb, BIRD's name of a protocol (conf/cf-lex.l), id. */
const LINE = /^(\w+)(?: ([A-Za-z0-9_.:-]{1,64}))?(?: #([A-Za-z0-9-]{1,40}))?$/;

/** The reply to a request, as JSON in `replies/ID`. */
export interface Reply {
	readonly ok: boolean;
	readonly text: string;
}

/**
 * A request is one line of words, so that a shell script can write it as well: `ensure`, `flush`, `restart PEER`;
 * who wants an answer adds an id: `flush #4711-1`.
 */
export function requestLine({ verb, peer, id }: Command): string {
	// Whatever somebody has left in the FIFO without an end, this is a line of its own.
	return `\n${verb}${peer === undefined ? "" : ` ${peer}`}${id === undefined ? "" : ` #${id}`}\n`;
}

/** @returns undefined when the line is no request */
export function parseRequest(line: string): Command | undefined {
	const [, word, peer, id] = LINE.exec(line.trim()) ?? [];
	const verb = VERBS.find((known) => known === word);
	if (!verb || (verb === "restart") !== (peer !== undefined)) return undefined;
	return { verb, ...(peer === undefined ? {} : { peer }), ...(id === undefined ? {} : { id }) };
}
