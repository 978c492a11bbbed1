import { startConfiguration } from "../config/read.ts";
import { parseAddress } from "../lib/address.ts";
import { hash } from "../lib/hash.ts";
import type { Route } from "../model/inspection.ts";
import type { Status } from "../model/status.ts";
import type { Platform } from "../platform/types.ts";
import { STATUS_FILE } from "../report/run-files.ts";
import { readBirdConfiguration } from "../system/bird/conf/read-files.ts";
import { readBirdOnce } from "../system/bird/read-once.ts";
import { findSocket } from "../system/bird/socket.ts";
import { readStatus } from "../system/control/client.ts";
import { connectedNetwork, hostIn } from "../system/kernel/networks.ts";
import { findPrograms } from "../system/kernel/programs.ts";
import { askRoute } from "../system/kernel/route.ts";
import { type RouterAddresses, readAddresses } from "../system/kernel/router-addresses.ts";
import { listRuleset } from "../system/nft/list-ruleset.ts";
import { TABLE_FILE } from "../system/nft/table-file.ts";
import { firewallMeant, includesNaming, readFirewall } from "../system/openwrt/firewall.ts";
import { type Facts, isFailure } from "./facts.ts";
import { judge, type Report } from "./judge.ts";
import { collectPeers } from "./known-peers.ts";

/** Peers whose route is asked for: a process each. */
const MOST_ROUTES = 32;

export interface DoctorOptions {
	readonly configPath: string;
	readonly runDirectory: string;
	/** When the program was built, milliseconds since 1970; 0: not known. */
	readonly built: number;
}

/** Looks at everything there is, all at once and without changing anything, and judges it. */
export async function examine(platform: Platform, options: DoctorOptions): Promise<Report> {
	return judge(await collectFacts(platform, options));
}

/** Every program that is asked has its own limit of a few seconds; what does not answer is a finding. */
export async function collectFacts(platform: Platform, options: DoctorOptions): Promise<Facts> {
	const { files } = platform;
	// The longest first.
	const listing = listRuleset(platform);
	const { config, mistakes } = startConfiguration(files, options.configPath);
	const reading = readBirdOnce(platform, config.main.birdSocket);
	const birdFile = readBirdConfiguration(files, findSocket(platform, config.main.birdSocket)?.path);
	const firewall = readFirewall(files);
	const meant = firewallMeant(files);
	const kernel = lines(platform, "/proc/sys/kernel/osrelease")[0];
	const known = {
		...daemonStatus(platform, options.runDirectory),
		now: platform.now().wall,
		...(options.built > 0 ? { built: options.built } : {}),
		configPath: options.configPath,
		config,
		...(mistakes ? { mistakes } : {}),
		...(kernel === undefined ? {} : { kernel }),
		...savedTable(platform),
		programs: findPrograms(platform),
		legacyTables: legacyTables(platform),
		birdFile,
		...(firewall ? { firewall } : {}),
		includes: includesNaming(files, config.main.table, firewall),
		...(meant ? { firewallMeant: meant } : {}),
	};
	const [bird, found] = await Promise.all([reading, readAddresses(platform)]);
	const addresses = typeof found === "string" ? undefined : found;
	const hosts = hostsOfRanges(addresses, bird, birdFile);
	const routing = askRoutes(platform, { ...known, bird, hosts }, addresses);
	return { ...known, bird, hosts, ruleset: await listing, routes: await routing };
}

function hostsOfRanges(
	addresses: RouterAddresses | undefined,
	bird: Facts["bird"],
	birdFile: Facts["birdFile"],
): Map<string, string> {
	const ranges = [
		...("error" in birdFile ? [] : birdFile.configuration.bgp),
		...(isFailure(bird) ? [] : bird.reading.peers),
	].flatMap(({ neighborRange }) => neighborRange ?? []);
	return new Map(
		ranges.flatMap((range) => {
			const host = addresses && hostIn(addresses, range);
			return host === undefined ? [] : [[range, host.address] as const];
		}),
	);
}

function savedTable({ files }: Platform): Pick<Facts, "tableFile"> {
	try {
		const text = files.read(TABLE_FILE);
		return text.trim() === "" ? {} : { tableFile: hash(text) };
	} catch {
		return {};
	}
}

async function askRoutes(
	platform: Platform,
	known: Omit<Facts, "routes" | "ruleset">,
	addresses: RouterAddresses | undefined,
): Promise<ReadonlyMap<string, Route>> {
	const asked = collectPeers(known).flatMap(({ address, zone }) => {
		const parsed = parseAddress(address ?? "");
		return parsed ? [{ address: parsed.text, zone }] : [];
	});
	// Of the others, those in the router's own networks are told without a process.
	const near = asked.slice(MOST_ROUTES).flatMap(({ address, zone }) => {
		const parsed = parseAddress(address);
		const network = parsed && addresses && connectedNetwork(addresses.networks, parsed, zone);
		return network && network !== "none" ? [[address, { interface: network.interface }] as const] : [];
	});
	const routes = await Promise.all(
		asked.slice(0, MOST_ROUTES).map(async ({ address, zone }) => {
			const { routeMark } = known.config.main;
			const { route } = await askRoute(platform, { address, zone, routeMark });
			return route ? [[address, route] as const] : [];
		}),
	);
	return new Map<string, Route>([...near, ...routes.flat()]);
}

function daemonStatus(platform: Platform, directory: string): { status?: Status; statusProblem?: string } {
	try {
		const status = readStatus(platform, directory);
		return status ? { status } : {};
	} catch (error) {
		if (error instanceof SyntaxError) return { statusProblem: `${directory}/${STATUS_FILE} is no JSON` };
		return { statusProblem: error instanceof Error ? error.message : String(error) };
	}
}

function legacyTables(platform: Platform): string[] {
	const names = ["ip", "ip6"].flatMap((family) => lines(platform, `/proc/net/${family}_tables_names`));
	return [...new Set(names)].sort();
}

function lines(platform: Platform, path: string): string[] {
	try {
		return platform.files
			.read(path)
			.split("\n")
			.filter((line) => line !== "");
	} catch {
		return [];
	}
}
