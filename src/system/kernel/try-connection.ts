import type { Attempt } from "../../model/service-path.ts";
import { runToEnd } from "../../platform/supervise.ts";
import { FileError, type Files, type Platform } from "../../platform/types.ts";
import { readTcpSockets, TCP_SYN_SENT, TCP_TIME_WAIT, type TcpSocket } from "./tcp-sockets.ts";

/** Milliseconds that a connection may take: a SYN that is lost is sent again after one second, and after three. */
const PATIENCE = 3500;
/** When to look whether it is there: a service that says nothing keeps `nc` waiting. */
const LOOK = 3000;
/** Not there yet, or an earlier one. */
const NOT_OPEN: ReadonlySet<string> = new Set([TCP_SYN_SENT, TCP_TIME_WAIT]);

/**
 * Tries to open a TCP connection, with busybox's `nc`, and sends nothing on it.
 * @param address canonical text
 */
export async function tryConnection(platform: Platform, address: string, port: number): Promise<Attempt> {
	let open = false;
	const timer = platform.after(LOOK, () => {
		open = isOpen(socketsOf(platform.files), address, port);
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

/** Whether a connection to there is open, or was until now. */
export function isOpen(sockets: readonly TcpSocket[], address: string, port: number): boolean {
	return sockets.some(
		({ remoteAddress, remotePort, state }) =>
			remoteAddress === address && remotePort === port && !NOT_OPEN.has(state),
	);
}

/** None where /proc does not tell: `nc` has its say. */
function socketsOf(files: Files): TcpSocket[] {
	try {
		return readTcpSockets(files);
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return [];
	}
}
