import { parseAddress, unmapped } from "../../lib/address.ts";
import type { Listener } from "../../model/inspection.ts";
import { FileError, type Files } from "../../platform/types.ts";
import { parseStat } from "./actor.ts";
import { ipv4OfHex, ipv6OfWords } from "./proc-text.ts";

/** Bytes of /proc/net/tcp, 150 for each connection of this machine's own. */
const LIMIT = 1 << 20;
/** TCP_LISTEN (include/net/tcp_states.h). */
const LISTEN = "0A";

/** BIRD's own process. Its sockets of IPv6's are never for IPv4 as well. */
const BIRD = "bird";

/**
 * Who listens where BIRD would: on this address and port, or on all addresses of its family.
 * @param address the one that BIRD listens on, canonical text; undefined: BIRD takes all of the family
 * @returns another program before BIRD itself; `none`: nobody; undefined: /proc does not tell
 */
export function findListener(
	files: Files,
	end: { readonly family: 4 | 6; readonly address?: string | undefined; readonly port: number },
): Listener | "none" | undefined {
	try {
		const names = end.family === 6 ? ["tcp6"] : ["tcp", ...(files.status("/proc/net/tcp6") ? ["tcp6"] : [])];
		const sockets = names
			.flatMap((name) => parseListeners(files.read(`/proc/net/${name}`, LIMIT)))
			.filter(({ address, port }) => port === end.port && overlaps(address, end));
		if (sockets.length === 0) return "none";
		const owners = findOwners(files, new Set(sockets.map(({ inode }) => `socket:[${inode}]`)));
		// A socket whose owner is not seen is somebody else's: the daemon sees BIRD's.
		const found = sockets.map(({ inode, address }) => ({
			address,
			owner: owners.get(`socket:[${inode}]`) ?? {},
		}));
		const others = found.filter(({ owner }) => owner.program !== BIRD);
		const [first] =
			others.length > 0 ? others : found.filter(({ address }) => end.family === 6 || address !== "::");
		return first?.owner ?? "none";
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return undefined;
	}
}

interface ListeningSocket {
	/** Canonical text; `0.0.0.0` and `::`: all addresses. */
	readonly address: string;
	readonly port: number;
	readonly inode: string;
}

/** Slot, local address, remote address, state, …, inode (net/ipv4/tcp_ipv4.c, get_tcp4_sock). */
export function parseListeners(text: string, littleEndian?: boolean): ListeningSocket[] {
	return text.split("\n").flatMap((line) => {
		const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
		const [hex = "", port = ""] = local.split(":");
		const words = hex.length === 8 ? ipv4OfHex(hex, littleEndian) : ipv6OfWords(hex, littleEndian);
		const address = parseAddress(words ?? "");
		if (state !== LISTEN || !address || !/^[0-9A-F]{4}$/.test(port) || !/^\d+$/.test(inode)) return [];
		return [{ address: unmapped(address).text, port: Number.parseInt(port, 16), inode }];
	});
}

/** A socket of IPv6's on all addresses takes those of IPv4 as well, unless it is told not to, which /proc does not show. */
function overlaps(
	taken: string,
	{ family, address }: { readonly family: 4 | 6; readonly address?: string | undefined },
): boolean {
	if (taken === "::") return true;
	if (taken.includes(":") !== (family === 6)) return false;
	return taken === "0.0.0.0" || address === undefined || taken === address;
}

/** By socket, the process that has it open (proc(5), /proc/PID/fd). */
function findOwners(files: Files, links: ReadonlySet<string>): Map<string, Listener> {
	const owners = new Map<string, Listener>();
	for (const pid of listOrNothing(files, "/proc")) {
		if (owners.size === links.size) break;
		if (!/^\d{1,10}$/.test(pid)) continue;
		for (const fd of listOrNothing(files, `/proc/${pid}/fd`)) {
			const link = files.readLink(`/proc/${pid}/fd/${fd}`) ?? "";
			if (!links.has(link) || owners.has(link)) continue;
			const program = parseStat(readOrNothing(files, `/proc/${pid}/stat`))?.name;
			owners.set(link, { pid: Number(pid), ...(program === undefined ? {} : { program }) });
		}
	}
	return owners;
}

function listOrNothing(files: Files, path: string): string[] {
	try {
		return files.list(path);
	} catch {
		return [];
	}
}

function readOrNothing(files: Files, path: string): string {
	try {
		return files.read(path, 4096);
	} catch {
		return "";
	}
}
