import { parseAddress } from "../../lib/address.ts";
import { inPrefix } from "../../lib/prefix.ts";

/** Whether an address, in canonical text, is this router's own. */
export type IsLocal = (address: string) => boolean;

/**
 * The router's own addresses.
 * @param fibTrie text of /proc/net/fib_trie: IPv4 prefixes that the kernel delivers to itself
 * @param ifInet6 text of /proc/net/if_inet6, empty where there is no IPv6
 */
export function localAddresses(fibTrie: string, ifInet6: string): IsLocal {
	const prefixes = parseFibTrie(fibTrie);
	const wide = [...prefixes.values()].filter(({ length }) => length < 32);
	const inWide = (bytes: readonly number[] = []) =>
		wide.some(({ address, length }) => inPrefix(bytes, parseAddress(address)?.bytes ?? [], length));
	const addresses = new Set(parseIfInet6(ifInet6));
	for (const { address, length } of prefixes.values()) {
		if (length === 32) addresses.add(address);
	}
	return (address) => addresses.has(address) || inWide(parseAddress(address)?.bytes);
}

/** The router's own IPv4 addresses, 4 bytes each, out of /proc/net/fib_trie. */
export function ownIpv4(fibTrie: string): (readonly number[])[] {
	const hosts = [...parseFibTrie(fibTrie).values()].filter(({ length }) => length === 32);
	return hosts.flatMap(({ address }) => [parseAddress(address)?.bytes ?? []]);
}

interface Prefix {
	readonly address: string;
	readonly length: number;
}

/** A leaf's address stands on a line of its own, its routes below it (net/ipv4/fib_trie.c, fib_trie_seq_show). */
function parseFibTrie(text: string): Map<string, Prefix> {
	const found = new Map<string, Prefix>();
	for (const [, address = "", routes = ""] of text.matchAll(/\|-- ([\d.]+)\n((?: *\/\d+ .*\n?)+)/g)) {
		for (const [, length] of routes.matchAll(/^ *\/(\d+) host LOCAL/gm))
			found.set(`${address}/${length}`, { address, length: Number(length) });
	}
	return found;
}

/** 32 hexadecimal digits, then index, prefix length, scope, flags and name, in hexadecimal but for the name. */
function parseIfInet6(text: string): string[] {
	return [...text.matchAll(/^([0-9a-f]{32}) /gm)].flatMap(([, digits = ""]) => {
		const address = parseAddress(digits.replace(/(.{4})(?!$)/g, "$1:"));
		return address ? [address.text] : [];
	});
}
