import { parseUci } from "../../lib/uci.ts";
import type { Files } from "../../platform/types.ts";

/** Where fw4 finds files by itself that can name a table of their own (firewall4, fw4.uc: auto_includes). */
const DIRECTORIES = ["/usr/share/nftables.d/ruleset-pre", "/usr/share/nftables.d/ruleset-post"];
/** And where it is told of more, as `config include` with `option type 'nftables'`. */
const CONFIGURATION = "/etc/config/firewall";
/** Bytes of a file that are looked at. */
const LIMIT = 1 << 20;

/**
 * A file that fw4 takes into its own transaction and that names this table. Owned by somebody else, the table would have
 * the kernel refuse that transaction as a whole, and the router would be left without a firewall.
 * @param table its name, family inet
 * @returns the first such file, or undefined
 */
export function namedByFirewall(files: Files, table: string): string | undefined {
	const name = new RegExp(`^[^#]*\\binet\\s+"?${table}\\b`, "m");
	return [...automatic(files), ...configured(files)].find((path) => name.test(textOf(files, path)));
}

function automatic(files: Files): string[] {
	return DIRECTORIES.flatMap((directory) => {
		if (files.status(directory)?.kind !== "directory") return [];
		const names = files.list(directory).filter((name) => name.endsWith(".nft"));
		return names.map((name) => `${directory}/${name}`);
	});
}

function configured(files: Files): string[] {
	const parsed = parseUci(textOf(files, CONFIGURATION));
	if ("errors" in parsed) return [];
	return parsed.sections
		.filter(({ type, options }) => type === "include" && options.get("type")?.values[0] === "nftables")
		.flatMap(({ options }) => options.get("path")?.values ?? []);
}

function textOf(files: Files, path: string): string {
	try {
		return files.read(path, LIMIT);
	} catch {
		return "";
	}
}
