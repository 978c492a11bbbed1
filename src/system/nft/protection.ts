import { type Backoff, retryDelay } from "../../lib/backoff.ts";
import type { FullPipe, Platform, Timer } from "../../platform/types.ts";
import { installTable } from "./installed-table.ts";
import type { Nft, NftFailure, NftResult } from "./nft.ts";
import type { Wanted } from "./owned-table.ts";
import { OwnedTable, type Owning } from "./owned-table.ts";

/** `owned`: the kernel lets nobody but the owner change the table; `installed`: the daemon repairs it. */
export type Mode = "owned" | "installed";

export type Applied = { readonly ok: true; readonly mode: Mode } | NftFailure;

export interface ProtectionOptions {
	/** `option protect`: own the table where that is possible. */
	readonly own: boolean;
	/** The table is in place, but has no owner any more; it was not meant to be. */
	readonly onLost: (reason: string) => void;
	readonly onInfo: (text: string) => void;
}

/**
 * Installs the table and keeps it, in the stronger of two modes that is possible; one thing at a time, in the order of the
 * calls. Nobody else needs to know which mode it is: what a mode does not prevent, the warden repairs.
 */
export interface Protection {
	/** Begins what an owner needs, before the first `apply`. */
	prepare(): void;
	/** `option protect`, changed. Takes effect with the next `apply`; what is possible is found out anew. */
	configure(own: boolean): void;
	/** Replaces whatever has the table's name, in one transaction. */
	apply(wanted: Wanted): Promise<Applied>;
	/** Gives up the ownership: the table stays, and anybody can change it, as any other table. */
	release(): Promise<NftResult>;
	/** The monitor showed a transaction of the daemon's own. */
	confirm(pid: number): void;
}

/** An owner that has lived for this many milliseconds shows that it works: earlier failures do not count. */
const LONG_OWNED = 60_000;
/** Before the daemon tries again to own the table: each try replaces it. Meanwhile it is kept without an owner. */
const RETRY: Backoff = { first: 7000, longest: 7000, lasting: 300_000, jitter: 0 };
/** Never created: `nft -c` only has the kernel check it. */
const SCRATCH = "table inet bgpwarden_scratch {\n\tflags owner, persist;\n}\n";

export function createProtection(platform: Platform, nft: Nft, options: ProtectionOptions): Protection {
	const owned = new OwnedTable(platform, nft, (how) => {
		if (how.kind === "let go") noteFailure({ ok: false, reason: how.reason });
		options.onLost(how.kind === "failed" ? how.failure.reason : "it released the table");
	});
	let { own } = options;
	let pipe: Promise<FullPipe> | undefined;
	let obstacle: Promise<NftFailure | undefined> | undefined;
	let failures = 0;
	let ownedAt = Number.POSITIVE_INFINITY;
	/** No owner is tried before that time, for that reason. */
	let pause: { readonly until: number; readonly failure: NftFailure } | undefined;
	let retry: Timer | undefined;
	let explained: string | undefined;
	let last: Wanted | undefined;
	let queue: Promise<unknown> = Promise.resolve();

	const inTurn = <Result>(task: () => Promise<Result>): Promise<Result> => {
		const result = queue.then(task);
		queue = result.catch(() => {});
		return result;
	};

	/** Begins what an owner needs, while the daemon still looks at what is there. */
	const prepare = () => {
		if (!own) return;
		obstacle ??= nft.check(SCRATCH).then((result) => (result.ok ? undefined : result));
		pipe ??= platform.openFullPipe();
		// Whoever needs it hears of a failure; until then nobody listens.
		pipe.catch(() => {});
	};

	const explain = (reason: string | undefined) => {
		if (reason !== undefined && reason !== explained) options.onInfo(`the table is not owned: ${reason}`);
		explained = reason;
	};

	const applyInstalled = async (wanted: Wanted): Promise<Applied> => {
		// What was owned has a flag that only this text gets rid of at the first try: fw4 may be about to load its ruleset.
		const first = (await owned.letGo()) ? await nft.apply(wanted.render({ destroy: true })) : undefined;
		const result = first?.ok ? first : await installTable(nft, wanted.render);
		return result.ok ? { ok: true, mode: "installed" } : result;
	};

	const apply = async (wanted: Wanted): Promise<Applied> => {
		last = wanted;
		if (!own || wanted.own === false) return applyInstalled(wanted);
		const paused = pause && platform.now().monotonic < pause.until ? pause.failure : undefined;
		if (!paused) {
			retry?.cancel();
			retry = undefined;
			prepare();
		}
		const known = paused ?? (await obstacle);
		const result: Owning = known ? { kind: "failed", failure: known } : await applyOwned(wanted);
		if (result.kind === "owned") {
			ownedAt = platform.now().monotonic;
			explain(undefined);
			return { ok: true, mode: "owned" };
		}
		const failure: NftFailure =
			result.kind === "failed" ? result.failure : { ok: false, reason: result.reason };
		// The other mode would be refused as well.
		if (failure.cause === "held") return failure;
		const installed = await applyInstalled(wanted);
		// Where the same table can be installed, it is the owner that does not work.
		if (installed.ok) {
			explain(`kernel or nft cannot: ${failure.reason}`);
			if (!paused && (!known || known.cause === "not run")) noteFailure(failure);
			// The time for the next try came while this went on.
			else if (paused && !retry) tryLater(RETRY.first, paused);
		} else if (known?.cause === "not run") obstacle = undefined;
		return installed;
	};

	const applyOwned = async (wanted: Wanted): Promise<Owning> => {
		pipe ??= platform.openFullPipe();
		let full: FullPipe;
		try {
			full = await pipe;
		} catch (error) {
			pipe = undefined;
			const reason = error instanceof Error ? error.message : String(error);
			return { kind: "failed", failure: { ok: false, reason } };
		}
		return owned.apply(wanted, full);
	};

	const tryLater = (delay: number, { reason }: NftFailure) => {
		retry?.cancel();
		retry = platform.after(delay, () => {
			retry = undefined;
			options.onLost(reason);
		});
	};

	/** The machine may have been short of something, the pipe not quite full: more tries, with pauses. */
	const noteFailure = (failure: NftFailure) => {
		pipe?.then((full) => full.close()).catch(() => {});
		pipe = undefined;
		if (platform.now().monotonic - ownedAt > LONG_OWNED) failures = 0;
		obstacle = undefined;
		const delay = retryDelay(RETRY, ++failures);
		pause = { until: platform.now().monotonic + delay, failure };
		tryLater(delay, failure);
	};

	return {
		prepare,
		configure(next) {
			own = next;
			obstacle = undefined;
			pause = undefined;
			failures = 0;
			prepare();
		},
		apply: (wanted) => inTurn(() => apply(wanted)),
		release: () =>
			inTurn(async () => {
				retry?.cancel();
				retry = undefined;
				if (!(await owned.letGo()) || !last) return { ok: true };
				// Left as it is, with its flag, it would make whoever names it without that flag fail.
				return nft.apply(last.render({ destroy: true }));
			}),
		confirm: (pid) => owned.confirm(pid),
	};
}
