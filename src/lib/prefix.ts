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

/** Whether an address lies in a prefix. @param prefix its address, 4 or 16 bytes; @param length its bits */
export function inPrefix(address: readonly number[], prefix: readonly number[], length: number): boolean {
	return (
		address.length === prefix.length &&
		address.every((byte, index) => ((byte ^ (prefix[index] ?? 0)) & networkMask(length, index)) === 0)
	);
}

/** Whether an address without a zone lies in a prefix, both as text; false for what is neither. */
export function prefixContains(prefix: string, address: string): boolean {
	const parsed = parsePrefix(prefix);
	const bytes = parseAddress(prefix.split("/")[0] ?? "")?.bytes;
	const wanted = parseAddress(address)?.bytes;
	return (
		parsed !== undefined &&
		bytes !== undefined &&
		wanted !== undefined &&
		inPrefix(wanted, bytes, parsed.length)
	);
}

function hasHostBits({ bytes }: Address, length: number): boolean {
	return bytes.some((byte, index) => (byte & ~networkMask(length, index)) !== 0);
}

/** The bits of one byte that belong to the network. @param index of the byte, from 0 */
function networkMask(length: number, index: number): number {
	const bits = Math.min(Math.max(length - index * 8, 0), 8);
	return (0xff << (8 - bits)) & 0xff;
}
