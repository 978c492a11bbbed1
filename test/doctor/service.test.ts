import { describe, expect, test } from "vitest";
import type { Facts } from "../../src/doctor/facts.ts";
import { judgeService } from "../../src/doctor/service/judge.ts";
import type { Client, KernelRoute, ServiceFacts } from "../../src/model/service-path.ts";
import { parseRuleset } from "../../src/system/nft/ruleset-json.ts";
import { HEALTHY, rulesets } from "./sample-facts.ts";

const node = { gateway: "192.168.1.2", interface: "br-lan" };
const route = { route: { interface: "br-lan", gateway: "192.168.1.2" } };
const announced = {
	...{ prefix: "192.168.20.1/32", table: "master4", protocol: "waukeen", kind: "unicast" },
	...{ best: true, preference: 100, nextHops: [node], announcedNextHop: "192.168.1.2" },
};
const inKernel: KernelRoute = {
	...{ prefix: "192.168.20.1/32", length: 32, kind: "unicast", table: "main", protocol: "bird" },
	...{ metric: 32, nextHops: [node] },
};
const lan: Client = {
	...{ address: "192.168.1.50", network: "192.168.1.0/24", interface: "br-lan" },
	there: route,
	back: { route: { interface: "br-lan" } },
};
const iot: Client = {
	...{ address: "192.168.10.10", network: "192.168.10.0/24", interface: "br-iot" },
	there: route,
	back: { route: { interface: "br-iot" } },
};
/** A service that both clients reach. */
const FINE: ServiceFacts = {
	...{ address: "192.168.20.1", port: 443, portAssumed: true, isOwn: false, forwarding: true },
	bird: { routes: [announced], filtered: [], exported: [announced], closed: [] },
	kernelRoutes: [inKernel],
	rules: [{ priority: 0, text: "from all lookup local", table: "local" }],
	neighbors: new Map([["192.168.1.2", { interface: "br-lan", state: "REACHABLE" }]]),
	clients: [lan, iot],
	reversePath: new Map([
		["br-lan", 0],
		["br-iot", 0],
	]),
	bridged: new Set(),
	mtus: new Map([
		["br-lan", 1500],
		["br-iot", 1500],
	]),
	unread: [],
};
const empty: Facts["ruleset"] = { tables: [], bridges: [], version: "1.1.3" };

/** A ruleset with one base chain, in nft's JSON. */
function chain(hook: string, expr: readonly unknown[], base: object = {}) {
	const of = { family: "inet", table: "t" };
	const attached = { ...of, name: "c", type: "filter", hook, prio: 0, policy: "accept", ...base };
	const nftables = [
		{ metainfo: { version: "1.1.3" } },
		{ table: { family: "inet", name: "t" } },
		{ chain: attached },
		{ rule: { ...of, chain: "c", handle: 7, expr } },
	];
	const read = parseRuleset(JSON.stringify({ nftables }));
	if (!read) throw new Error("no ruleset");
	return read;
}

const match = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } });
const meta = (key: string, value: string) => match({ meta: { key } }, value);
const state = (value: string) => match({ ct: { key: "state" } }, value, "in");
const drop = { drop: null };

function judged(service: Partial<ServiceFacts> = {}, facts: Partial<Facts> = {}) {
	return judgeService({ ...HEALTHY, ruleset: empty, ...facts }, { ...FINE, ...service });
}

function wrong(service?: Partial<ServiceFacts>, facts?: Partial<Facts>): string[] {
	const { causes, review } = judged(service, facts);
	return [...causes, ...review]
		.filter(({ level }) => level !== "green")
		.map(({ level, id }) => `${level} ${id}`);
}

test("nothing wrong: the way, and one line", () => {
	const { level, causes, review, service } = judged();
	expect({ level, causes }).toEqual({ level: "green", causes: [] });
	expect(review.map(({ text }) => text)).toEqual(["Nothing on this router keeps clients from the service."]);
	expect(service?.path.map(({ at }) => at)).toEqual([
		...["announced", "BIRD", "kernel", "next hop", "there", "back", "there", "back"],
	]);
});

test("a service that answers the router", () => {
	const { review } = judged({ attempt: { outcome: "connected" }, portAssumed: false, port: 80 });
	expect(review[0]?.text).toBe(
		"The service answers on TCP port 80, and nothing on this router keeps clients from it.",
	);
});

describe("the kernel's route against BIRD's", () => {
	const main = (change: Partial<KernelRoute>): Partial<ServiceFacts> => ({
		kernelRoutes: [inKernel, { ...inKernel, protocol: "static", ...change }],
	});
	const other = [{ gateway: "192.168.10.9", interface: "br-iot" }];
	test.each<[string, Partial<ServiceFacts>, string[]]>([
		["none", { kernelRoutes: [], clients: [] }, ["red service-no-route"]],
		[
			"the default route alone",
			{ kernelRoutes: [{ ...inKernel, prefix: "0.0.0.0/0", length: 0 }] },
			["red service-no-route"],
		],
		["a smaller metric elsewhere", main({ metric: 0, nextHops: other }), ["red service-other-route"]],
		["a smaller metric, to the same node", main({ metric: 0 }), []],
		["a larger metric", main({ metric: 64, nextHops: other }), []],
		["of type prohibit", main({ metric: 0, kind: "prohibit", nextHops: [] }), ["red service-blackhole"]],
		[
			"busybox, which does not tell several next hops",
			{ kernelRoutes: [{ ...inKernel, protocol: undefined as never, nextHops: [] }] },
			[],
		],
		[
			"in a table that a rule leads to",
			{
				kernelRoutes: [{ ...inKernel, table: "100" }],
				clients: [{ ...iot, there: { route: { ...route.route, table: "100" } } }],
			},
			[],
		],
		["ip does not answer", { kernelRoutes: undefined as never }, []],
	])("%s", (_, service, ids) => {
		expect(wrong(service)).toEqual(ids);
	});

	test("a rule that some clients meet is a warning, and an error for the one that is asked about", () => {
		const astray: Client = { ...iot, there: { route: { interface: "tun0", table: "52" } } };
		const rules = [{ priority: 5270, text: "from all lookup 52", table: "52" }];
		expect(wrong({ clients: [lan, astray], rules })).toEqual(["yellow service-rule"]);
		const { causes } = judged({ clients: [astray], rules, from: iot.address });
		expect(causes[0]?.text).toContain('the rule "from all lookup 52" sends them directly on tun0');
		expect(causes[0]?.advice).toContain("lookup main priority 5269");
	});

	test("without a table's number the rule is found by the route that it leads to", () => {
		const table = { ...inKernel, table: "52", protocol: "static", nextHops: other };
		const astray: Client = { ...iot, there: { route: { interface: "br-iot", gateway: "192.168.10.9" } } };
		const { causes } = judged({
			clients: [astray],
			kernelRoutes: [inKernel, table],
			rules: [
				{ priority: 10, text: "from all lookup 51", table: "51" },
				{ priority: 11, text: "from all lookup 52", table: "52" },
			],
		});
		expect(causes[0]?.evidence).toEqual(["11: from all lookup 52"]);
	});
});

describe("what the kernel refuses", () => {
	const refused = (words: string): Client => ({ ...iot, there: { refused: words } });
	const strict = new Map([["br-iot", 1]]);
	test.each<[string, Partial<ServiceFacts>, string[]]>([
		["EXDEV", { clients: [refused("Invalid cross-device link")] }, ["red service-reverse-path"]],
		[
			"EINVAL with a strict filter",
			{ clients: [refused("Invalid argument")], reversePath: strict },
			["red service-reverse-path"],
		],
		["EINVAL without one", { clients: [refused("Invalid argument")] }, []],
		[
			"the answers",
			{ clients: [{ ...iot, back: { refused: "Invalid cross-device link" } }] },
			["red service-reverse-path"],
		],
		["forwarding", { forwarding: false }, ["red service-forwarding-off"]],
	])("%s", (_, service, ids) => {
		expect(wrong(service)).toEqual(ids);
	});
});

describe("next hops", () => {
	const two = [node, { ...node, gateway: "192.168.1.3" }];
	const neighbors = (...states: string[]) =>
		new Map(
			states.map((each, index) => [`192.168.1.${index + 2}`, { interface: "br-lan", state: each }] as const),
		);
	const both: Partial<ServiceFacts> = {
		bird: { routes: [{ ...announced, nextHops: two }], filtered: [], exported: [announced], closed: [] },
		kernelRoutes: [{ ...inKernel, nextHops: two }],
	};
	test("all of them dead", () => {
		const { causes } = judged({ neighbors: neighbors("FAILED") });
		expect(causes.map(({ id, text }) => `${id}: ${text}`)).toEqual([
			"service-next-hop-dead: The next hop 192.168.1.2 does not answer ARP: packets for the service end there.",
		]);
	});

	test("one of two", () => {
		const { causes } = judged({ ...both, neighbors: neighbors("STALE", "INCOMPLETE") });
		expect(causes[0]?.text).toContain("1 of the 2 next hops (192.168.1.3) does not answer");
	});

	test("one that has no entry yet is not taken for dead", () => {
		expect(wrong({ neighbors: new Map([["192.168.1.2", "none"]]) })).toEqual([]);
	});
});

describe("before BIRD has a route", () => {
	const none = { routes: [], filtered: [], exported: [], closed: [] };
	const gone = { kernelRoutes: [], clients: [] };
	const bird = HEALTHY.bird as Exclude<Facts["bird"], { missing: boolean }>;
	const peers = (change: object): Partial<Facts> => ({
		bird: { ...bird, reading: { peers: bird.reading.peers.map((peer) => ({ ...peer, ...change })) } },
	});
	test.each<[string, Partial<ServiceFacts>, Partial<Facts>, string[]]>([
		["nobody announces it", { bird: none, ...gone }, {}, ["red service-unannounced"]],
		[
			"a filter has left something out",
			{ bird: none, ...gone },
			peers({ updates: { received: 2, rejected: 0, filtered: 2, withdrawn: 0 } }),
			["red service-filtered"],
		],
		[
			"BIRD has kept what was filtered",
			{ bird: { ...none, filtered: [announced] }, ...gone },
			{},
			["red service-filtered"],
		],
		["import none", { bird: { ...none, closed: ["waukeen"] }, ...gone }, {}, ["red service-filtered"]],
		["it is the router's own", { isOwn: true, bird: none, ...gone }, {}, ["red service-own-address"]],
		[
			"no protocol kernel",
			{ bird: { routes: [announced], filtered: [], closed: [] }, kernelRoutes: [] },
			{},
			["red service-not-exported"],
		],
		[
			"another protocol's route to the same node does no harm",
			{
				bird: { ...none, routes: [announced, { ...announced, protocol: "static1" }], exported: [announced] },
			},
			{},
			[],
		],
	])("%s", (_, service, facts, ids) => {
		expect(wrong(service, facts)).toEqual(ids);
	});

	test("without a session, with the causes of its being down", () => {
		expect(wrong({ bird: none, ...gone }, peers({ state: "Active", protocolState: "start" }))).toEqual([
			"red service-no-session",
			"red peer-down",
		]);
	});

	test("an address in a network of the router's is a fault for that network's clients", () => {
		const network = { prefix: "192.168.1.0/24", interface: "br-lan" };
		expect(wrong({ network })).toEqual(["yellow service-in-subnet"]);
		expect(wrong({ network, from: lan.address, clients: [lan] })).toEqual(["red service-in-subnet"]);
	});
});

describe("the firewall", () => {
	test("fw4's forwarding is named by its zones", () => {
		const ruleset = rulesets("fw4");
		const { causes } = judged(
			{ clients: [{ ...iot, interface: "eth1", back: { route: { interface: "eth1" } } }] },
			{ ruleset },
		);
		expect(causes.map(({ id }) => id)).toEqual(["service-blocked"]);
		expect(causes[0]?.advice).toBe(
			"config forwarding with option src 'wan' and option dest 'lan' in /etc/config/firewall; or a rule for this address",
		);
	});

	test("a client behind no zone", () => {
		const { causes } = judged({ clients: [iot] }, { ruleset: rulesets("fw4") });
		expect(causes[0]?.advice).toContain("both interfaces need a zone");
	});

	test.each<[string, Facts["ruleset"], string[]]>([
		[
			"of one network of two",
			chain("forward", [meta("iifname", "br-iot"), drop]),
			["yellow service-blocked"],
		],
		["of all", chain("forward", [drop]), ["red service-blocked"]],
		[
			"by a policy",
			chain("forward", [meta("iifname", "x"), drop], { policy: "drop" }),
			["red service-blocked"],
		],
		["what comes from elsewhere", chain("forward", [meta("iifname", "x"), drop]), []],
		[
			"before it is routed, by an interface that is not known there",
			chain("prerouting", [meta("oifname", "br-lan"), drop]),
			[],
		],
		["what is for the router", chain("input", [drop]), []],
		["of a socket's owner", chain("forward", [match({ meta: { key: "skuid" } }, 0), drop]), []],
		[
			"an unknown match",
			chain("forward", [{ xt: { type: "match", name: "geoip" } }, drop]),
			["yellow service-blocked"],
		],
		[
			"what is invalid, of a client beside the node",
			chain("forward", [state("invalid"), drop]),
			["yellow service-one-sided"],
		],
		[
			"the answers",
			chain("postrouting", [meta("oifname", "br-iot"), state("established"), drop]),
			["yellow service-answer-blocked"],
		],
		["to a queue", chain("forward", [{ queue: { num: 0 } }]), ["red service-caught"]],
	])("drops %s", (_, ruleset, ids) => {
		expect(wrong({}, { ruleset })).toEqual(ids);
	});

	test("a client that is masqueraded gets its answers through the router", () => {
		const masquerade = chain("postrouting", [{ masquerade: null }], { type: "nat", prio: 100 });
		const invalid = chain("forward", [state("invalid"), drop]);
		const ruleset = { ...masquerade, tables: [...masquerade.tables, ...invalid.tables] };
		expect(wrong({ clients: [lan] }, { ruleset })).toEqual([]);
		expect(wrong({ clients: [lan] }, { ruleset: invalid })).toEqual(["red service-one-sided"]);
	});

	test("so does one whose bridge passes the firewall", () => {
		const ruleset = chain("forward", [state("invalid"), drop]);
		expect(wrong({ clients: [lan], bridged: new Set(["br-lan"]) }, { ruleset })).toEqual([]);
	});

	test("a node by its link-local address is on the client's link", () => {
		const hop = { gateway: "fe80::2", interface: "br-lan" };
		const there = { route: hop };
		const service: Partial<ServiceFacts> = {
			...{
				address: "fd00:20::1",
				kernelRoutes: [{ ...inKernel, prefix: "fd00:20::1/128", length: 128, nextHops: [hop] }],
			},
			bird: { routes: [], filtered: [], exported: [], closed: [] },
			clients: [{ ...lan, address: "fd00:1::50", network: "fd00:1::/64", there }],
		};
		const { service: told } = judged(service, { ruleset: empty });
		expect(told?.path.find(({ at }) => at === "back")?.text).toContain("itself, past this router");
	});

	test("without nft the rest is judged, and what was not looked at is said", () => {
		const unread = ["the firewall: nft: not found"];
		const { level, review } = judged({ unread }, { ruleset: { reason: "nft: not found", missing: true } });
		expect(level).toBe("green");
		expect(review.at(-1)?.evidence).toEqual(["not looked at: the firewall: nft: not found"]);
	});
});

describe("MTU", () => {
	const mtus = new Map([
		["br-lan", 1400],
		["br-iot", 1500],
	]);
	test("the node's link is the smaller one", () => {
		expect(wrong({ mtus })).toEqual(["yellow service-mtu"]);
	});

	test("unless segments are clamped", () => {
		const clamp = {
			mangle: { key: { "tcp option": { name: "maxseg", field: "size" } }, value: { rt: { key: "mtu" } } },
		};
		expect(wrong({ mtus }, { ruleset: chain("forward", [clamp]) })).toEqual([]);
	});
});

describe("the router's own attempt", () => {
	test.each<[NonNullable<ServiceFacts["attempt"]>, string[]]>([
		[{ outcome: "refused" }, ["red service-refused"]],
		[{ outcome: "timeout" }, ["red service-silent"]],
		[{ outcome: "failed", words: "nc: Network is unreachable" }, []],
		[{ outcome: "connected" }, []],
	])("%j", (attempt, ids) => {
		expect(wrong({ attempt })).toEqual(ids);
	});

	test("fails for a reason that is known already", () => {
		const neighbors = new Map([["192.168.1.2", { interface: "br-lan", state: "FAILED" }]]);
		expect(wrong({ attempt: { outcome: "timeout" }, neighbors })).toEqual(["red service-next-hop-dead"]);
	});
});
