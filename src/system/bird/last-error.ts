import { wholeNumber } from "../../lib/number.ts";
import type { LastError } from "../../model/bird.ts";

/** BIRD's words for NOTIFICATIONs (proto/bgp/packets.c, `bgp_msg_table`): code and subcode of RFC 4271, section 4.5. */
const WORDS: ReadonlyMap<string, readonly [number, number?]> = new Map<string, readonly [number, number?]>([
	["Invalid message header", [1]],
	["Connection not synchronized", [1, 1]],
	["Bad message length", [1, 2]],
	["Bad message type", [1, 3]],
	["Invalid OPEN message", [2]],
	["Unsupported version number", [2, 1]],
	["Bad peer AS", [2, 2]],
	["Bad BGP identifier", [2, 3]],
	["Unsupported optional parameter", [2, 4]],
	["Authentication failure", [2, 5]],
	["Unacceptable hold time", [2, 6]],
	["Required capability missing", [2, 7]],
	["No supported AFI/SAFI", [2, 8]],
	["Role mismatch", [2, 11]],
	["Hold timer expired", [4]],
	["Finite state machine error", [5]],
	["Cease", [6]],
	["Maximum number of prefixes reached", [6, 1]],
	["Administrative shutdown", [6, 2]],
	["Peer de-configured", [6, 3]],
	["Administrative reset", [6, 4]],
	["Connection rejected", [6, 5]],
	["Other configuration change", [6, 6]],
	["Connection collision resolution", [6, 7]],
	["Out of Resources", [6, 8]],
]);

/** BIRD prints what it has no words for as numbers. */
const NUMBERS = /^Unknown error (\d+)\.(\d+)$/;

/** What BIRD prints after `Last error:` (proto/bgp/bgp.c, `bgp_last_errmsg`). Never throws. */
export function parseLastError(text: string): LastError {
	if (text.includes("BFD session down")) return { text, bfdDown: true };
	const [, side, words = ""] = /^(Received|BGP Error): (.+)$/.exec(text) ?? [];
	const numbers = NUMBERS.exec(words);
	const [code, subcode] = numbers
		? numbers.slice(1).map((number) => wholeNumber(number, 255))
		: (WORDS.get(words) ?? []);
	if (code === undefined || (numbers && subcode === undefined)) return { text };
	const by = side === "Received" ? "peer" : "router";
	return { text, notification: { by, code, ...(subcode === undefined ? {} : { subcode }), text: words } };
}
