import { parseAddress } from "../../lib/address.ts";
import type { Listener } from "../../model/inspection.ts";
import { FileError, type Files } from "../../platform/types.ts";
import { parseStat } from "./actor.ts";
import { ipv4OfHex, ipv6OfWords } from "./proc-text.ts";

/** Bytes of /proc/net/tcp, 150 for each connection of this machine's own. */
const LIMIT = 1 << 20;
/** TCP_LISTEN (include/net/tcp_states.h). */
const LISTEN = "0A";

/**
 * Who listens where BIRD would: on this address and port, or on all addresses of its family.
 * @param address BIRD's own, canonical text; undefined: BIRD takes all
 * @returns `none`: nobody; undefined: /proc does not tell
 */
export function findListener(
	files: Files,
	end: { readonly family: 4 | 6; readonly address?: string | undefined; readonly port: number },
): Listener | "none" | undefined {
	try {
		const sockets = (["tcp", "tcp6"] as const)
			.filter((name) => files.status(`/proc/net/${name}`))
			.flatMap((name) => parseListeners(files.read(`/proc/net/${name}`, LIMIT)))
			.filter(({ address, port }) => port === end.port && overlaps(address, end));
		const [first] = sockets;
		if (!first) return "none";
		return findOwner(files, new Set(sockets.map(({ inode }) => `socket:[${inode}]`))) ?? {};
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
export function parseListeners(text: string): ListeningSocket[] {
	return text.split("\n").flatMap((line) => {
		const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
		const [hex = "", port = ""] = local.split(":");
		const address = parseAddress((hex.length === 8 ? ipv4OfHex(hex) : ipv6OfWords(hex)) ?? "");
		if (state !== LISTEN || !address || !/^[0-9A-F]{4}$/.test(port)) return [];
		return [{ address: address.text, port: Number.parseInt(port, 16), inode }];
	});
}

/** A socket of IPv6's on all addresses takes those of IPv4 as well, unless it is told not to. */
function overlaps(
	taken: string,
	end: { readonly family: 4 | 6; readonly address?: string | undefined },
): boolean {
	if (taken === "::") return true;
	if (taken === "0.0.0.0") return end.family === 4;
	return end.address === undefined ? taken.includes(":") === (end.family === 6) : taken === end.address;
}

/** The process that has one of these sockets open (proc(5), /proc/PID/fd). */
function findOwner(files: Files, links: ReadonlySet<string>): Listener | undefined {
	for (const pid of files.list("/proc")) {
		if (!/^\d+$/.test(pid) || !hasOpen(files, pid, links)) continue;
		const name = parseStat(readOrNothing(files, `/proc/${pid}/stat`))?.name;
		return { pid: Number(pid), ...(name === undefined ? {} : { program: name }) };
	}
	return undefined;
}

function hasOpen(files: Files, pid: string, links: ReadonlySet<string>): boolean {
	try {
		return files
			.list(`/proc/${pid}/fd`)
			.some((fd) => links.has(files.readLink(`/proc/${pid}/fd/${fd}`) ?? ""));
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return false;
	}
}

function readOrNothing(files: Files, path: string): string {
	try {
		return files.read(path, 4096);
	} catch {
		return "";
	}
}
