import { describe, expect, test } from "vitest";
import { mistakeProblem, USING_LAST_GOOD } from "../../src/config/read.ts";
import type { Facts } from "../../src/doctor/facts.ts";
import { judge } from "../../src/doctor/judge.ts";
import { tooOld } from "../../src/model/bird.ts";
import { describeInclude, describeMissing } from "../../src/model/firewall.ts";
import { missingZones } from "../../src/model/fw4-zone.ts";
import { parseRuleset } from "../../src/system/nft/ruleset-json.ts";
import {
	BIRD_CONF,
	birdFile,
	config,
	HEALTHY,
	NOW,
	PEER,
	rulesets,
	STATUS,
	withoutChain,
} from "./sample-facts.ts";

type Change = Partial<Facts>;

/** `level id` of everything that is not green, root causes first. */
function wrong(change: Change): string[] {
	const { causes, review: rest } = judge({ ...HEALTHY, ...change });
	return [...causes, ...rest]
		.filter(({ level }) => level !== "green")
		.map(({ level, id }) => `${level} ${id}`);
}

function without<Key extends keyof Facts>(key: Key): Facts {
	const { [key]: _, ...rest } = HEALTHY;
	return rest as Facts;
}

const peer = (change: object): Change => ({ status: { ...STATUS, peers: [{ ...PEER, ...change }] } });
const router = (change: object): Change => ({
	status: { ...STATUS, router: { ...STATUS.router, ...change } },
});
const MISTAKES = {
	errors: ["/etc/config/bgpwarden:1: no", "/etc/config/bgpwarden:2: no"],
	instead: USING_LAST_GOOD,
	defaults: false,
};
const section = (change: object): Change => ({ config: config({ peers: [{ name: "waukeen", ...change }] }) });
const conf = (change: (text: string) => string): Change => ({ birdFile: birdFile(change(BIRD_CONF)) });
/** BIRD's peer as it runs. */
function live(change: object): Change {
	const { bird } = HEALTHY;
	if (!("reading" in bird)) throw new Error("no reading");
	const peers = bird.reading.peers.map((each) => ({ ...each, ...change }));
	return { bird: { ...bird, reading: { ...bird.reading, peers } } };
}
/** BIRD with one more peer, which bird.conf does not have. */
function leftover(): Change {
	const { bird } = HEALTHY;
	if (!("reading" in bird)) throw new Error("no reading");
	const [first] = bird.reading.peers;
	if (!first) throw new Error("no peer");
	const peers = [first, { ...first, name: "leftover", neighborAddress: "192.168.1.9" }];
	return { bird: { ...bird, reading: { ...bird.reading, peers } } };
}
/** BIRD with one more protocol. */
function running(protocol: { kind: string; state: string }): Change {
	const { bird } = HEALTHY;
	if (!("reading" in bird)) throw new Error("no reading");
	return { bird: { ...bird, protocols: [{ name: "direct1", ...protocol }] } };
}
const down = live({ state: "Passive" });
const mqtt = { enabled: true, host: "broker", tls: true };

test("without bird.conf, protocol direct is asked for in the families of the multihop peers", () => {
	const advices = (change: object) => {
		const { causes, review } = judge({ ...HEALTHY, ...live(change), birdFile: { error: "no file" } });
		return [...causes, ...review].filter(({ id }) => id === "direct-missing").map(({ advice }) => advice);
	};
	expect(advices({})).toEqual(['protocol direct { ipv4; interface "br-lan"; }']);
	expect(advices({ neighborAddress: "fd00::2" })).toEqual(['protocol direct { ipv6; interface "br-lan"; }']);
	expect(advices({ neighborAddress: undefined, neighborRange: "fd00::/64" })).toEqual([
		'protocol direct { ipv6; interface "br-lan"; }',
	]);
	expect(advices({ bfdMode: "direct" })).toEqual([]);
});

test("a healthy router has nothing but green findings", () => {
	const report = judge(HEALTHY);
	expect(report).toMatchObject({ level: "green", at: "2026-11-24T00:00:00.000Z", causes: [] });
	expect(report.review.map(({ id }) => id)).toEqual([
		"daemon",
		"config",
		"table",
		"bird",
		"clock",
		"fw4",
		"ruleset",
		"bird-conf",
		"nodes",
	]);
});

describe("each thing that is wrong is one finding", () => {
	test.each<[string, Change, string[]]>([
		["a mistake in the configuration", { mistakes: MISTAKES }, ["red config-errors", "red config-errors"]],
		[
			"the same mistakes, which the daemon tells too",
			{ mistakes: MISTAKES, ...router({ problem: mistakeProblem(MISTAKES) }) },
			["red config-errors", "red config-errors"],
		],
		[
			"a mistake that was corrected, and the daemon not told",
			router({ problem: mistakeProblem(MISTAKES) }),
			["red problem"],
		],
		["a zone that is none", { config: config({ main: { zone: "lna" } }) }, ["red zone-missing"]],
		[
			"the same zone, which the daemon tells too",
			{
				config: config({ main: { zone: "lna" } }),
				...router({ problem: missingZones(config({ main: { zone: "lna" } }), ["lan", "wan"]).join("; ") }),
			},
			["red zone-missing"],
		],
		["a problem of the daemon's", router({ problem: "a fight" }), ["red problem"]],
		["no table", { ruleset: rulesets("fw4") }, ["red table-missing"]],
		["no nft", { ruleset: { reason: "nft: not found", missing: true } }, ["red nft-missing"]],
		["an nft that fails", { ruleset: { reason: "exit 1", missing: false } }, ["red ruleset-unreadable"]],
		["an old kernel", { ...router({ protection: "installed" }), kernel: "6.6.73" }, ["yellow cannot-own"]],
		["a new kernel, and a table that is only installed", router({ protection: "installed" }), []],
		[
			"an old kernel that nobody minds",
			{
				...router({ protection: "installed" }),
				kernel: "5.4.0",
				config: config({ main: { protect: false } }),
			},
			[],
		],
		[
			"a table that was released",
			router({ released: true, protection: "installed" }),
			["red table-released"],
		],
		[
			"the same, as the daemon tells it",
			router({ released: true, protection: "installed", problem: "released", problem_kind: "released" }),
			["red table-released"],
		],
		["a saved table of another text", { tableFile: "00000000" }, ["yellow table-file-missing"]],
		[
			"a saved table that is not there",
			{ tableFile: undefined } as unknown as Change,
			["yellow table-file-missing"],
		],
		[
			"one that is not there because the table was released",
			{ ...router({ released: true }), tableFile: undefined } as unknown as Change,
			["red table-released"],
		],
		[
			"one that is not there yet",
			{ ...router({ table_file: undefined }), tableFile: undefined } as unknown as Change,
			[],
		],
		[
			"a message that the broker refuses",
			{
				status: {
					...STATUS,
					router: { ...STATUS.router, problem: "MQTT: x", problem_kind: "mqtt_message" },
					mqtt: { broker: "b:1883", connected: true, reason: "x" },
				},
			},
			["yellow mqtt-message-refused"],
		],
		["rules that nft does not show", { legacyTables: ["mangle", "nat"] }, ["yellow legacy-iptables"]],
		["no conntrack", { programs: new Set(["nft", "birdcl"]) }, ["yellow conntrack-missing"]],
		["no BIRD client", { programs: new Set(["nft", "conntrack"]) }, ["red bird-client-missing"]],
		["birdc alone", { programs: new Set(["nft", "conntrack", "birdc"]) }, []],
		[
			"no openssl for TLS",
			{
				config: config({ mqtt }),
				status: { ...STATUS, mqtt: { broker: "b:1", connected: true } },
				programs: new Set(["nft", "conntrack", "birdcl", "nc"]),
			},
			["red openssl-missing"],
		],
		[
			"no nc without TLS",
			{
				config: config({ mqtt: { ...mqtt, tls: false } }),
				status: { ...STATUS, mqtt: { broker: "b:1", connected: true } },
				programs: new Set(["nft", "conntrack", "birdcl"]),
			},
			["red nc-missing"],
		],
		[
			"a broker that is away",
			{ status: { ...STATUS, mqtt: { broker: "b:1883", connected: false, reason: "refused" } } },
			["yellow mqtt-not-connected"],
		],
		["MQTT that the daemon does not know yet", { config: config({ mqtt }) }, ["yellow mqtt-off"]],
		["a clock from before", { now: Date.UTC(2023, 11, 31) }, ["yellow clock-not-set"]],
		["a clock from before the build", { now: NOW - 3 * 86_400_000, built: NOW }, ["yellow clock-not-set"]],
		["a clock in another time zone than the build's", { now: NOW - 3_600_000, built: NOW }, []],
		[
			"a clock that TLS cannot work with",
			{ now: 0, config: config({ mqtt }), status: { ...STATUS, mqtt: { broker: "b:1", connected: true } } },
			["red clock-not-set"],
		],
		[
			"an include that fw4 would start without a firewall for",
			{ includes: [{ path: "/a.nft", line: "table inet custom_bgp {" }] },
			["red include-touches-table"],
		],
		[
			"the same while the table is not owned",
			{
				includes: [{ path: "/a.nft", line: "table inet custom_bgp {" }],
				...router({ protection: "installed" }),
			},
			["yellow include-touches-table"],
		],
		[
			"the same as the daemon tells it",
			{
				includes: [{ path: "/a.nft", line: "table inet custom_bgp {" }],
				...router({
					protection: "installed",
					problem: describeInclude("custom_bgp", { path: "/a.nft", line: "table inet custom_bgp {" }),
				}),
			},
			["red include-touches-table"],
		],
		[
			"a firewall that has failed",
			{ ruleset: rulesets("own"), firewallMeant: "started" },
			["red firewall-missing"],
		],
		[
			"a firewall that is stopped",
			{ ruleset: rulesets("own"), firewallMeant: "enabled" },
			["yellow firewall-missing"],
		],
		[
			"the same as the daemon tells it",
			{
				ruleset: rulesets("own"),
				firewallMeant: "enabled",
				...router({ problem: describeMissing("custom_bgp", "enabled") }),
			},
			["red firewall-missing"],
		],
		["a firewall that nobody has enabled", { ruleset: rulesets("own") }, []],
		[
			"a firewall that tells nobody",
			{ firewall: { autoIncludes: true, scripts: [], nftables: [], zones: [] } },
			["yellow firewall-include-missing"],
		],
		[
			"a peer that BIRD lacks",
			{ config: config({ peers: [{ name: "nobody" }] }) },
			["red peer-unknown-to-bird"],
		],
		[
			"a peer with another address and AS",
			section({ address: "192.168.1.3", remoteAs: 1 }),
			["yellow peer-differs", "yellow peer-differs"],
		],
		[
			"a peer as in BIRD",
			section({ address: "192.168.1.2", remoteAs: 65009, localAs: 65001, multihop: true, bfd: true }),
			[],
		],
		[
			"graceful restart without passive",
			conf((text) => text.replace("passive on;", "").replace("restart aware", "restart on")),
			["yellow restart-without-passive"],
		],
		["graceful restart of others only", conf((text) => text.replace("passive on;", "")), []],
		[
			"multihop without direct",
			conf((text) => text.replace(/protocol direct .*/, "")),
			["red direct-missing"],
		],
		[
			"a direct protocol that is off",
			conf((text) => text.replace("direct {", "direct { disabled;")),
			["red direct-missing"],
		],
		[
			"single hop needs no direct",
			conf((text) => text.replace(/protocol direct .*/, "").replace("multihop 2;", "")),
			[],
		],
		["no protocol device", conf((text) => text.replace("protocol device { }", "")), ["red device-missing"]],
		[
			"routes that nobody gets",
			conf((text) => text.replace("export all", "export none")),
			["yellow kernel-missing"],
		],
		["no BFD protocol", conf((text) => text.replace(/protocol bfd .*/, "")), ["red bfd-missing"]],
		[
			"a BFD protocol for direct sessions",
			conf((text) => text.replace("bfd {", "bfd { accept direct;")),
			["red bfd-not-accepted"],
		],
		[
			"BFD that BIRD was not told of",
			{ ...conf((text) => text.replace("bfd on;", "")), ...section({ bfd: true }), ...live({ bfd: "none" }) },
			["yellow bfd-off"],
		],
		[
			"BFD in two modes, by UCI",
			{ ...section({ multihop: false }), ...live({ bfd: "down" }) },
			["red bfd-mode-mismatch"],
		],
		["a speaker that is said to be direct while BFD is up", section({ multihop: false }), []],
		[
			"a file that cannot be read",
			{ birdFile: { error: "no file" } },
			["yellow bird-conf-unreadable", "yellow direct-missing"],
		],
		[
			"a file that cannot be read, and a direct protocol that runs",
			{ birdFile: { error: "no file" }, ...running({ kind: "Direct", state: "up" }) },
			["yellow bird-conf-unreadable"],
		],
		[
			"a file for BIRD 1, of which nothing else is said",
			{
				birdFile: {
					...birdFile("protocol kernel { export all; } protocol bgp waukeen { import all; }"),
					problems: ["this is a file for BIRD 1"],
				},
			},
			["yellow bird-conf-unreadable"],
		],
		[
			"a file without the peer that BIRD runs",
			conf(() => "protocol device { }"),
			["yellow peer-not-in-file"],
		],
		[
			"one more peer that BIRD runs, which hides nothing of the others",
			{
				...conf((text) => text.replace(/protocol (device|bfd) .*/g, "")),
				...leftover(),
			},
			["red device-missing", "red bfd-missing", "yellow peer-not-in-file"],
		],
		[
			"a session without BFD because the file has none: the file is to be changed",
			{
				...conf((text) => text.replace(/protocol bfd .*/, "")),
				...live({ bfd: "none" }),
				...peer({ bfd: "none", level: "yellow", diagnosis: "bfd-down-session-up" }),
			},
			["red bfd-missing"],
		],
		[
			"a peer that the file calls otherwise",
			conf((text) => text.replace("waukeen", "renamed")),
			["red peer-not-running", "yellow peer-not-in-file"],
		],
		[
			"a peer of the file that BIRD has not been told of",
			{
				...conf(
					(text) =>
						`${text}protocol bgp second { local as 65001; neighbor 192.168.1.3 as 65009; passive on; ipv4 { import all; }; }`,
				),
				...section({}),
			},
			["red peer-not-running"],
		],
		[
			"the same, where a part of the file cannot be read",
			{ birdFile: { ...birdFile("protocol device { }"), problems: ["/etc/bird/*.conf: no such file"] } },
			["yellow bird-conf-unreadable"],
		],
		["a peer that the file has switched off", conf((text) => text.replace("passive on;", "disabled;")), []],
		[
			"BIRD says down, and the daemon has not read it since",
			live({ state: "Active", protocolState: "start" }),
			["red peer-down"],
		],
		[
			"BIRD says up, and the daemon has not read it since",
			peer({ state: "Passive", level: "red", diagnosis: "waiting" }),
			[],
		],
		[
			"a peer that BIRD lacks, which the daemon tells too",
			{
				config: config({ peers: [{ name: "nobody" }] }),
				...router({
					problem: "BIRD runs no protocol named nobody, a peer in /etc/config/bgpwarden",
					problem_kind: "peer",
				}),
			},
			["red peer-unknown-to-bird"],
		],
		[
			"a file without a peer",
			{ ...conf(() => ""), bird: { reading: { peers: [] }, protocols: [] } },
			["red no-peer"],
		],
		[
			"IPv4 routes over an IPv6 session, which the kernel gets",
			{
				...conf((text) =>
					text
						.replace("local 192.168.1.1", "local fd00::1")
						.replace("192.168.1.2", "fd00::2")
						.replace("protocol direct { ipv4;", "protocol direct { ipv4; ipv6;"),
				),
				...live({ neighborAddress: "fd00::2" }),
			},
			[],
		],
		[
			"IPv6 routes that the kernel does not get",
			conf((text) => text.replace("export none; };", "export none; }; ipv6 { import all; };")),
			["yellow kernel-missing"],
		],
		["a proxy", { ruleset: rulesets("nikki", "own") }, ["yellow bgp-caught"]],
		[
			"a proxy, and a table that does not take its marks away",
			{ ruleset: withoutChain("route_out", rulesets("nikki", "own")) },
			["yellow bgp-caught", "yellow answer-diverted"],
		],
	])("%s", (_, change, expected) => {
		expect(wrong(change)).toEqual(expected);
	});

	test("the daemon does not run", () => {
		const facts = without("status");
		expect(wrong({ ...facts, status: undefined } as unknown as Change)).toEqual(["red daemon-not-running"]);
		const off = { ...facts, config: config({ main: { enabled: false } }) };
		expect(judge(off).level).toBe("yellow");
		expect(judge(off).review[0]).toMatchObject({ id: "daemon-off" });
	});

	test("no configuration is called right beside a mistake in it, also in one that only the daemon has read", () => {
		for (const change of [{ mistakes: MISTAKES }, router({ problem: mistakeProblem(MISTAKES) })]) {
			const { review } = judge({ ...HEALTHY, ...change });
			expect(review.map(({ id }) => id)).not.toContain("config");
		}
		const [told] = judge({ ...HEALTHY, mistakes: MISTAKES }).review;
		expect(told).toMatchObject({
			text: "/etc/config/bgpwarden:1: no",
			advice:
				"correct it; until then bgpwarden is using the last good configuration (/etc/bgpwarden/last-good)",
		});
	});

	test("no configuration is called right beside a zone that is none", () => {
		const { review } = judge({ ...HEALTHY, config: config({ main: { zone: "lna" } }) });
		expect(review.map(({ id }) => id)).not.toContain("config");
	});

	test("what was not looked at is said beside the rules that are fine, and a zone that is a guess is no advice", () => {
		const told = (change: Change) =>
			judge({ ...HEALTHY, ...change }).review.find(({ id }) => id === "ruleset");
		const ruleset = { ...rulesets("fw4", "own"), bridges: ["br"] };
		expect(told({ ruleset })?.evidence).toEqual(["not looked at: table bridge br"]);
		const beside = judge({ ...HEALTHY, ruleset: { ...rulesets("nikki", "own"), bridges: ["br"] } }).review;
		expect(
			beside.filter(({ evidence }) => evidence?.includes("not looked at: table bridge br")),
		).toHaveLength(1);
		const nowhere = judge({ ...HEALTHY, ruleset: rulesets("fw4", "own"), routes: new Map() });
		expect(nowhere.level).toBe("green");
		expect(nowhere.review.find(({ id }) => id === "ruleset")?.evidence).toEqual([
			"not looked at: the zone of waukeen: its interface is not known",
		]);
	});

	test("a router without fw4 is not asked about it", () => {
		expect(judge(without("firewall")).review.map(({ id }) => id)).not.toContain("fw4");
	});
});

describe("root causes", () => {
	test("are the daemon's diagnoses, with evidence, remedy and what was tried", () => {
		const change = peer({
			state: "Passive",
			diagnosis: "hijacked",
			explanation: "Chain pre redirects it.",
			evidence: ["trace …"],
			remedy: "Except port 179.",
			tried: "restarted the peer",
		});
		expect(judge({ ...HEALTHY, ...down, ...change }).causes).toEqual([
			{
				id: "hijacked",
				level: "red",
				subject: "waukeen",
				text: "Chain pre redirects it.",
				advice: "Except port 179.",
				evidence: ["trace …", "bgpwarden tried: restarted the peer"],
			},
		]);
	});

	test("are not repeated by the review", () => {
		const hijacked = peer({ state: "Passive", diagnosis: "hijacked" });
		const facts = { ...down, ...hijacked, ruleset: rulesets("nikki") };
		expect(wrong(facts)).toEqual(["red hijacked", "red table-missing"]);
	});

	test("are mild where the session works", () => {
		expect(wrong(peer({ diagnosis: "flapping" }))).toEqual(["yellow flapping"]);
	});

	test("are said once when BIRD is down", () => {
		const dead = { ...PEER, state: "Down", diagnosis: "bird-down" as const };
		const status = { ...STATUS, peers: [dead, { ...dead, name: "other" }] };
		const facts = { status, bird: { reason: "no socket", missing: false } };
		expect(wrong(facts)).toEqual(["red bird-down"]);
		expect(judge({ ...HEALTHY, ...facts }).causes[0]?.subject).toBe("BIRD");
	});

	test("are a BIRD to replace where it is too old", () => {
		const bird = { reason: tooOld("1.6.8") ?? "", missing: false };
		const { causes, review } = judge({ ...HEALTHY, bird });
		const cause = [...causes, ...review].find(({ level }) => level === "red");
		expect(cause).toMatchObject({
			id: "bird-down",
			text: "BIRD 1.6.8 is too old: BIRD 2.0 or later is needed",
		});
		expect(cause?.advice).toMatch(/^install BIRD 2 or 3 in its place/);
	});

	test("are what the review has found where there is no diagnosis", () => {
		const silent = peer({ state: "Passive", diagnosis: undefined });
		expect(wrong({ ...down, ...silent })).toEqual(["red peer-down"]);
		const caught = { ...down, ...silent, ruleset: rulesets("nikki", "own") };
		expect(judge({ ...HEALTHY, ...caught }).causes).toMatchObject([{ id: "bgp-caught", level: "red" }]);
	});
});

test("counters of the table tell the speaker's kind of BFD, for a single peer", () => {
	const facts = {
		...conf((text) => text.replace("multihop 2;", "")),
		...live({ bfd: "down", bfdMode: "direct" }),
	};
	const counted = (ports: readonly number[]) => {
		const nftables: unknown[] = [
			{ table: { family: "inet", name: "custom_bgp" } },
			{
				chain: {
					family: "inet",
					table: "custom_bgp",
					name: "raw_pre",
					type: "filter",
					hook: "prerouting",
					prio: -300,
				},
			},
		];
		for (const port of ports) {
			const left = { payload: { protocol: "udp", field: "dport" } };
			const expr = [
				{ match: { op: "==", left, right: port } },
				{ counter: { packets: 7, bytes: 1 } },
				{ notrack: null },
			];
			nftables.push({ rule: { family: "inet", table: "custom_bgp", chain: "raw_pre", handle: port, expr } });
		}
		const ruleset = parseRuleset(JSON.stringify({ nftables }));
		if (!ruleset) throw new Error("not read");
		return ruleset;
	};
	expect(wrong({ ...facts, ruleset: counted([4784]) })).toEqual(["red bfd-mode-mismatch"]);
	expect(wrong({ ...facts, ruleset: counted([3784]) })).toEqual([]);
	expect(wrong({ ...facts, ruleset: counted([3784, 4784]) })).toEqual([]);
});
