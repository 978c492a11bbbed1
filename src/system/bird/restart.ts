import { describeExit, runToEnd } from "../../platform/supervise.ts";
import type { Platform } from "../../platform/types.ts";
import { parseGreeting, parseReply } from "./replies.ts";
import { findSocket, noSocket } from "./socket.ts";

export type RestartResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Milliseconds until a client that gets no answer is killed. */
const PATIENCE = 5000;
/**
 * `waukeen: restarted`, `waukeen: enabled` (doc/reply_codes in BIRD's source). Whom somebody else has enabled meanwhile is as
 * it was wanted (`already enabled`, 10).
 */
const DONE: Readonly<Record<"restart" | "enable", readonly number[]>> = { restart: [12], enable: [11, 10] };
/** A name by BIRD's lexer (conf/cf-lex.l; SYM_MAX_LEN): nothing in it means anything in a pattern. */
export const SYMBOL = /^[A-Za-z0-9_.:-]{1,64}$/;

interface Target {
	readonly socket: string;
	readonly peer: string;
	readonly verb: keyof typeof DONE;
	readonly isWanted?: () => boolean;
}

/**
 * Has BIRD restart one protocol, which flaps that peer's BGP and BFD sessions, or enable one that is disabled.
 * @param target.socket path of the control socket; empty: the usual places
 * @param target.peer BIRD's protocol name
 * @param target.isWanted asked just before, where it had to wait for other programs
 * @returns as the reason BIRD's own words where it said something, e.g. `waukeen: already disabled`
 */
export async function restartPeer(platform: Platform, target: Target): Promise<RestartResult> {
	try {
		return await restart(platform, target);
	} catch (error) {
		return { ok: false, reason: error instanceof Error ? error.message : String(error) };
	}
}

async function restart(platform: Platform, target: Target): Promise<RestartResult> {
	const { socket: configured, peer, verb, isWanted } = target;
	if (!SYMBOL.test(peer)) return { ok: false, reason: `${JSON.stringify(peer)} is not a valid name in BIRD` };
	const socket = findSocket(platform, configured);
	if (!socket) return { ok: false, reason: noSocket(configured) };
	for (const client of ["birdcl", "birdc"]) {
		// As a pattern, since `restart 'all'` restarts everything, apostrophes or not.
		const argv = [client, "-v", "-s", socket.path, verb, `"${peer}"`] as const;
		const done = await runToEnd(platform, argv, {
			timeout: PATIENCE,
			limit: 65_536,
			...(isWanted ? { isWanted } : {}),
		});
		if (done.timedOut)
			return { ok: false, reason: `${client} ${verb} ${peer}: no answer in ${PATIENCE / 1000} s` };
		if ("code" in done.status && done.status.code === 127) continue;
		if (isWanted?.() === false && done.stdout === "")
			return { ok: false, reason: "it has come up meanwhile" };
		const [last] = answerLines(done.stdout).slice(-1);
		if (last && DONE[verb].includes(last.code)) return { ok: true };
		const reason = last?.text.trim() || describeExit([client, verb, peer], done.status, done.complaint);
		return { ok: false, reason };
	}
	return { ok: false, reason: "neither birdcl nor birdc can be run" };
}

/** The greeting and the answer are two replies in a row; a client that runs one command prints no prompt. */
function answerLines(stdout: string) {
	const [greeting = "", ...answer] = stdout.split(/(?<=\n)/);
	if (!parseGreeting(greeting)) return [];
	return parseReply(answer.join(""))?.lines ?? [];
}
