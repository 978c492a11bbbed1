import { type Address, isInterfaceName, isLinkLocal, parseAddress } from "../../lib/address.ts";
import { inPrefix, parsePrefix } from "../../lib/prefix.ts";
import type { ConnectedNetwork } from "../../model/inspection.ts";
import type { IsLocal } from "./local-addresses.ts";
import { ipv4OfHex, ipv6OfHex } from "./proc-text.ts";

/** RTF_GATEWAY (include/uapi/linux/route.h). */
const GATEWAY = 0x2;

/**
 * The connected network that an address is in: the router reaches it through that network's interface, unless somebody says
 * otherwise.
 * @param networks that the router is in
 * @param zone of a link-local address: its interface's networks alone count
 * @returns undefined when that does not tell
 */
export function connectedNetwork(
	networks: readonly Network[],
	address: Address,
	zone: string | undefined,
): ConnectedNetwork | "none" | undefined {
	// Every interface has the same one.
	if (zone === undefined && isLinkLocal(address)) return undefined;
	const [network] = networks
		.filter((each) => each.bytes.length === address.bytes.length)
		.filter((each) => zone === undefined || each.interface === zone)
		.filter(({ bytes, length }) => inPrefix(address.bytes, bytes, length))
		.sort((one, other) => other.length - one.length);
	return network ? { prefix: `${network.text}/${network.length}`, interface: network.interface } : "none";
}

/**
 * A host that stands for a whole range: inside a connected network where the range has one, and not this router itself.
 * @param router its addresses
 * @param prefix e.g. `10.0.0.0/8`
 * @returns its address, and the interface that leads there where that is known; undefined for what is no prefix
 */
export function hostIn(
	{ isLocal, networks }: { readonly isLocal: IsLocal; readonly networks: readonly Network[] },
	prefix: string,
): { readonly address: string; readonly interface?: string } | undefined {
	const range = parsePrefix(prefix);
	const base = parseAddress(prefix.split("/")[0] ?? "");
	if (!range || !base) return undefined;
	const whole: Network = { text: base.text, bytes: base.bytes, length: range.length, interface: "" };
	const all = networks
		.filter(({ bytes }) => bytes.length === base.bytes.length)
		.sort((one, other) => one.length - other.length);
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

/**
 * The IPv4 networks that the router is in: others' routes without a gateway, as into a tunnel, are none.
 * @param routes text of /proc/net/route
 * @param own the router's addresses, 4 bytes each
 */
export function connectedIpv4(routes: string, own: readonly (readonly number[])[]): Network[] {
	return parseConnected4(routes).filter(({ bytes, length }) =>
		own.some((address) => inPrefix(address, bytes, length)),
	);
}

/** The network of an interface's address; none where it holds the router alone. */
export function networkOf(address: Address, length: number, device: string): Network[] {
	if (!(length > 0 && length < address.bytes.length * 8) || !isInterfaceName(device)) return [];
	const bytes = address.bytes.map((byte, index) => byte & mask(length - index * 8));
	const text = addressOf(bytes);
	return text === undefined ? [] : [{ text, bytes, length, interface: device }];
}

function addressOf(bytes: readonly number[]): string | undefined {
	if (bytes.length === 4) return bytes.join(".");
	const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
	return parseAddress(ipv6OfHex(hex) ?? "")?.text;
}

/** A network that the router is in. */
export interface Network {
	/** Its own address, canonical text and bytes. */
	readonly text: string;
	readonly bytes: readonly number[];
	readonly length: number;
	readonly interface: string;
}

/** Interface, destination, gateway, flags, …, mask (net/ipv4/fib_trie.c, fib_route_seq_show). */
export function parseConnected4(text: string, littleEndian?: boolean): Network[] {
	return text.split("\n").flatMap((line) => {
		const [name = "", destination = "", , flags = "", , , , netmask = ""] = line.trim().split(/\s+/);
		const [address, bits] = [destination, netmask].map((hex) =>
			parseAddress(ipv4OfHex(hex, littleEndian) ?? ""),
		);
		// `*` is no interface: a blackhole, or an unreachable route.
		if (name === "*" || !isInterfaceName(name) || !address || !bits) return [];
		// Nor is a default route into a tunnel a network that the router is in.
		const length = prefixLength(bits.bytes);
		if (!/^[0-9A-F]{4,8}$/.test(flags) || (Number.parseInt(flags, 16) & GATEWAY) !== 0 || length === 0)
			return [];
		const { text, bytes } = address;
		const isNetwork = bytes.every((byte, index) => (byte & mask(length - index * 8)) === byte);
		return isNetwork ? [{ text, bytes, length, interface: name }] : [];
	});
}

/** Address, index, prefix length, scope, flags, name (net/ipv6/addrconf.c, if6_seq_show). */
export function parseConnected6(text: string): Network[] {
	return text.split("\n").flatMap((line) => {
		const [digits = "", , bits = "", , , name = ""] = line.trim().split(/\s+/);
		const address = parseAddress(ipv6OfHex(digits) ?? "");
		return address ? networkOf(address, Number(`0x${bits}`), name) : [];
	});
}

/** 0 for a mask with holes. */
function prefixLength(bytes: readonly number[]): number {
	const length = bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
	return bytes.every((byte, index) => byte === mask(length - index * 8)) ? length : 0;
}

function mask(bits: number): number {
	const ones = Math.min(Math.max(bits, 0), 8);
	return (0xff << (8 - ones)) & 0xff;
}
