import { parseAddress, unmapped } from "../../lib/address.ts";
import type { Connection } from "../../model/connection.ts";
import { FileError, type Files } from "../../platform/types.ts";
import { ipv4OfHex, ipv6OfWords } from "./proc-text.ts";

/** Bytes of /proc/net/tcp, 150 for each connection of this machine's own. */
const LIMIT = 1 << 20;

/**
 * Which of the connections this router has a socket for, in whatever state, by /proc/net/tcp and tcp6.
 * @returns undefined: /proc does not tell
 */
export function connectionsHere(
	files: Files,
	connections: readonly Connection[],
): ReadonlySet<Connection> | undefined {
	try {
		const texts = ["tcp", "tcp6"].flatMap((name) =>
			name === "tcp" || files.status(`/proc/net/${name}`) ? [files.read(`/proc/net/${name}`, LIMIT)] : [],
		);
		const sockets = new Set(texts.flatMap((text) => parseSockets(text)));
		return new Set(
			connections.filter(({ localAddress, localPort, peerAddress, peerPort }) =>
				sockets.has(`${localAddress} ${localPort} ${peerAddress} ${peerPort}`),
			),
		);
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return undefined;
	}
}

/** Slot, local end, remote end, … (net/ipv4/tcp_ipv4.c, get_tcp4_sock). @returns the four, canonical, with blanks between */
export function parseSockets(text: string, littleEndian?: boolean): string[] {
	return text.split("\n").flatMap((line) => {
		const [slot = "", local = "", remote = ""] = line.trim().split(/\s+/, 3);
		const ends = /^\d+:$/.test(slot) ? [endOf(local, littleEndian), endOf(remote, littleEndian)] : [];
		return ends[0] !== undefined && ends[1] !== undefined ? [`${ends[0]} ${ends[1]}`] : [];
	});
}

function endOf(text: string, littleEndian: boolean | undefined): string | undefined {
	const [hex = "", port = ""] = text.split(":");
	const words = hex.length === 8 ? ipv4OfHex(hex, littleEndian) : ipv6OfWords(hex, littleEndian);
	const address = parseAddress(words ?? "");
	if (!address || !/^[0-9A-F]{4}$/.test(port)) return undefined;
	return `${unmapped(address).text} ${Number.parseInt(port, 16)}`;
}
