import { FW4_TABLE } from "../../model/firewall.ts";
import type { TableForm } from "../../model/table.ts";
import type { Platform } from "../../platform/types.ts";
import type { Action } from "../../warden/actions.ts";
import type { WardenEvent } from "../../warden/events.ts";
import { hasOtherIds } from "../kernel/actor.ts";
import { FirewallFiles } from "../openwrt/firewall.ts";
import type { Monitor } from "./monitor.ts";
import type { Nft } from "./nft.ts";
import type { Protection } from "./protection.ts";
import { type FileLook, TABLE_FILE, TableFile } from "./table-file.ts";
import { bareListing, peersIn, portsIn } from "./table-listing.ts";
import { renderTable, withMark } from "./table-text.ts";

/** Carries out the warden's actions on the table, and returns their outcomes as events. */
export class TableKeeper {
	/** The defaults are in force for want of a configuration: the copy that another one has left stays. */
	fallback = false;
	private readonly file: TableFile;
	private readonly firewall: FirewallFiles;
	private knownMark: string | undefined;
	/** Whether processes have other ids here than the kernel tells. */
	private contained: boolean | undefined;
	private installed = false;
	/** Whoever had the table released may have removed its copy too. */
	private released = false;

	constructor(
		private readonly platform: Platform,
		private readonly nft: Nft,
		private readonly protection: Protection,
		private readonly onInfo: (text: string) => void,
	) {
		this.file = new TableFile(platform.files, () => platform.now().monotonic);
		this.firewall = new FirewallFiles(platform.files);
	}

	/** Of the copy for the next boot, for the status: see `TableFile.fingerprint`. */
	get saved(): { readonly table_file?: string } {
		const { fingerprint } = this.file;
		return fingerprint === undefined ? {} : { table_file: fingerprint };
	}

	/** Looks at the copy for the next boot, and writes it again if need be: a stat as long as nobody touches it. */
	checkFile(): WardenEvent[] {
		const look = this.released ? undefined : this.file.check();
		return look ? [this.tell(look)] : [];
	}

	private tell({ failure, replaced }: FileLook): WardenEvent {
		if (replaced) this.onInfo(`${TABLE_FILE} was ${replaced}; written again`);
		const text = failure && `cannot save the boot copy of the table: ${failure}`;
		return { type: "problem", kind: "table_file", text };
	}

	/** Goes into a rule's comment where nothing else tells the daemon's own transactions; see `withMark`. */
	get mark(): string {
		this.knownMark ??= Math.floor(this.platform.random() * 2 ** 32)
			.toString(16)
			.padStart(8, "0");
		return this.knownMark;
	}

	/** Installs the table, and saves its copy for the next boot. */
	async install(
		{ spec, former, own }: Extract<Action, { type: "install" }>,
		{ knowsProcesses }: Pick<Monitor, "knowsProcesses">,
	): Promise<WardenEvent[]> {
		this.contained ??= hasOtherIds(this.platform.files);
		// Where nothing tells beforehand whether the monitor's process ids are ours, the first install shows it.
		const marked = (this.installed || this.contained) && !knowsProcesses;
		const render = (form: TableForm) => {
			const text = renderTable(spec, { ...form, former });
			// Of an owned table, only the mark tells whose it is.
			return marked || form.owned ? withMark(text, this.mark) : text;
		};
		// A file may have come since the warden knew of the last.
		const seen = this.firewall.look(spec.table);
		const named = seen.includes.length > 0;
		const result = await this.protection.apply({ table: spec.table, render, own: own !== false && !named });
		if (!result.ok) return [{ type: "install_failed", reason: result.reason }];
		this.installed = true;
		this.released = false;
		// Whoever loads the copy ends at once, and could own nothing.
		const saved = this.file.save(renderTable(spec), this.fallback);
		return [
			{ type: "installed", owned: result.mode === "owned" },
			this.tell(saved ?? {}),
			...(own !== false && named ? [{ type: "firewall_seen", ...seen } as const] : []),
		];
	}

	/** What fw4 is about to do to the table. @param listing whether to ask the kernel for fw4's table */
	async look(table: string, listing: boolean): Promise<WardenEvent> {
		const tables = listing ? await this.nft.tables() : undefined;
		const there = tables && (tables.has(FW4_TABLE) ? "there" : "missing");
		return { type: "firewall_seen", ...this.firewall.look(table), ...(there ? { table: there } : {}) };
	}

	/** @param ids who waits for it */
	async release(ids: readonly string[]): Promise<WardenEvent> {
		this.released = true;
		const result = await this.protection.release();
		return { type: "released", ids, ...(result.ok ? {} : { failure: result.reason }) };
	}

	/** @param table its name, family inet */
	async list(table: string): Promise<WardenEvent> {
		const listing = await this.nft.list(table);
		if (listing.kind === "failed") return { type: "list_failed", reason: listing.reason };
		if (listing.kind === "missing") return { type: "listed", text: undefined };
		const { text } = listing;
		return { type: "listed", text: bareListing(text), peers: peersIn(text), ports: portsIn(text) };
	}
}
