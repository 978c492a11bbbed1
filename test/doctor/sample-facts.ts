import { readFileSync } from "node:fs";
import { defaultConfig } from "../../src/config/load.ts";
import type { Facts } from "../../src/doctor/facts.ts";
import { FIREWALL_INCLUDE } from "../../src/doctor/router-findings.ts";
import type { Config } from "../../src/model/config.ts";
import type { Ruleset } from "../../src/model/ruleset.ts";
import type { PeerStatus, Status } from "../../src/model/status.ts";
import { parseBirdConfiguration } from "../../src/system/bird/conf/parse-conf.ts";
import { parseRuleset } from "../../src/system/nft/ruleset-json.ts";

export const NOW = Date.UTC(2026, 10, 24);

/** The rulesets of some captures, as if all their tables were on one router. */
export function rulesets(...names: readonly string[]): Ruleset {
	const all = names.map((name) => {
		const file = new URL(`../fixtures/nft/nft-1.1.3-ruleset-${name}.json`, import.meta.url);
		const ruleset = parseRuleset(readFileSync(file, "utf8"));
		if (!ruleset) throw new Error(name);
		return ruleset;
	});
	return { version: "1.1.3", tables: all.flatMap(({ tables }) => tables), bridges: [] };
}

/** The same without a chain, in whichever table it is. */
export function withoutChain(name: string, ruleset: Ruleset): Ruleset {
	const tables = ruleset.tables.map((table) => ({
		...table,
		chains: new Map([...table.chains].filter(([chain]) => chain !== name)),
	}));
	return { ...ruleset, tables };
}

export const BIRD_CONF = `
protocol device { }
protocol kernel { ipv4 { export all; }; merge paths on; }
protocol direct { ipv4; interface "br-lan"; }
protocol bfd { multihop { min rx interval 300 ms; }; }
protocol bgp waukeen {
	local 192.168.1.1 as 65001;
	neighbor 192.168.1.2 as 65009;
	multihop 2;
	bfd on;
	graceful restart aware;
	passive on;
	ipv4 { import all; export none; };
}
`;

export function birdFile(text: string): Facts["birdFile"] {
	const configuration = parseBirdConfiguration({ path: "/etc/bird.conf", text }, () => []);
	return { path: "/etc/bird.conf", configuration, problems: [] };
}

export const PEER: PeerStatus = {
	name: "waukeen",
	level: "green",
	neighbor_address: "192.168.1.2",
	state: "Established",
	bfd: "up",
	flaps: 0,
	diagnosis: "healthy",
};

export const STATUS: Status = {
	router: {
		version: "0.2.0",
		router: "router",
		pid: 1,
		started: "2026-11-23T00:00:00Z",
		protection: "owned",
		table: "custom_bgp",
		table_file: "1a2b3c4d",
		ports: [179],
		level: "green",
		repairs: 0,
		flushed: 0,
		bird: { reachable: true, version: "3.1.8" },
	},
	peers: [PEER],
};

export function config({
	main = {},
	mqtt = {},
	peers = [],
}: { [Key in keyof Config]?: Partial<Config[Key]> } = {}): Config {
	const base = defaultConfig();
	return {
		main: { ...base.main, ...main },
		mqtt: { ...base.mqtt, ...mqtt },
		peers: peers as Config["peers"],
	};
}

/** A router where nothing is wrong. */
export const HEALTHY: Facts = {
	now: NOW,
	configPath: "/etc/config/bgpwarden",
	config: config(),
	status: STATUS,
	tableFile: "1a2b3c4d",
	kernel: "6.12.5",
	programs: new Set(["nft", "conntrack", "birdcl", "ip", "nc", "openssl", "ubus"]),
	ruleset: rulesets("fw4", "tailscale", "own"),
	legacyTables: [],
	bird: {
		reading: {
			version: "3.1.8",
			peers: [
				{
					name: "waukeen",
					protocolState: "up",
					state: "Established",
					neighborAddress: "192.168.1.2",
					neighborAs: 65009,
					localAs: 65001,
					bfd: "up",
					bfdMode: "multihop",
				},
			],
		},
		protocols: [],
	},
	birdFile: birdFile(BIRD_CONF),
	hosts: new Map(),
	routes: new Map([["192.168.1.2", { interface: "br-lan", source: "192.168.1.1" }]]),
	firewall: { autoIncludes: true, scripts: [FIREWALL_INCLUDE], nftables: [], zones: ["lan", "wan"] },
	includes: [],
};
