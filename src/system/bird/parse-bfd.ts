import type { BfdState } from "../../model/bird.ts";
import type { Reply } from "./replies.ts";

/** One BFD session of BIRD. */
export interface BfdSession {
	/** The neighbor, without a zone. */
	readonly address: string;
	/** Absent in a multihop session. */
	readonly interface?: string;
	readonly mode: "direct" | "multihop";
	readonly state: Exclude<BfdState, "none">;
}

const SESSIONS = 1020;
/** proto/bfd/bfd.c, bfd_state_names. */
const STATES: ReadonlyMap<string, BfdSession["state"]> = new Map([
	["AdminDown", "admin_down"],
	["Down", "down"],
	["Init", "init"],
	["Up", "up"],
]);

/** Whether an error says that BFD is not configured, or down: then there are no sessions, and that is known. */
export function saysNoBfd(error: string): boolean {
	return /no bfd protocol running/i.test(error);
}

/**
 * Reads answers to `show bfd sessions`: a table for each BFD protocol. (`all`, which BIRD has since 2.15, says no more of what
 * is wanted, in fifteen times as many lines.) A row that was in the answer before is the same object.
 */
export class BfdReader {
	private known: ReadonlyMap<string, BfdSession | "heading"> = new Map();
	private rows = new Map<string, BfdSession | "heading">();

	/** Another answer begins. */
	begin(): void {
		this.rows = new Map();
	}

	/** Takes a line of it. @returns false: it is out of place */
	take(code: number, text: string): boolean {
		const row = code === SESSIONS ? (this.known.get(text) ?? parseRow(text)) : undefined;
		if (row) this.rows.set(text, row);
		return row !== undefined;
	}

	/** The answer is complete. */
	end(): BfdSession[] {
		this.known = this.rows;
		return [...this.rows.values()].filter((row) => row !== "heading");
	}
}

/**
 * The sessions of one whole answer.
 * @returns undefined when the answer is an error (but see `saysNoBfd`), is cut or is anything else
 */
export function parseBfd(reply: Reply): BfdSession[] | undefined {
	if (reply.error !== undefined) return saysNoBfd(reply.error) ? [] : undefined;
	const reader = new BfdReader();
	return reply.lines.every(({ code, text }) => reader.take(code, text)) ? reader.end() : undefined;
}

/** A protocol's name, a table's heading, or a row: address, interface, state, since, interval, timeout. */
function parseRow(text: string): BfdSession | "heading" | undefined {
	if (/^\S+:$/.test(text) || /^\S+: is not up$/.test(text) || /^IP address\s/.test(text)) return "heading";
	const [, address, name, stateName = ""] =
		/^(\S+)\s+(\S+)\s+(\S+)\s+\S.*\s\d+\.\d+\s+\d+\.\d+$/.exec(text) ?? [];
	const state = STATES.get(stateName);
	if (address === undefined || !/^[0-9a-fA-F.:]+$/.test(address) || !name || !state) return undefined;
	return name === "---"
		? { address, mode: "multihop", state }
		: { address, interface: name, mode: "direct", state };
}
