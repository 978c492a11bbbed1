/**
 * Text of `nft monitor` (nft(8), "MONITOR"): one line per object that a transaction added or removed, then
 * `# new generation 4 by process 19316 (nft)`. Traced packets, lines of their own, are trace.ts's.
 */

import { wholeNumber } from "../../lib/number.ts";
import { FW4_TABLE } from "../../model/firewall.ts";
import { isTraceLine } from "./trace-text.ts";

/** What one transaction did to the watched table. */
export type Touch =
	/** Nothing of it was named. */
	| "none"
	/** It is gone and was not created again. */
	| "deleted"
	/** Something in it was added or removed. */
	| "changed";

/** One committed transaction. */
export interface Transaction {
	readonly pid: number;
	/** Process name, at most 15 characters (the kernel's `comm`). */
	readonly process: string;
	readonly touch: Touch;
	/** It added a rule of the table with the daemon's mark. */
	readonly marked: boolean;
	/** Tables, as `family name`, of which it added or removed rules or chains; the first few. */
	readonly tables: readonly string[];
	/** What it left of fw4's table; absent: it added nothing to it and did not delete it. */
	readonly firewall?: "there" | "missing";
}

export type MonitorItem =
	| { readonly kind: "transaction"; readonly transaction: Transaction }
	/** The kernel dropped messages: anything may have happened. */
	| { readonly kind: "gap" }
	/** A line that nft monitor does not print. */
	| { readonly kind: "garbage"; readonly text: string };

/** A process's name may hold any byte, a newline among them: then the line ends in it. */
const GENERATION = /^# new generation \d+ by process (\d+) \((.*)$/s;
/** Bytes of a process's name (TASK_COMM_LEN, include/linux/sched.h). */
const NAME_LIMIT = 15;
const CHANGE = /^(add|create|insert|replace|delete|destroy|reset) [a-z]+ \S+ \S/;
/** A table, chain or rule: sets' elements come and go with each name that is looked up. */
const RULES = /^(?:add|create|insert|replace|delete|destroy) (?:table|chain|rule) (\S+ \S+)/;
const FW4_DELETED = `delete table ${FW4_TABLE}`;
/** Sets' elements and flowtables do not matter: fw4 makes chains as well. */
const FW4_ADDED = new RegExp(`^(?:add|create|insert|replace) (?:table|chain|rule) ${FW4_TABLE}(?: |$)`);
/** Tables that are kept of one transaction. */
const MOST_TABLES = 8;

/** Assembles the lines of a monitor into transactions; one instance for each run of the program. */
export class MonitorParser {
	private touch: Touch = "none";
	private marked = false;
	private tables = new Set<string>();
	private firewall: "there" | "missing" | undefined;
	/** Bytes that the last transaction's process may have in its name on the next lines. */
	private nameLeft = -1;
	private readonly tableRemoved: string;
	private readonly tableAdded: string;
	private readonly object: RegExp;

	/**
	 * @param table the watched table's name, family inet
	 * @param mark what the daemon puts into a rule's comment
	 */
	constructor(
		table: string,
		private readonly mark = "",
	) {
		this.tableRemoved = `delete table inet ${table}`;
		this.tableAdded = `add table inet ${table}`;
		const name = table.replace(/[^A-Za-z0-9_]/g, "\\$&");
		this.object = new RegExp(`^\\w+ [a-z]+ inet ${name}(?: |$)`);
	}

	/**
	 * Takes one line.
	 * @returns what it completes, or undefined: most lines are part of a transaction
	 */
	line(text: string): MonitorItem | undefined {
		if (this.goesOn(text)) return undefined;
		if (text.startsWith("#")) return this.remark(text);
		if (isTraceLine(text)) return undefined;
		// Continuation lines of multi-line objects (sets, flowtables) are indented; a closing brace ends them.
		if (text === "" || /^[\s}]/.test(text)) return undefined;
		if (!CHANGE.test(text)) return { kind: "garbage", text };
		const table = RULES.exec(text)?.[1];
		if (table !== undefined && this.tables.size < MOST_TABLES) this.tables.add(table);
		if (table === FW4_TABLE) {
			if (text === FW4_DELETED || text.startsWith(`${FW4_DELETED} `)) this.firewall = "missing";
			else if (FW4_ADDED.test(text)) this.firewall = "there";
		}
		if (!this.object.test(text)) return undefined;
		if (this.mark !== "" && text.startsWith("add rule ") && text.includes(this.mark)) this.marked = true;
		if (text.startsWith(this.tableRemoved)) this.touch = "deleted";
		else if (this.touch !== "deleted" || text.startsWith(this.tableAdded)) this.touch = "changed";
		return undefined;
	}

	/** Whether a line is the rest of a process's name. */
	private goesOn(text: string): boolean {
		const left = this.nameLeft;
		this.nameLeft = -1;
		if (text.endsWith(")") && text.length - 1 <= left) return true;
		// Another newline is a byte of it, and something may follow.
		if (text.length >= left) return false;
		this.nameLeft = left - text.length - 1;
		return true;
	}

	private remark(text: string): MonitorItem | undefined {
		const generation = GENERATION.exec(text);
		if (!generation) return text.includes("lost") ? { kind: "gap" } : { kind: "garbage", text };
		const { touch, marked, firewall } = this;
		const tables = [...this.tables];
		this.touch = "none";
		this.marked = false;
		this.firewall = undefined;
		if (tables.length > 0) this.tables = new Set();
		const pid = wholeNumber(generation[1]);
		// Nobody has such an id: whoever it was may have done anything.
		if (!pid) return { kind: "gap" };
		const rest = generation[2] ?? "";
		const process = rest.endsWith(")") ? rest.slice(0, -1) : rest;
		if (process === rest) this.nameLeft = NAME_LIMIT - rest.length - 1;
		return {
			kind: "transaction",
			transaction: { pid, process, touch, marked, tables, ...(firewall ? { firewall } : {}) },
		};
	}
}
