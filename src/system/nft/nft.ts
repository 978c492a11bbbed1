import type { Counters } from "../../model/inspection.ts";
import type { PacketTrace } from "../../model/packet-trace.ts";
import { describeExit, runToEnd } from "../../platform/supervise.ts";
import type { ExitStatus, Platform } from "../../platform/types.ts";
import { parseCounters } from "./counters-text.ts";
import { parseHandles, unknownChains, withRules } from "./rule-handles.ts";

/** Milliseconds until an nft that does not end is killed. */
export const NFT_PATIENCE = 5000;
/**
 * How many of its own process ids the daemon remembers, and for how many ms: the monitor shows them within milliseconds, and days
 * later another program's process may have that number.
 */
const REMEMBERED = { ids: 32, milliseconds: 30_000 } as const;
/** Bytes of a listing that are kept: the table itself takes 4,000, and each peer of scope `peers` 40 more. */
const LISTING_LIMIT = 1 << 18;

export type NftFailure = {
	readonly ok: false;
	readonly reason: string;
	/**
	 * `held`: the table belongs to another process (EPERM); `orphan`: its owner has ended and it has the flag `persist`,
	 * which the text does not know of (EOPNOTSUPP); `not run`: there is no nft, or it could not be run to its end.
	 */
	readonly cause?: "held" | "orphan" | "not run";
};
export type NftResult = { readonly ok: true } | NftFailure;
export type Listing =
	| { readonly kind: "table"; readonly text: string }
	| { readonly kind: "missing" }
	| { readonly kind: "failed"; readonly reason: string };

/** nft(8) as the daemon uses it; each process's id is known as the daemon's own. */
export interface Nft {
	/** Carries a ruleset text out in one transaction. */
	apply(text: string): Promise<NftResult>;
	/** Has kernel and nft look at a text without carrying it out (`nft -c`). */
	check(text: string): Promise<NftResult>;
	/** The kernel's own listing of a table of family inet, without counters (`nft -s`). */
	list(table: string): Promise<Listing>;
	/** The names of all tables, `family name`; undefined when they cannot be listed. */
	tables(): Promise<ReadonlySet<string> | undefined>;
	/** What came in since the table was installed; undefined when that cannot be read. */
	counters(table: string): Promise<Counters | undefined>;
	/** The traces with the texts of rules that the monitor does not know; what cannot be listed stays as it is. */
	withRules(traces: readonly PacketTrace[], own: string): Promise<readonly PacketTrace[]>;
	isOwn(pid: number): boolean;
	/** Makes a process known as the daemon's own. */
	claim(pid: number): void;
}

export function createNft(platform: Platform): Nft {
	const own: { readonly pid: number; readonly until: number }[] = [];
	const monotonic = () => platform.now().monotonic;
	const claim = (pid: number) => {
		own.push({ pid, until: monotonic() + REMEMBERED.milliseconds });
		if (own.length > REMEMBERED.ids) own.shift();
	};
	/** @param urgent the table needs it */
	const run = async (argv: readonly [string, ...string[]], urgent: boolean, input?: string) => {
		const done = await runToEnd(platform, argv, {
			urgent,
			timeout: NFT_PATIENCE,
			limit: LISTING_LIMIT,
			onStart: claim,
			...(input === undefined ? {} : { input }),
		});
		const ok = "code" in done.status && done.status.code === 0;
		const failure = done.timedOut ? nftTimeout(argv) : describeNftFailure(argv, done.status, done.complaint);
		return { ok, failure, ...done };
	};
	const feed = async (argv: readonly [string, ...string[]], text: string): Promise<NftResult> => {
		const { ok, failure } = await run(argv, true, text);
		return ok ? { ok } : failure;
	};
	return {
		isOwn: (pid) => own.some((each) => each.pid === pid && monotonic() <= each.until),
		claim,
		apply: (text) => feed(["nft", "-f", "-"], text),
		check: (text) => feed(["nft", "-c", "-f", "-"], text),
		async tables() {
			const { ok, stdout } = await run(["nft", "list", "tables"], true);
			return ok
				? new Set(Array.from(stdout.matchAll(/^table (\S+ \S+)/gm), ([, name = ""]) => name))
				: undefined;
		},
		async counters(table) {
			const { ok, stdout } = await run(["nft", "list", "table", "inet", table], false);
			return ok ? parseCounters(stdout) : undefined;
		},
		async withRules(traces, own) {
			const chains = unknownChains(traces, own);
			if (chains.length === 0) return traces;
			const listed = await Promise.all(
				chains.map(async (chain) => {
					const { ok, stdout } = await run(["nft", "-a", "list", "chain", ...chain], false);
					return [chain.join(" "), ok ? parseHandles(stdout) : new Map<number, string>()] as const;
				}),
			);
			return withRules(traces, new Map(listed));
		},
		async list(table) {
			const argv = ["nft", "-s", "list", "table", "inet", table] as const;
			const { ok, stdout, complaint, failure } = await run(argv, true);
			if (ok && stdout.startsWith(`table inet ${table} {`)) return { kind: "table", text: stdout };
			if (ok) return { kind: "failed", reason: `${argv.join(" ")}: its output is not a table` };
			return complaint.includes("No such file or directory")
				? { kind: "missing" }
				: { kind: "failed", reason: failure.reason };
		},
	};
}

/** @param complaint the first line of standard error */
export function describeNftFailure(
	argv: readonly string[],
	status: ExitStatus,
	complaint: string,
): NftFailure {
	const reason = describeExit(argv, status, complaint.replace(/^\S*:\d+:\d+(-\d+)?: /, ""));
	if (complaint.includes("Operation not permitted"))
		return { ok: false, reason: `${reason} (does another program own this table?)`, cause: "held" };
	if (complaint.includes("Operation not supported")) return { ok: false, reason, cause: "orphan" };
	const refused = "code" in status && status.code < 126;
	return { ok: false, reason, ...(refused ? {} : { cause: "not run" }) };
}

export function nftTimeout(argv: readonly string[]): NftFailure {
	return { ok: false, reason: `${argv.join(" ")}: no end after ${NFT_PATIENCE / 1000} s`, cause: "not run" };
}
