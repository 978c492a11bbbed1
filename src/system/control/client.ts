import type { Command } from "../../model/command.ts";
import type { Status } from "../../model/status.ts";
import type { Platform } from "../../platform/types.ts";
import { FileError } from "../../platform/types.ts";
import { STATUS_FILE } from "../../report/run-files.ts";
import { CONTROL_FIFO, REPLIES, type Reply, requestLine } from "./request.ts";

/** Milliseconds that a request waits for its reply, and between checks. */
const PATIENCE = 10_000;
const CHECK_PERIOD = 20;
/**
 * Milliseconds after which a request that does no harm twice is made once more: somebody may have replaced the FIFO or the
 * replies, which the daemon has noticed by then.
 */
const AGAIN = 6000;

/** The state that a running daemon has written, or undefined when none runs. @throws FileError, SyntaxError */
export function readStatus(platform: Platform, directory: string): Status | undefined {
	let text: string;
	try {
		text = platform.files.read(`${directory}/${STATUS_FILE}`, 4 << 20);
	} catch (error) {
		if (error instanceof FileError && error.missing) return undefined;
		throw error;
	}
	const status = JSON.parse(text) as Status;
	return isDaemon(platform, status.router.pid) ? status : undefined;
}

/** Sends a request to the daemon and waits for its reply. The caller has seen that the daemon runs. Rejects with a FileError. */
export async function request(
	platform: Platform,
	directory: string,
	command: Omit<Command, "id">,
): Promise<Reply> {
	const id = `${platform.pid}-${Math.floor(platform.random() * 1e9)}`;
	const path = `${directory}/${REPLIES}/${id}`;
	const started = platform.now().monotonic;
	const send = () => platform.writeFifo(`${directory}/${CONTROL_FIFO}`, requestLine({ ...command, id }));
	await send();
	let again = command.verb !== "restart";
	return new Promise((resolve, reject) => {
		const checkReply = () => {
			try {
				if (platform.files.status(path)) {
					const reply = JSON.parse(platform.files.read(path)) as Reply;
					platform.files.remove(path);
					resolve(reply);
				} else if (platform.now().monotonic - started > PATIENCE) {
					resolve({ ok: false, text: `the daemon did not answer within ${PATIENCE / 1000} s` });
				} else {
					if (again && platform.now().monotonic - started > AGAIN) {
						again = false;
						send().catch(reject);
					}
					platform.after(CHECK_PERIOD, checkReply);
				}
			} catch (error) {
				reject(error);
			}
		};
		platform.after(CHECK_PERIOD, checkReply);
	});
}

/** Whether a process is a bgpwarden: ids are used again, and a dead process may still have one. */
function isDaemon(platform: Platform, pid: number): boolean {
	if (!platform.processExists(pid)) return false;
	try {
		return platform.files.read(`/proc/${pid}/cmdline`).includes("bgpwarden");
	} catch {
		return false;
	}
}
