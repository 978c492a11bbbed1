/** BIRD's `Last error:` (proto/bgp/bgp.c, `bgp_last_errmsg`; the words are those of `bgp_msg_table` in packets.c). */

export interface BgpError {
	/** Who refused whom: a NOTIFICATION came, or BIRD sent one. */
	readonly by: "peer" | "router";
	/** RFC 4271, section 4.5, and the documents that extend it. */
	readonly code: number;
	readonly subcode?: number;
	readonly text: string;
}

const WORDS: Readonly<Record<string, readonly [number, number?]>> = {
	"Invalid message header": [1],
	"Connection not synchronized": [1, 1],
	"Bad message length": [1, 2],
	"Bad message type": [1, 3],
	"Invalid OPEN message": [2],
	"Unsupported version number": [2, 1],
	"Bad peer AS": [2, 2],
	"Bad BGP identifier": [2, 3],
	"Unsupported optional parameter": [2, 4],
	"Authentication failure": [2, 5],
	"Unacceptable hold time": [2, 6],
	"Required capability missing": [2, 7],
	"No supported AFI/SAFI": [2, 8],
	"Role mismatch": [2, 11],
	Cease: [6],
	"Maximum number of prefixes reached": [6, 1],
	"Administrative shutdown": [6, 2],
	"Peer de-configured": [6, 3],
	"Administrative reset": [6, 4],
	"Connection rejected": [6, 5],
	"Other configuration change": [6, 6],
	"Connection collision resolution": [6, 7],
	"Out of Resources": [6, 8],
};
/** BIRD prints what it has no words for as numbers. */
const NUMBERS = /^Unknown error (\d+)\.(\d+)$/;

/** @returns undefined for an error that is no NOTIFICATION, such as `Socket: Connection closed` */
export function parseLastError(text: string): BgpError | undefined {
	const match = /^(Received|BGP Error): (.+)$/.exec(text);
	if (!match) return undefined;
	const [, side, words = ""] = match;
	const numbers = NUMBERS.exec(words);
	const [code, subcode] = numbers ? [Number(numbers[1]), Number(numbers[2])] : (WORDS[words] ?? []);
	if (code === undefined) return undefined;
	return {
		by: side === "Received" ? "peer" : "router",
		code,
		...(subcode === undefined ? {} : { subcode }),
		text: words,
	};
}

/** Whether it refuses the session, rather than ending one that was up: OPEN errors, and a rejected or shut down peer. */
export function isRefusal({ code, subcode }: BgpError): boolean {
	if (code === 1 || code === 2) return true;
	return code === 6 && (subcode === 2 || subcode === 3 || subcode === 5);
}

/** `Bad peer AS (RFC 4271 code 2, subcode 2)`. */
export function sayError({ text, code, subcode }: BgpError): string {
	return `${text} (RFC 4271 code ${code}${subcode === undefined ? "" : `, subcode ${subcode}`})`;
}

/** What to change, by the error. */
export function adviseError({ by, code, subcode }: BgpError): string {
	const [here, there] = by === "router" ? ["neighbor … as", "myASN"] : ["local … as", "peerASN"];
	if (code === 2 && subcode === 2)
		return `make the AS numbers agree: \`${here}\` in BIRD and \`${there}\` in MetalLB's BGPPeer`;
	if (code === 2 && subcode === 3) return "give router and speaker different router ids";
	if (code === 2 && subcode === 6)
		return "raise the hold time: at least 3 s on both sides (MetalLB: holdTime)";
	if (code === 2 && subcode === 8) return "configure a channel (ipv4, ipv6) that both sides have";
	if (code === 6 && subcode === 2) return "the other side is shut down by its administrator: enable it there";
	if (code === 6 && (subcode === 3 || subcode === 5))
		return "the other side does not have this router as a peer: add it there";
	return "compare the configuration of both sides";
}
