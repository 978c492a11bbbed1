import { within } from "../../lib/number.ts";
import type {
	Attachment,
	Chain,
	Family,
	Hook,
	NamedSet,
	Pattern,
	Rule,
	Ruleset,
	Statement,
	Table,
} from "../../model/ruleset.ts";
import { isObject, parsePattern, parseStatement, parseVerdictEntries } from "./expressions-json.ts";

const FAMILIES: ReadonlySet<string> = new Set(["inet", "ip", "ip6", "netdev"]);
const HOOKS: ReadonlySet<string> = new Set([
	"ingress",
	"prerouting",
	"input",
	"forward",
	"output",
	"postrouting",
	"egress",
]);
/** Those that belong to devices. */
const OF_DEVICES: ReadonlySet<string> = new Set(["ingress", "egress"]);

/** Names of priorities (nft(8), "Standard priority names"). */
const PRIORITIES: ReadonlyMap<string, number> = new Map([
	["raw", -300],
	["mangle", -150],
	["dstnat", -100],
	["filter", 0],
	["security", 50],
	["srcnat", 100],
]);

interface OpenTable extends Table {
	readonly chains: Map<string, OpenChain>;
	readonly sets: Map<string, NamedSet>;
}

interface OpenChain extends Chain {
	readonly rules: Rule[];
}

/**
 * Reads what `nft -j list ruleset` prints (libnftables-json(5)). Tables of family arp are left out, since they see no IP
 * packets. Of family bridge only the names are kept, so that it can be said that they were not looked at.
 * @param terse the listing was made with `-t`: nothing is known about what sets hold
 * @returns undefined when the text is no such listing
 */
export function parseRuleset(text: string, terse = false): Ruleset | undefined {
	let root: unknown;
	try {
		root = JSON.parse(text);
	} catch {
		return undefined;
	}
	const objects = isObject(root) ? root.nftables : undefined;
	if (!Array.isArray(objects)) return undefined;
	const tables = new Map<string, OpenTable>();
	const bridges = new Set<string>();
	let version: string | undefined;
	for (const entry of objects) {
		if (!isObject(entry)) continue;
		const [kind = ""] = Object.keys(entry);
		const body = entry[kind];
		if (!isObject(body)) continue;
		if (kind === "metainfo" && typeof body.version === "string") version = body.version;
		const of = typeof body.table === "string" ? body.table : "";
		if (kind === "rule" && body.family === "bridge") bridges.add(of);
		if (typeof body.family !== "string" || !FAMILIES.has(body.family)) continue;
		const family = body.family as Family;
		if (kind === "table") addTable(tables, family, body);
		const table = tables.get(`${family} ${of}`);
		if (!table) continue;
		if (kind === "chain") addChain(table, body);
		else if (kind === "rule") addRule(table, body);
		else if ((kind === "set" || kind === "map") && typeof body.name === "string")
			table.sets.set(body.name, namedSet(kind, body.elem, terse));
	}
	return {
		tables: [...tables.values()],
		bridges: [...bridges],
		...(version === undefined ? {} : { version }),
	};
}

/** Whether this nft's JSON shows which tables are dormant: 1.0.6 does not, 1.1.3 does. */
export function showsDormant({ version = "" }: Ruleset): boolean {
	return !/^(0|1\.0)\./.test(version);
}

/** @param listing of `nft -t list ruleset`: `table inet x {`, and in the next line `flags dormant` */
export function withDormant(ruleset: Ruleset, listing: string): Ruleset {
	const dormant = new Set(
		[...listing.matchAll(/^table (\S+ \S+) \{[^\n]*\n\tflags [^\n]*\bdormant\b/gm)].map(([, table]) => table),
	);
	const tables = ruleset.tables.map((table) =>
		dormant.has(`${table.family} ${table.name}`) ? { ...table, dormant: true } : table,
	);
	return { ...ruleset, tables };
}

/**
 * A base chain's priority: a number, or a name with an offset as older versions print it, e.g. `mangle - 5`.
 * @returns undefined for anything else
 */
export function parsePriority(priority: unknown): number | undefined {
	const [, name = "", sign, offset = 0] =
		/^([a-z]+)(?: *([+-]) *(\d+))?$/.exec(typeof priority === "string" ? priority : "") ?? [];
	const base = PRIORITIES.get(name) ?? Number.NaN;
	const number = typeof priority === "number" ? priority : base + (sign === "-" ? -1 : 1) * Number(offset);
	return within(number, -(2 ** 31), 2 ** 31 - 1);
}

type Body = Readonly<Record<string, unknown>>;

function addTable(tables: Map<string, OpenTable>, family: Family, { name, flags }: Body): void {
	if (typeof name !== "string") return;
	const given = Array.isArray(flags) ? flags : [flags];
	tables.set(`${family} ${name}`, {
		family,
		name,
		dormant: given.includes("dormant"),
		owned: given.includes("owner"),
		chains: new Map(),
		sets: new Map(),
	});
}

function addChain(table: OpenTable, body: Body): void {
	if (typeof body.name !== "string") return;
	const base = attachment(body);
	table.chains.set(body.name, { name: body.name, ...(base ? { base } : {}), rules: [] });
}

function attachment({ type, hook, prio, policy, dev }: Body): Attachment | undefined {
	const priority = parsePriority(prio);
	if (typeof hook !== "string" || !HOOKS.has(hook) || priority === undefined) return undefined;
	return {
		type: typeof type === "string" ? type : "filter",
		hook: hook as Hook,
		priority,
		policy: policy === "drop" ? "drop" : "accept",
		...(OF_DEVICES.has(hook) ? { devices: [dev].flat().filter((name) => typeof name === "string") } : {}),
	};
}

function addRule(table: OpenTable, { chain, handle, comment, expr }: Body): void {
	if (typeof chain !== "string") return;
	const rules = table.chains.get(chain)?.rules;
	rules?.push(
		new ListedRule(
			table.family,
			table.name,
			chain,
			within(handle) ?? 0,
			typeof comment === "string" ? comment : undefined,
			Array.isArray(expr) ? expr : [],
		),
	);
}

class ListedRule implements Rule {
	declare readonly comment?: string;
	private readonly read: Statement[] = [];

	constructor(
		readonly family: Family,
		readonly table: string,
		readonly chain: string,
		readonly handle: number,
		comment: string | undefined,
		private readonly expr: readonly unknown[],
	) {
		if (comment !== undefined) this.comment = comment;
	}

	get statements(): readonly Statement[] {
		for (let index = this.read.length; index < this.expr.length; index++) this.at(index);
		return this.read;
	}

	at(index: number): Statement | undefined {
		// Always asked for in order, so that nothing is left out.
		if (index === this.read.length && index < this.expr.length)
			this.read.push(parseStatement(this.expr[index]));
		return this.read[index];
	}
}

function namedSet(kind: "set" | "map", elements: unknown, terse: boolean): NamedSet {
	let patterns: readonly Pattern[] | undefined;
	let entries: ReturnType<typeof parseVerdictEntries> | undefined;
	const given = Array.isArray(elements) ? elements : [];
	return {
		elements() {
			if (terse) return undefined;
			patterns ??= given.map((each) => parsePattern(kind === "map" && Array.isArray(each) ? each[0] : each));
			return patterns;
		},
		verdicts() {
			if (terse) return undefined;
			entries ??= parseVerdictEntries(given);
			return entries;
		},
	};
}
