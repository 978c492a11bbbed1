import type { Files } from "../../platform/types.ts";

/** Bytes of /proc/net/netlink, 80 for each socket. */
const LIMIT = 1 << 18;

/** What /proc tells of a program that listens to the kernel. */
export type Health =
	/** It sleeps until something happens, or /proc does not tell. */
	| "well"
	/** Messages wait for it: it may just be reading them. */
	| "behind"
	/** Somebody has stopped it (SIGSTOP), or it has ended. */
	| "stopped";

/**
 * Whether `nft monitor` still reads what the kernel tells it. It says nothing for days where nothing changes: only /proc tells
 * a stopped one from that. Starts no process.
 */
export function healthOf(files: Files, pid: number): Health {
	const state = /^\d+ \(.*\) (\S) /s.exec(read(files, `/proc/${pid}/stat`))?.[1];
	if (state !== undefined && "TtZX".includes(state)) return "stopped";
	// sk, protocol, port, groups, memory that waits to be read, … (net/netlink/af_netlink.c, netlink_native_seq_show).
	const line = new RegExp(`^\\S+\\s+12\\s+${pid}\\s+\\S+\\s+(\\d+)\\s`, "m").exec(
		read(files, "/proc/net/netlink"),
	);
	return Number(line?.[1] ?? 0) > 0 ? "behind" : "well";
}

function read(files: Files, path: string): string {
	try {
		return files.read(path, LIMIT);
	} catch {
		return "";
	}
}
