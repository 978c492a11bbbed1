import { TABLE_FILE } from "../system/nft/table-file.ts";
import type { Facts } from "./facts.ts";
import { isFailure } from "./facts.ts";
import { type Finding, green, red, yellow } from "./finding.ts";

/** The daemon's table, in the kernel and saved for the next boot. */
export function reviewTable(facts: Facts): Finding[] {
	return [...protection(facts), ...tableFile(facts)];
}

/** Kernel 6.9 and nft 1.1.0 have `flags owner, persist` (linux/netfilter/nf_tables.h, NFT_TABLE_F_PERSIST). */
function protection({ status, ruleset, config, kernel }: Facts): Finding[] {
	const { table } = config.main;
	const name = `inet ${table}`;
	if (isFailure(ruleset)) {
		if (!ruleset.missing) return [red("ruleset-unreadable", "nft", ruleset.reason)];
		return [
			red(
				"nft-missing",
				"nft",
				"nft is not installed: there is no table, and nothing can be reviewed.",
				"install nftables-json",
			),
		];
	}
	const found = ruleset.tables.find((each) => each.family === "inet" && each.name === table);
	if (!found && (status || config.main.enabled))
		return [
			red(
				"table-missing",
				name,
				"The table is not in the kernel: conntrack and NAT can catch BGP.",
				status ? "bgpwarden ensure" : "/etc/init.d/bgpwarden start",
			),
		];
	if (!found) return [];
	if (!status) return [green("table", name, "The table is in place; without the daemon nothing watches it.")];
	const { released, protection, problem_kind } = status.router;
	if (released)
		return [
			red(
				"table-released",
				name,
				"The table is in place and was released on request: anybody can change it, and nothing is repaired.",
				"bgpwarden ensure protects it again",
			),
		];
	// What is there may be another program's.
	if (problem_kind === "install") return [];
	if (protection === "owned")
		return [green("table", name, "The table is in place and owned: the kernel refuses changes by others.")];
	const old = tooOld(kernel, ruleset.version);
	if (config.main.protect && old !== undefined)
		return [
			yellow(
				"cannot-own",
				name,
				`The table is in place, but cannot be owned: ${old}. Others can delete it; it is then back within milliseconds.`,
			),
		];
	const watched = problem_kind === "watch" ? "" : "; what others change in it is repaired";
	return [green("table", name, `The table is in place${watched}.`)];
}

/** What the next boot installs before the network. */
function tableFile({ status, tableFile: found }: Facts): Finding[] {
	// Whoever released the table may have removed it; a daemon that starts writes it, once it has installed the table.
	const wanted = status?.router.table_file;
	if (wanted === undefined || found === wanted || status?.router.released) return [];
	const text =
		found === undefined ? "The saved table is missing" : "The saved table is not what the daemon wants";
	return [
		yellow(
			"table-file-missing",
			TABLE_FILE,
			`${text}: after a boot the first packets meet no table, or another.`,
			"bgpwarden ensure writes it again",
		),
	];
}

function tooOld(kernel: string | undefined, nft: string | undefined): string | undefined {
	const reasons = [
		kernel !== undefined && isOlder(kernel, 6, 9) ? `kernel ${kernel} is older than 6.9` : "",
		nft !== undefined && isOlder(nft, 1, 1) ? `nft ${nft} is older than 1.1.0` : "",
	].filter((reason) => reason !== "");
	return reasons.length > 0 ? reasons.join(" and ") : undefined;
}

function isOlder(version: string, major: number, minor: number): boolean {
	const [, first, second] = /^(\d+)\.(\d+)/.exec(version) ?? [];
	if (first === undefined) return false;
	return Number(first) < major || (Number(first) === major && Number(second) < minor);
}
