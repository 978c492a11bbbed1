import { parseAddress, unmapped } from "../../lib/address.ts";
import type { Files } from "../../platform/types.ts";
import { ipv4OfHex, ipv6OfWords } from "./proc-text.ts";

/** Bytes of /proc/net/tcp, 150 for each connection of this machine's own. */
const LIMIT = 1 << 20;

/** States of `TcpSocket` (include/net/tcp_states.h). */
export const TCP_SYN_SENT = "02";
export const TCP_TIME_WAIT = "06";
export const TCP_LISTEN = "0A";

/** One socket of this router. Addresses are canonical text, those of IPv4 without `::ffff:`. */
export interface TcpSocket {
	/** `0.0.0.0` and `::` of a listener: all addresses. */
	readonly localAddress: string;
	readonly localPort: number;
	readonly remoteAddress: string;
	readonly remotePort: number;
	/** Two hexadecimal digits. */
	readonly state: string;
	/** As in the link of /proc/PID/fd; empty where the kernel does not say it. */
	readonly inode: string;
}

/**
 * All sockets of IPv4's and IPv6's, or of IPv6's alone, which may be for IPv4 as well.
 * @throws FileError when /proc does not tell
 */
export function readTcpSockets(files: Files, family?: 6): TcpSocket[] {
	const names = family === 6 || files.status("/proc/net/tcp6") ? ["tcp6"] : [];
	if (family !== 6) names.unshift("tcp");
	return names.flatMap((name) => parseTcpSockets(files.read(`/proc/net/${name}`, LIMIT)));
}

/** Slot, local end, remote end, state, …, inode (net/ipv4/tcp_ipv4.c, get_tcp4_sock). */
export function parseTcpSockets(text: string, littleEndian?: boolean): TcpSocket[] {
	return text.split("\n").flatMap((line) => {
		const [slot = "", local = "", remote = "", state = "", , , , , , inode = ""] = line
			.trim()
			.split(/\s+/, 10);
		const here = /^\d+:$/.test(slot) ? endOf(local, littleEndian) : undefined;
		const there = endOf(remote, littleEndian);
		if (!here || !there) return [];
		const [localAddress, localPort] = here;
		const [remoteAddress, remotePort] = there;
		return [{ localAddress, localPort, remoteAddress, remotePort, state, inode }];
	});
}

function endOf(text: string, littleEndian: boolean | undefined): readonly [string, number] | undefined {
	const [hex = "", port = ""] = text.split(":");
	const words = hex.length === 8 ? ipv4OfHex(hex, littleEndian) : ipv6OfWords(hex, littleEndian);
	const address = parseAddress(words ?? "");
	if (!address || !/^[0-9A-F]{4}$/.test(port)) return undefined;
	return [unmapped(address).text, Number.parseInt(port, 16)];
}
