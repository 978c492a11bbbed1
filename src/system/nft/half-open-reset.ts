import { isLinkLocal, parseAddress } from "../../lib/address.ts";
import type { Connection } from "../../model/connection.ts";
import { describeExit, runToEnd } from "../../platform/supervise.ts";
import type { Platform } from "../../platform/types.ts";
import { connectionsHere } from "../kernel/connections.ts";
import type { Nft } from "./nft.ts";
import { OwnedTable } from "./owned-table.ts";
import { type ResetMarks, renderResetTable } from "./reset-table.ts";

/** The name without the process id behind it, and without the number of the reset. */
export const RESET_TABLE = "bgpwarden_reset";

/** Milliseconds that nc has: its first SYN, and one more a second later. */
const PATIENCE = 1500;

export type ResetResult =
	/** How many connections the peer was told of. 0: this router has them, and none is dead. */
	{ readonly ok: true; readonly reset: number } | { readonly ok: false; readonly reason: string };

let resets = 0;

/**
 * Tells a peer that connections are dead which it takes for established (see `renderResetTable`). Harmless for those that live: a
 * challenge ACK that meets its socket changes nothing. Those that this router has a socket for are left out all the same.
 * @param options.connections all of one peer
 * @param options.zone the interface of a link-local peer
 */
export async function resetHalfOpen(
	platform: Platform,
	nft: Nft,
	options: ResetMarks & { readonly connections: readonly Connection[]; readonly zone?: string | undefined },
): Promise<ResetResult> {
	const here = connectionsHere(platform.files, options.connections);
	if (!here) return { ok: false, reason: "/proc/net/tcp cannot be read" };
	const dead = options.connections.filter((connection) => !here.has(connection));
	const targets = dead.flatMap(({ peerAddress, peerPort }) => {
		const host = hostOf(peerAddress, options.zone);
		return host === undefined ? [] : [[host, String(peerPort)] as const];
	});
	if (targets.length === 0)
		return dead.length === 0
			? { ok: true, reset: 0 }
			: { ok: false, reason: "the interface towards the peer is not known" };
	const name = `${RESET_TABLE}_${platform.pid}_${++resets}`;
	const pipe = await platform.openFullPipe();
	const table = new OwnedTable(platform, nft, () => {});
	try {
		const render = () => renderResetTable(name, dead, options);
		const applied = await table.apply({ table: name, render, optional: true }, pipe);
		if (applied.kind !== "owned")
			return { ok: false, reason: applied.kind === "failed" ? applied.failure.reason : applied.reason };
		const failures = await Promise.all(targets.map((target) => knock(platform, ...target)));
		const reset = failures.filter((failure) => failure === undefined).length;
		return reset > 0 ? { ok: true, reset } : { ok: false, reason: failures[0] ?? "nc did not run" };
	} finally {
		await table.letGo();
		pipe.close();
	}
}

/** As nc takes it; undefined: a link-local address without an interface, or with one that could be read as something else. */
function hostOf(text: string, zone: string | undefined): string | undefined {
	const address = parseAddress(text);
	if (!address || !isLinkLocal(address)) return address?.text;
	return zone !== undefined && /^\w[\w.-]{0,14}$/.test(zone) ? `${address.text}%${zone}` : undefined;
}

/**
 * busybox's nc, without options. The peer's answers never come to its socket, so it knows nothing to say and waits; what ends
 * before has been refused by the peer (the connection was gone) or could not be sent at all.
 * @returns what went wrong
 */
async function knock(platform: Platform, host: string, port: string): Promise<string | undefined> {
	const argv = ["nc", host, port] as const;
	const { status, complaint, timedOut } = await runToEnd(platform, argv, { timeout: PATIENCE, urgent: true });
	if (timedOut || !("code" in status) || (status.code !== 127 && status.code !== 126)) return undefined;
	return describeExit(argv, status, complaint);
}
