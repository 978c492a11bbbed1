import { parseUci, type UciSection } from "../../lib/uci.ts";
import type { FirewallFacts, FirewallMeant, NftInclude } from "../../model/firewall.ts";
import { FileError, type Files } from "../../platform/types.ts";

/** /etc/config/firewall, as firewall4 reads it (fw4.uc: load, parse_defaults, parse_include). */
export interface Firewall {
	/** `auto_includes` of the defaults: fw4 loads what other packages put into /usr/share/nftables.d. */
	readonly autoIncludes: boolean;
	/** Paths of enabled `config include` sections with `type script`. */
	readonly scripts: readonly string[];
	/** The same with `type nftables`. */
	readonly nftables: readonly string[];
	/** Names of the zones that fw4 makes. */
	readonly zones: readonly string[];
}

const CONFIG = "/etc/config/firewall";
const SHARED = "/usr/share/nftables.d";
/** Positions of files that fw4 loads by itself; a chain's files have one more level, by the chain's name. */
const POSITIONS = ["ruleset-pre", "ruleset-post", "table-pre", "table-post"] as const;
const CHAIN_POSITIONS = ["chain-pre", "chain-post"] as const;
/** Loaded always, by a line of fw4's template (ruleset.uc). */
const ALWAYS = "/etc/nftables.d";
/** Bytes of a file that are searched. */
const LIMIT = 1 << 20;
/** There from fw4's start to its stop, also when the start has failed (firewall4, root/sbin/fw4; fw4.uc, load). */
const STATE = "/var/run/fw4.state";
const PROGRAM = "/sbin/fw4";
/** More files than any router has. */
const MOST_FILES = 100;

/** What fw4 does where it has no configuration, or none that it can read: `auto_includes` is on by default. */
const DEFAULTS: Firewall = { autoIncludes: true, scripts: [], nftables: [], zones: [] };

/** @returns undefined where there is no /etc/config/firewall that can be read */
export function readFirewall(files: Files): Firewall | undefined {
	try {
		return parseFirewall(files.read(CONFIG));
	} catch (error) {
		if (error instanceof FileError) return undefined;
		throw error;
	}
}

/** The part of /etc/config/firewall that decides what fw4 includes. @returns undefined when it is not UCI */
export function parseFirewall(text: string): Firewall | undefined {
	const parsed = parseUci(text);
	if ("errors" in parsed) return undefined;
	const defaults = parsed.sections.find(({ type }) => type === "defaults");
	const enabled = (type: string) =>
		parsed.sections.filter((section) => section.type === type && !isFalse(option(section, "enabled")));
	const includes = enabled("include");
	const paths = (type: "script" | "nftables") =>
		includes
			.filter((section) => type.startsWith((option(section, "type") ?? "script").toLowerCase()))
			.flatMap((section) => option(section, "path") ?? []);
	return {
		autoIncludes: !isFalse(option(defaults, "auto_includes")),
		scripts: paths("script"),
		nftables: paths("nftables"),
		zones: enabled("zone").flatMap((section) => option(section, "name") ?? []),
	};
}

/**
 * The files of fw4's transaction that name a table of family inet. Such a file changes the table at each start of the firewall;
 * where the table has an owner, the kernel refuses the whole transaction, and the router is left without a firewall.
 * @param table its name
 * @param firewall absent: fw4's defaults, which also apply without a configuration
 */
export function includesNaming(
	files: Files,
	table: string,
	firewall: Firewall = readFirewall(files) ?? DEFAULTS,
): NftInclude[] {
	return naming(files, table, includePaths(files, firewall));
}

/** @returns whether fw4's table is meant to be there, as the file system tells */
export function firewallMeant(files: Files): FirewallMeant | undefined {
	if (files.status(STATE)) return "started";
	const enabled = list(files, "/etc/rc.d").some((path) => /\/S\d+firewall$/.test(path));
	// The firewall before fw4 has a service of the same name, and no table.
	return enabled && files.status(PROGRAM) ? "enabled" : undefined;
}

/** The same questions again and again: only what has changed is read. */
export class FirewallFiles {
	private config: { readonly key: string; readonly firewall: Firewall } | undefined;
	private found: { readonly key: string; readonly includes: readonly NftInclude[] } | undefined;

	constructor(private readonly files: Files) {}

	/** @param table its name, family inet */
	look(table: string): FirewallFacts {
		const { files } = this;
		const config = this.keyOf([CONFIG]);
		if (this.config?.key !== config) this.config = { key: config, firewall: readFirewall(files) ?? DEFAULTS };
		const paths = includePaths(files, this.config.firewall);
		const key = [table, ...paths, this.keyOf(paths)].join("\n");
		if (this.found?.key !== key) this.found = { key, includes: naming(files, table, paths) };
		const meant = firewallMeant(files);
		return { includes: this.found.includes, ...(meant ? { meant } : {}) };
	}

	private keyOf(paths: readonly string[]): string {
		return paths
			.map((path) => {
				const status = this.files.status(path);
				return status ? `${status.inode} ${status.size} ${status.modified}` : "";
			})
			.join();
	}
}

function includePaths(files: Files, firewall: Firewall): string[] {
	const paths = [
		...firewall.nftables,
		...(firewall.autoIncludes ? automatic(files) : []),
		...list(files, ALWAYS).filter(isRuleset),
	];
	return paths.slice(0, MOST_FILES);
}

function naming(files: Files, table: string, paths: readonly string[]): NftInclude[] {
	// In doubt it names the table: the name may come by a definition.
	const names = new RegExp(`\\binet\\s+"?${table}(?![\\w-])|^\\s*define\\s.*=\\s*"?${table}(?![\\w-])`);
	return paths.flatMap((path) => {
		const line = textOf(files, path)
			.split("\n")
			.find((each) => names.test(each.replace(/#.*/, "")));
		return line === undefined ? [] : [{ path, line: line.trim().slice(0, 120) }];
	});
}

function automatic(files: Files): string[] {
	const folders = [
		...POSITIONS.map((position) => `${SHARED}/${position}`),
		...CHAIN_POSITIONS.flatMap((position) => list(files, `${SHARED}/${position}`)),
	];
	return folders.flatMap((folder) => list(files, folder).filter(isRuleset));
}

/** What the pattern `*.nft` matches. */
function isRuleset(path: string): boolean {
	return /\/[^./][^/]*\.nft$/.test(path);
}

function option(section: UciSection | undefined, name: string): string | undefined {
	return section?.options.get(name)?.values[0] || undefined;
}

/** Anything else counts as true: in doubt a file is included. */
function isFalse(value: string | undefined): boolean {
	return value !== undefined && ["0", "off", "false", "no"].includes(value);
}

function list(files: Files, directory: string): string[] {
	if (files.status(directory)?.kind !== "directory") return [];
	try {
		return files.list(directory).map((name) => `${directory}/${name}`);
	} catch {
		return [];
	}
}

function textOf(files: Files, path: string): string {
	try {
		return files.read(path, LIMIT);
	} catch {
		return "";
	}
}
