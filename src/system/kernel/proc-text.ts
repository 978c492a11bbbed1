/** Addresses as /proc/net prints them: words of 32 bits as this machine has them in memory, in hexadecimal. */

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** @param digits 8 of them (`%08X` of a `__be32`). @returns e.g. `192.168.1.1`; undefined for anything else */
export function ipv4OfHex(digits: string, littleEndian = LITTLE_ENDIAN): string | undefined {
	return /^[0-9a-fA-F]{8}$/.test(digits) ? bytesOf(digits, littleEndian).join(".") : undefined;
}

/** @param digits 32 of them, in network order, as in /proc/net/if_inet6. @returns an address that is not shortened */
export function ipv6OfHex(digits: string): string | undefined {
	return /^[0-9a-fA-F]{32}$/.test(digits) ? digits.replace(/(.{4})(?!$)/g, "$1:") : undefined;
}

/** @param digits 32 of them, in four words, as in /proc/net/tcp6 */
export function ipv6OfWords(digits: string, littleEndian = LITTLE_ENDIAN): string | undefined {
	if (!/^[0-9a-fA-F]{32}$/.test(digits)) return undefined;
	const bytes = [0, 8, 16, 24].flatMap((at) => bytesOf(digits.slice(at, at + 8), littleEndian));
	return ipv6OfHex(bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(""));
}

function bytesOf(word: string, littleEndian: boolean): number[] {
	const bytes = [0, 2, 4, 6].map((at) => Number.parseInt(word.slice(at, at + 2), 16));
	return littleEndian ? bytes.reverse() : bytes;
}
