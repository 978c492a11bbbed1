import { type Address, parseAddress } from "../../lib/address.ts";
import { inPrefix, parsePrefix } from "../../lib/prefix.ts";
import type { ConnectedNetwork } from "../../model/inspection.ts";
import { FileError, type Files } from "../../platform/types.ts";
import { readLocalAddresses } from "../conntrack/list-flows.ts";
import type { IsLocal } from "../conntrack/local-addresses.ts";
import { ipv4OfHex, ipv6OfHex } from "./proc-text.ts";

/** Bytes of /proc/net/route, which lists every IPv4 route of the table main, 128 bytes each. */
const LIMIT = 1 << 18;
/** RTF_GATEWAY and RTF_REJECT (include/uapi/linux/route.h): an unreachable route is on no interface, which it calls `*`. */
const ELSEWHERE = 0x2 | 0x200;

/**
 * The connected network that an address is in: the router reaches it through that network's interface, unless somebody says
 * otherwise.
 * @param zone of a link-local address: its interface's networks alone count
 * @returns undefined when /proc does not tell
 */
export function connectedNetwork(
	files: Files,
	address: Address,
	zone: string | undefined,
): ConnectedNetwork | "none" | undefined {
	try {
		const all =
			address.family === 4
				? parseConnected4(files.read("/proc/net/route", LIMIT))
				: parseConnected6(files.read("/proc/net/if_inet6", LIMIT));
		const [network] = all
			.filter((each) => zone === undefined || each.interface === zone)
			.filter(({ bytes, length }) => inPrefix(address.bytes, bytes, length))
			.sort((one, other) => other.length - one.length);
		if (!network) return "none";
		return { prefix: `${network.text}/${network.length}`, interface: network.interface };
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return undefined;
	}
}

/** Hosts that are tried for one that is not this router: its own address is often the first. */
const TRIED = 8;

/**
 * A host that stands for a whole range: inside a connected network where the range has one, and not this router itself.
 * @param prefix e.g. `10.0.0.0/8`
 * @returns its address, and the interface that leads there where that is known; undefined for what is no prefix
 */
export function hostIn(
	files: Files,
	prefix: string,
): { readonly address: string; readonly interface?: string } | undefined {
	const range = parsePrefix(prefix);
	const base = parseAddress(prefix.split("/")[0] ?? "");
	if (!range || !base) return undefined;
	const whole: Network = { text: base.text, bytes: base.bytes, length: range.length, interface: "" };
	const [network] = connectedNetworks(files, range.family).flatMap((each) => {
		if (each.bytes.length !== base.bytes.length) return [];
		if (inPrefix(each.bytes, base.bytes, range.length) && each.length >= range.length) return [each];
		return inPrefix(base.bytes, each.bytes, each.length) ? [{ ...whole, interface: each.interface }] : [];
	});
	const { bytes, length, interface: device } = network ?? whole;
	const isLocal = readLocalAddressesOr(files);
	const first = bytes.length * 8 - length > 1 ? 2 : 0;
	for (let host = first; host < first + TRIED; host++) {
		const address = addressOf([...bytes.slice(0, -1), ((bytes.at(-1) ?? 0) + host) & 0xff]);
		if (address === undefined || isLocal?.(address)) continue;
		return { address, ...(device === "" ? {} : { interface: device }) };
	}
	return undefined;
}

function readLocalAddressesOr(files: Files): IsLocal | undefined {
	try {
		return readLocalAddresses({ files });
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return undefined;
	}
}

function connectedNetworks(files: Files, family: 4 | 6): Network[] {
	try {
		return family === 4
			? parseConnected4(files.read("/proc/net/route", LIMIT))
			: parseConnected6(files.read("/proc/net/if_inet6", LIMIT));
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return [];
	}
}

function addressOf(bytes: readonly number[]): string | undefined {
	if (bytes.length === 4) return bytes.join(".");
	const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
	return parseAddress(ipv6OfHex(hex) ?? "")?.text;
}

interface Network {
	readonly text: string;
	readonly bytes: readonly number[];
	readonly length: number;
	readonly interface: string;
}

/** Interface, destination, gateway, flags, …, mask (net/ipv4/fib_trie.c, fib_route_seq_show). */
export function parseConnected4(text: string): Network[] {
	return text.split("\n").flatMap((line) => {
		const [name, destination = "", , flags = "", , , , mask = ""] = line.trim().split(/\s+/);
		const [address, bits] = [parseAddress(ipv4OfHex(destination) ?? ""), parseAddress(ipv4OfHex(mask) ?? "")];
		if (!name || !address || !bits || (Number.parseInt(flags, 16) & ELSEWHERE) !== 0) return [];
		const length = prefixLength(bits.bytes);
		// A default route into a tunnel is no network that the router is in.
		return length === 0 ? [] : [{ text: address.text, bytes: address.bytes, length, interface: name }];
	});
}

/** Address, index, prefix length, scope, flags, name (net/ipv6/addrconf.c, if6_seq_show). */
export function parseConnected6(text: string): Network[] {
	return text.split("\n").flatMap((line) => {
		const [digits = "", , bits = "", , , name] = line.trim().split(/\s+/);
		const address = parseAddress(ipv6OfHex(digits) ?? "");
		const length = Number.parseInt(bits, 16);
		if (!name || !address || !(length > 0 && length <= 128)) return [];
		const bytes = address.bytes.map((byte, index) => byte & mask(length - index * 8));
		const network = addressOf(bytes);
		return network === undefined ? [] : [{ text: network, bytes, length, interface: name }];
	});
}

function prefixLength(mask: readonly number[]): number {
	return mask.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
}

function mask(bits: number): number {
	const ones = Math.min(Math.max(bits, 0), 8);
	return (0xff << (8 - ones)) & 0xff;
}
