import { parseUci, type UciSection } from "../../lib/uci.ts";
import { FileError, type Files } from "../../platform/types.ts";

export interface Firewall {
	/** `auto_includes` of the defaults: fw4 takes what lies in /usr/share/nftables.d. */
	readonly autoIncludes: boolean;
	/** Paths of enabled `config include` sections with `type script`. */
	readonly scripts: readonly string[];
	/** The same with `type nftables`. */
	readonly nftables: readonly string[];
}

/** A file that becomes a part of fw4's own transaction. */
export interface NftInclude {
	readonly path: string;
	/** The line that names the table. */
	readonly line: string;
}

const CONFIG = "/etc/config/firewall";
/** Where fw4 looks for what other packages add (firewall4's fw4.uc and ruleset.uc). */
const SHARED = "/usr/share/nftables.d";
const OWN = "/etc/nftables.d";
/** Bytes of an include that are looked at. */
const LIMIT = 1 << 18;
/** More files than any router has. */
const MOST_FILES = 100;

/** @returns undefined where there is no /etc/config/firewall that can be read */
export function readFirewall(files: Files): Firewall | undefined {
	let text: string;
	try {
		text = files.read(CONFIG);
	} catch (error) {
		if (error instanceof FileError) return undefined;
		throw error;
	}
	return parseFirewall(text);
}

/** What matters here of /etc/config/firewall. @returns undefined when it is not UCI */
export function parseFirewall(text: string): Firewall | undefined {
	const parsed = parseUci(text);
	if ("errors" in parsed) return undefined;
	const defaults = parsed.sections.find(({ type }) => type === "defaults");
	const includes = parsed.sections.filter(
		(section) => section.type === "include" && isOn(section, "enabled", true),
	);
	const paths = (type: string, otherwise: boolean) =>
		includes
			.filter((section) => (option(section, "type") ?? (otherwise ? type : "")) === type)
			.flatMap((section) => option(section, "path") ?? []);
	return {
		autoIncludes: isOn(defaults, "auto_includes", true),
		scripts: paths("script", true),
		nftables: paths("nftables", false),
	};
}

/** The files of fw4's transaction that name a table. @param firewall absent: no fw4 here */
export function findIncludes(files: Files, firewall: Firewall | undefined, table: string): NftInclude[] {
	if (!firewall) return [];
	const shared = firewall.autoIncludes
		? list(files, SHARED).flatMap((directory) => list(files, directory))
		: [];
	// chain-pre and chain-post have one more level, by the chain's name.
	const deeper = shared
		.filter((path) => files.status(path)?.kind === "directory")
		.flatMap((path) => list(files, path));
	const paths = [...firewall.nftables, ...shared, ...deeper, ...list(files, OWN)].filter((path) =>
		path.endsWith(".nft"),
	);
	const word = new RegExp(`(^|[^\\w-])${table}($|[^\\w-])`);
	return paths.slice(0, MOST_FILES).flatMap((path) => {
		const line = readOrNothing(files, path)
			.split("\n")
			.find((each) => word.test(each) && !each.trim().startsWith("#"));
		return line === undefined ? [] : [{ path, line: line.trim().slice(0, 120) }];
	});
}

function option(section: UciSection | undefined, name: string): string | undefined {
	return section?.options.get(name)?.values[0];
}

function isOn(section: UciSection | undefined, name: string, otherwise: boolean): boolean {
	const value = option(section, name);
	if (value === undefined || value === "") return otherwise;
	return ["1", "on", "true", "yes", "enabled"].includes(value);
}

function list(files: Files, directory: string): string[] {
	try {
		return files.list(directory).map((name) => `${directory}/${name}`);
	} catch {
		return [];
	}
}

function readOrNothing(files: Files, path: string): string {
	try {
		return files.read(path, LIMIT);
	} catch {
		return "";
	}
}
