import { parseAddress, unmapped } from "../../lib/address.ts";
import type { Attempt } from "../../model/service-path.ts";
import { runToEnd } from "../../platform/supervise.ts";
import type { Files, Platform } from "../../platform/types.ts";
import { ipv4OfHex, ipv6OfWords } from "./proc-text.ts";

/** Milliseconds that a connection may take: a SYN that is lost is sent again after one second, and after three. */
const PATIENCE = 3500;
/** When to look whether it is there: a service that says nothing keeps `nc` waiting. */
const LOOK = 3000;
/** Bytes of /proc/net/tcp. */
const LIMIT = 1 << 20;
/** TCP_SYN_SENT and TCP_TIME_WAIT (include/net/tcp_states.h): not there yet, or an earlier one. */
const NOT_OPEN: ReadonlySet<string> = new Set(["02", "06"]);

/**
 * Tries to open a TCP connection, with busybox's `nc`, and sends nothing on it.
 * @param address canonical text
 */
export async function tryConnection(platform: Platform, address: string, port: number): Promise<Attempt> {
	let open = false;
	const timer = platform.after(LOOK, () => {
		open = ["tcp", "tcp6"].some((name) => isOpen(textOf(platform.files, name), address, port));
	});
	// Its input is empty: it closes its half at once, and ends with the service.
	const done = await runToEnd(platform, ["nc", address, String(port)], { timeout: PATIENCE, limit: 4096 });
	timer.cancel();
	const { status, complaint } = done;
	if (open || (!done.timedOut && "code" in status && status.code === 0)) return { outcome: "connected" };
	if (done.timedOut) return { outcome: "timeout" };
	if (/refused/i.test(complaint)) return { outcome: "refused" };
	return { outcome: "failed", words: complaint };
}

/** Slot, local address, remote address, state, … (net/ipv4/tcp_ipv4.c, get_tcp4_sock). @returns whether one is open */
export function isOpen(text: string, address: string, port: number, littleEndian?: boolean): boolean {
	return text.split("\n").some((line) => {
		const [, , remote = "", state = ""] = line.trim().split(/\s+/, 4);
		const [hex = "", digits = ""] = remote.split(":");
		if (!/^[0-9A-F]{4}$/.test(digits) || Number.parseInt(digits, 16) !== port || NOT_OPEN.has(state))
			return false;
		const words = hex.length === 8 ? ipv4OfHex(hex, littleEndian) : ipv6OfWords(hex, littleEndian);
		const found = parseAddress(words ?? "");
		return found !== undefined && unmapped(found).text === address;
	});
}

function textOf(files: Files, name: string): string {
	try {
		return files.read(`/proc/net/${name}`, LIMIT);
	} catch {
		return "";
	}
}
