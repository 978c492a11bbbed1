import type { Listener } from "../../model/inspection.ts";
import { FileError, type Files } from "../../platform/types.ts";
import { parseStat } from "./actor.ts";
import { readTcpSockets, TCP_LISTEN } from "./tcp-sockets.ts";

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
		const sockets = readTcpSockets(files, end.family === 6 ? 6 : undefined).filter(
			({ state, localAddress, localPort }) =>
				state === TCP_LISTEN && localPort === end.port && overlaps(localAddress, end),
		);
		if (sockets.length === 0) return "none";
		const owners = findOwners(files, new Set(sockets.map(({ inode }) => `socket:[${inode}]`)));
		// A socket whose owner is not seen is somebody else's: the daemon sees BIRD's.
		const found = sockets.map(({ inode, localAddress }) => ({
			address: localAddress,
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
