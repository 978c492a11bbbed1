import { LineSplitter } from "../../lib/lines.ts";
import type { TableForm } from "../../model/table.ts";
import type { Child, ExitStatus, FullPipe, Platform, Timer } from "../../platform/types.ts";
import { describeNftFailure, NFT_PATIENCE, type Nft, type NftFailure, nftTimeout } from "./nft.ts";
import { isOwned } from "./table-listing.ts";

const ARGV = ["nft", "-e", "-f", "-"] as const;
/** Milliseconds between checks of the table while no monitor shows that the transaction was made. */
const CHECKS = [10, 20, 50, 100, 200, 500, 1000] as const;

/** Milliseconds that the owner has while there is no table at all. */
const MISSING_PATIENCE = 500;

export type Owning =
	| { readonly kind: "owned" }
	/** The table was put in place, and not held: the pipe was not full, or this nft does not echo as it should. */
	| { readonly kind: "let go"; readonly reason: string }
	| { readonly kind: "failed"; readonly failure: NftFailure };

interface Owner {
	readonly child: Child;
	readonly ended: Promise<void>;
}

/**
 * A table belongs to the netlink socket that made it with the flag `owner` (kernel, net/netfilter/nf_tables_api.c).
 * To hold that socket open there is a process of nft that never ends: told to echo (`-e`) what it has done, it does so
 * after the transaction, and before it closes the socket, into a pipe that is full. nft writes each piece at once
 * (nftables, src/print.c), so the echo need not be long. The process sleeps in write(2) until it is killed or the
 * daemon ends, when it gets SIGPIPE; then the table stays without an owner, if it has the flag `persist`.
 */
export class OwnedTable {
	private owner: Owner | undefined;
	private onConfirmed: ((pid: number) => void) | undefined;

	/** @param onLost the owner ended without being told to; `let go`: by itself */
	constructor(
		private readonly platform: Platform,
		private readonly nft: Nft,
		private readonly onLost: (how: Owning) => void,
	) {}

	/** See `Protection.confirm`. */
	confirm(pid: number): void {
		this.onConfirmed?.(pid);
	}

	/** Ends the owner. The table stays. @returns whether there was one */
	async letGo(): Promise<boolean> {
		const { owner } = this;
		if (!owner) return false;
		this.owner = undefined;
		owner.child.kill("SIGKILL");
		// The kernel takes the ownership away as the process ends, not when it is told to.
		await owner.ended;
		return true;
	}

	/**
	 * Replaces the table by one that a new process owns. The old owner has to go first, since nobody else can replace
	 * the table; until the new one has made its transaction, the old table is in place, without an owner.
	 */
	async apply({ table, render, optional }: Wanted, pipe: FullPipe): Promise<Owning> {
		await this.letGo();
		let settle: (result: Owning) => void = () => {};
		const result = new Promise<Owning>((resolve) => {
			settle = resolve;
		});
		let complaint = "";
		const errors = new LineSplitter((line) => {
			complaint ||= line.text;
		}, 1024);
		const end = { told: () => {} };
		const ended = new Promise<void>((resolve) => {
			end.told = resolve;
		});
		let child: Child;
		try {
			child = this.platform.spawn({
				argv: ARGV,
				stdin: true,
				urgent: true,
				stdout: pipe,
				onStderr: (chunk) => errors.push(chunk),
				onExit: (status) => {
					end.told();
					const how = outcome(status, complaint);
					settle(how);
					if (this.owner !== owner) return;
					this.owner = undefined;
					this.onLost(how);
				},
			});
		} catch (error) {
			const reason = error instanceof Error ? error.message : String(error);
			return { kind: "failed", failure: { ok: false, reason } };
		}
		const owner: Owner = { child, ended };
		this.nft.claim(child.pid);
		const text = render({ owned: true });
		child.write(text);
		child.closeStdin();
		const waiting = this.awaitTransaction(
			table,
			text,
			child,
			settle,
			optional ? NFT_PATIENCE : MISSING_PATIENCE,
		);
		const seen = await result;
		waiting.cancel();
		if (seen.kind === "owned") this.owner = owner;
		else if (seen.kind === "failed") {
			child.kill("SIGKILL");
			await ended;
		}
		return seen;
	}

	/** Settles as `owned` when the transaction was seen in the monitor or, where there is none, in the listing. */
	private awaitTransaction(
		table: string,
		text: string,
		child: Child,
		settle: (result: Owning) => void,
		missing: number,
	): Timer {
		const start = this.platform.now().monotonic;
		let timer: Timer | undefined;
		let checks = 0;
		const wait = () => {
			timer = this.platform.after(CHECKS[Math.min(checks++, CHECKS.length - 1)] ?? 1000, check);
		};
		const check = () => {
			if (this.platform.now().monotonic - start > NFT_PATIENCE) {
				settle({ kind: "failed", failure: nftTimeout(ARGV) });
				return;
			}
			this.nft.list(table).then((listing) => {
				if (timer === undefined) return;
				// Without a table the sessions die: it is put in place without an owner.
				if (listing.kind === "missing" && this.platform.now().monotonic - start > missing) {
					settle({ kind: "failed", failure: notInTime });
					return;
				}
				if (listing.kind === "table" && isOwned(listing.text, text)) settle({ kind: "owned" });
				else wait();
			});
		};
		this.onConfirmed = (pid) => {
			// In a container the monitor tells ids that processes have outside: then it can only be this one.
			if (pid === child.pid || !this.nft.isOwn(pid)) settle({ kind: "owned" });
		};
		wait();
		return {
			cancel: () => {
				timer?.cancel();
				timer = undefined;
				this.onConfirmed = undefined;
			},
		};
	}
}

const notInTime: NftFailure = {
	ok: false,
	reason: `${ARGV.join(" ")}: no table after ${MISSING_PATIENCE} ms`,
	cause: "not run",
};

/** What it means that the owner has ended. */
function outcome(status: ExitStatus, complaint: string): Owning {
	if ("code" in status && status.code === 0)
		return { kind: "let go", reason: `${ARGV.join(" ")} does not wait for a reader` };
	return { kind: "failed", failure: describeNftFailure(ARGV, status, complaint) };
}

/** A table to be installed. */
export interface Wanted {
	/** Its name, family inet. */
	readonly table: string;
	readonly render: Render;
	/** False: without an owner, even where one is possible. */
	readonly own?: boolean;
	/** No session depends on it: a slow nft has its time. */
	readonly optional?: true;
}

/** The table's text in the given form. */
export type Render = (form: TableForm) => string;
