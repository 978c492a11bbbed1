import type { BgpError } from "../../model/bird.ts";

export const WORDS: Readonly<Record<string, readonly [number, number?]>> = {
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
export const NUMBERS = /^Unknown error (\d+)\.(\d+)$/;

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
