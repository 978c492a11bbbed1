import { type Address, isLinkLocal, parseAddress } from "../../lib/address.ts";
import { inPrefix, parsePrefix } from "../../lib/prefix.ts";
import type { ConnectedNetwork } from "../../model/inspection.ts";
import { FileError, type Files } from "../../platform/types.ts";
import { readLocalAddresses, readOwnIpv4 } from "../conntrack/list-flows.ts";
import type { IsLocal } from "../conntrack/local-addresses.ts";
import { ipv4OfHex, ipv6OfHex } from "./proc-text.ts";

/** Bytes of /proc/net/route, which lists every IPv4 route of the table main, 128 bytes each. */
const LIMIT = 1 << 18;
/** RTF_GATEWAY (include/uapi/linux/route.h). */
const GATEWAY = 0x2;

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
	// Every interface has the same one.
	if (zone === undefined && isLinkLocal(address)) return undefined;
	const all = connectedNetworks(files, address.family);
	if (!all) return undefined;
	const [network] = all
		.filter((each) => zone === undefined || each.interface === zone)
		.filter(({ bytes, length }) => inPrefix(address.bytes, bytes, length))
		.sort((one, other) => other.length - one.length);
	return network ? { prefix: `${network.text}/${network.length}`, interface: network.interface } : "none";
}

/**
 * A host that stands for a whole range: inside a connected network where the range has one, and not this router itself.
 * @param prefix e.g. `10.0.0.0/8`
 * @returns its address, and the interface that leads there where that is known; undefined for what is no prefix, and where
 *   /proc does not tell which addresses are this router's
 */
export function hostIn(
	files: Files,
	prefix: string,
): { readonly address: string; readonly interface?: string } | undefined {
	const range = parsePrefix(prefix);
	const base = parseAddress(prefix.split("/")[0] ?? "");
	const isLocal = readLocalAddressesOr(files);
	if (!range || !base || !isLocal) return undefined;
	const whole: Network = { text: base.text, bytes: base.bytes, length: range.length, interface: "" };
	const all = (connectedNetworks(files, range.family) ?? []).sort((one, other) => one.length - other.length);
	const around = all.findLast(
		({ bytes, length }) => length <= range.length && inPrefix(base.bytes, bytes, length),
	);
	// A link-local network is on every link, and no better than none.
	const inside = all.filter(
		({ text, bytes, length }) =>
			length > range.length &&
			inPrefix(bytes, base.bytes, range.length) &&
			(isLinkLocal(base) || !isLinkLocal({ family: base.family, text, bytes })),
	);
	for (const network of [...(around ? [{ ...whole, interface: around.interface }] : inside), whole]) {
		const address = hostsOf(network).find((host) => !isLocal(host));
		if (address !== undefined)
			return { address, ...(network.interface === "" ? {} : { interface: network.interface }) };
	}
	return undefined;
}

/** A few hosts of a network, the most likely ones first: neither its own address nor the last, which may be for all. */
function hostsOf({ bytes, length }: Network): string[] {
	const bits = bytes.length * 8 - length;
	const last = 2 ** Math.min(bits, 4);
	// A point-to-point network has nothing else (RFC 3021, RFC 6164).
	const numbers =
		bits < 2 ? [0, 1].slice(0, last) : [2, 3, 4, 5, 6, 7, 8, 9, 1].filter((host) => host < last - 1);
	return numbers.flatMap((host) => addressOf([...bytes.slice(0, -1), (bytes.at(-1) ?? 0) + host]) ?? []);
}

function readLocalAddressesOr(files: Files): IsLocal | undefined {
	try {
		return readLocalAddresses({ files });
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return undefined;
	}
}

/** Undefined: /proc does not tell. */
function connectedNetworks(files: Files, family: 4 | 6): Network[] | undefined {
	try {
		if (family === 6) return parseConnected6(files.read("/proc/net/if_inet6", LIMIT));
		const own = readOwnIpv4({ files });
		// Others' routes without a gateway, as into a tunnel, are no networks that the router is in.
		return parseConnected4(files.read("/proc/net/route", LIMIT)).filter(({ bytes, length }) =>
			own.some((address) => inPrefix(address, bytes, length)),
		);
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return undefined;
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
export function parseConnected4(text: string, littleEndian?: boolean): Network[] {
	return text.split("\n").flatMap((line) => {
		const [name, destination = "", , flags = "", , , , mask = ""] = line.trim().split(/\s+/);
		const [address, bits] = [destination, mask].map((hex) =>
			parseAddress(ipv4OfHex(hex, littleEndian) ?? ""),
		);
		// `*` is no interface: a blackhole, or an unreachable route.
		if (!name || name === "*" || !address || !bits || (Number.parseInt(flags, 16) & GATEWAY) !== 0) return [];
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
		// One of 128 bits holds the router alone.
		if (!name || !address || !(length > 0 && length < 128)) return [];
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
