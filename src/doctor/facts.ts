import type { Mistakes } from "../config/read.ts";
import type { BirdFile } from "../model/bird-configuration.ts";
import type { Config } from "../model/config.ts";
import type { FirewallMeant, NftInclude } from "../model/firewall.ts";
import type { Route } from "../model/inspection.ts";
import type { Ruleset } from "../model/ruleset.ts";
import type { Status } from "../model/status.ts";
import type { BirdSnapshot } from "../system/bird/reader.ts";
import type { Firewall } from "../system/openwrt/firewall.ts";

/** Why something could not be asked, in one line. */
export interface Failure {
	readonly reason: string;
	/** The program that was to be asked is not installed. */
	readonly missing: boolean;
}

/** What `doctor` has found out about a router, all of it read, nothing changed. */
export interface Facts {
	/** Milliseconds since 1970. */
	readonly now: number;
	/** When this program was built, milliseconds since 1970; absent where the build did not say. */
	readonly built?: number;
	readonly configPath: string;
	/** The last good one, or defaults, where the file cannot be used. */
	readonly config: Config;
	/** What is wrong with the configuration file, and what is used in its place. */
	readonly mistakes?: Mistakes;
	/** What the running daemon says; absent: none runs. */
	readonly status?: Status;
	/** The daemon's status file is there and cannot be read. */
	readonly statusProblem?: string;
	/** Hash of /etc/bgpwarden/table.nft; absent: it is missing, empty or no file. */
	readonly tableFile?: string;
	/** e.g. `6.6.73`. */
	readonly kernel?: string;
	/** Programs that were found in PATH. */
	readonly programs: ReadonlySet<string>;
	readonly ruleset: Ruleset | Failure;
	/** Tables of iptables-legacy, which nft does not list. */
	readonly legacyTables: readonly string[];
	readonly bird: BirdSnapshot | Failure;
	readonly birdFile: BirdFile | { readonly error: string };
	/** How the kernel would reach an address, by address. */
	readonly routes: ReadonlyMap<string, Route>;
	/** A host of each range of neighbors, by the range's prefix, which stands for all of them. */
	readonly hosts: ReadonlyMap<string, string>;
	/** fw4's configuration; absent where there is no fw4. */
	readonly firewall?: Firewall;
	/** Files that fw4 includes and that name the daemon's table. */
	readonly includes: readonly NftInclude[];
	/** Whether fw4's table is meant to be there. */
	readonly firewallMeant?: FirewallMeant;
}

export function isFailure<Value extends object>(value: Value | Failure): value is Failure {
	return "reason" in value && "missing" in value;
}
