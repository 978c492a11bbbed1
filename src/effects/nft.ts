import { describeExit, runToEnd } from "../platform/supervise.ts";
import type { Platform } from "../platform/types.ts";
import { parseCounters } from "../sources/nft/counters.ts";
import { parseHandles, unknownChains, withRules } from "../sources/nft/rules.ts";
import type { Counters } from "../warden/diagnosis/evidence.ts";
import type { PacketTrace } from "../warden/diagnosis/trace.ts";

/** Milliseconds until an nft that does not end is killed. */
const PATIENCE = 5000;
/** How many of its own process ids the daemon remembers; the monitor tells about them within milliseconds. */
const REMEMBERED = 32;
/** Bytes of a listing that are kept: the table itself takes 4,000, and each peer of scope `peers` 40 more. */
const LISTING_LIMIT = 1 << 18;

export type NftResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };
export type Listing =
	| { readonly kind: "table"; readonly text: string }
	| { readonly kind: "missing" }
	| { readonly kind: "failed"; readonly reason: string };

/** nft(8) as the daemon uses it; every process is short and its id is known as the daemon's own. */
export interface Nft {
	/** Carries a ruleset text out in one transaction. */
	apply(text: string): Promise<NftResult>;
	/** The kernel's own listing of a table of family inet, without counters (`nft -s`). */
	list(table: string): Promise<Listing>;
	/** What came in since the table was installed; undefined when that cannot be read. */
	counters(table: string): Promise<Counters | undefined>;
	/** The traces with the texts of rules that the monitor does not know; what cannot be listed stays as it is. */
	withRules(traces: readonly PacketTrace[], own: string): Promise<readonly PacketTrace[]>;
	isOwn(pid: number): boolean;
}

export function createNft(platform: Platform): Nft {
	const own: number[] = [];
	const remember = (pid: number) => {
		own.push(pid);
		if (own.length > REMEMBERED) own.shift();
	};
	const run = async (argv: readonly [string, ...string[]], input?: string) => {
		const done = await runToEnd(platform, argv, {
			timeout: PATIENCE,
			limit: LISTING_LIMIT,
			onStart: remember,
			...(input === undefined ? {} : { input }),
		});
		const ok = "code" in done.status && done.status.code === 0;
		const reason = done.timedOut
			? `${argv.join(" ")}: no end after ${PATIENCE / 1000} s`
			: describeExit(argv, done.status, done.complaint.replace(/^\S*:\d+:\d+(-\d+)?: /, ""));
		return { ok, reason, ...done };
	};
	return {
		isOwn: (pid) => own.includes(pid),
		async apply(text) {
			const { ok, reason, complaint } = await run(["nft", "-f", "-"], text);
			if (ok) return { ok };
			// A table with `flags owner` belongs to the process that made it, until that ends.
			const held = complaint.includes("Operation not permitted");
			return { ok: false, reason: held ? `${reason} (does another program own this table?)` : reason };
		},
		async counters(table) {
			const { ok, stdout } = await run(["nft", "list", "table", "inet", table]);
			return ok ? parseCounters(stdout) : undefined;
		},
		async withRules(traces, own) {
			const chains = unknownChains(traces, own);
			if (chains.length === 0) return traces;
			const listed = await Promise.all(
				chains.map(async (chain) => {
					const { ok, stdout } = await run(["nft", "-a", "list", "chain", ...chain]);
					return [chain.join(" "), ok ? parseHandles(stdout) : new Map<number, string>()] as const;
				}),
			);
			return withRules(traces, new Map(listed));
		},
		async list(table) {
			const argv = ["nft", "-s", "list", "table", "inet", table] as const;
			const { ok, stdout, complaint, reason } = await run(argv);
			if (ok && stdout.startsWith(`table inet ${table} {`)) return { kind: "table", text: stdout };
			if (ok) return { kind: "failed", reason: `${argv.join(" ")}: what it prints is no table` };
			return complaint.includes("No such file or directory")
				? { kind: "missing" }
				: { kind: "failed", reason };
		},
	};
}
