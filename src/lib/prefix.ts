/** Prefixes as text, `192.168.20.0/24`: parsed and in one canonical form. */

import { type Address, parseAddress } from "./address.ts";

export interface Prefix {
	readonly family: 4 | 6;
	/** Canonical text; equal prefixes are equal texts. */
	readonly text: string;
	/** 0 to 32 or 128. */
	readonly length: number;
}

/** A prefix without bits behind its length; an address alone is a prefix of one. Undefined for anything else. */
export function parsePrefix(text: string): Prefix | undefined {
	const [plain = "", bits, extra] = text.split("/");
	const address = parseAddress(plain);
	if (!address || address.zone !== undefined || extra !== undefined) return undefined;
	const whole = address.bytes.length * 8;
	if (bits !== undefined && !/^(0|[1-9][0-9]{0,2})$/.test(bits)) return undefined;
	const length = bits === undefined ? whole : Number(bits);
	if (length > whole || hasHostBits(address, length)) return undefined;
	return { family: address.family, text: `${address.text}/${length}`, length };
}

function hasHostBits(address: Address, length: number): boolean {
	return address.bytes.some((byte, index) => {
		const host = Math.min(Math.max((index + 1) * 8 - length, 0), 8);
		return (byte & ((1 << host) - 1)) !== 0;
	});
}
