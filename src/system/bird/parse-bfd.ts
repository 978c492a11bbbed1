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
const STATES: Readonly<Record<string, BfdSession["state"]>> = {
	AdminDown: "admin_down",
	Down: "down",
	Init: "init",
	Up: "up",
};

/** Whether an error says that BFD is not configured, or down: then there are no sessions, and that is known. */
export function saysNoBfd(error: string): boolean {
	return /no bfd protocol running/i.test(error);
}

/**
 * The sessions of an answer to `show bfd sessions all` (BIRD 2.15 and later) or to `show bfd sessions` (a table),
 * over all BFD protocols.
 * @returns undefined when the answer is an error (but see `saysNoBfd`), is cut or is anything else
 */
export function parseBfd(reply: Reply): BfdSession[] | undefined {
	if (reply.error !== undefined) return saysNoBfd(reply.error) ? [] : undefined;
	const sessions: BfdSession[] = [];
	let open: Map<string, string> | undefined;
	for (const { code, text } of reply.lines) {
		if (code !== SESSIONS) return undefined;
		const detail = /^ {2,4}([A-Z][A-Za-z ]*):\s*(.*)$/.exec(text);
		if (detail) {
			const [, name = "", value = ""] = detail;
			open ??= new Map();
			// Parameters, four spaces deep, are of no use here, and some have a session field's name.
			if (!text.startsWith("   ")) open.set(name, value.trim());
			continue;
		}
		const session = text.trim() === "" && open ? fromDetails(open) : open ? undefined : fromOtherLine(text);
		if (session === undefined) return undefined;
		if (session !== "heading") sessions.push(session);
		open = undefined;
	}
	return open ? undefined : sessions;
}

function fromDetails(fields: ReadonlyMap<string, string>): BfdSession | undefined {
	const multihop = fields.get("Session type") === "Multihop" || fields.get("Interface") === "---";
	return session(
		fields.get("Address"),
		multihop ? "---" : fields.get("Interface"),
		fields.get("Session state"),
	);
}

/** A protocol's name, a table's heading, or a row: address, interface, state, since, interval, timeout. */
function fromOtherLine(text: string): BfdSession | "heading" | undefined {
	if (/^\S+:$/.test(text) || /^\S+: is not up$/.test(text) || /^IP address\s/.test(text)) return "heading";
	const [, address, name, state] = /^(\S+)\s+(\S+)\s+(\S+)\s+\S.*\s\d+\.\d+\s+\d+\.\d+$/.exec(text) ?? [];
	return session(address, name, state);
}

function session(
	address: string | undefined,
	name: string | undefined,
	stateName: string | undefined,
): BfdSession | undefined {
	const state = STATES[stateName ?? ""];
	if (address === undefined || !/^[0-9a-fA-F.:]+$/.test(address) || !name || !state) return undefined;
	return name === "---"
		? { address, mode: "multihop", state }
		: { address, interface: name, mode: "direct", state };
}
