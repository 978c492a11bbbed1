import { describe, expect, test } from "vitest";
import type { Facts } from "../../src/doctor/facts.ts";
import type { Client, KernelRoute, ServiceFacts } from "../../src/model/service-path.ts";
import { HEALTHY } from "./sample-facts.ts";
import { announced, inKernel, iot, judged, lan, node, route, wrong } from "./service-facts.ts";

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
		"TCP port 80 answers, and nothing on this router keeps clients from the service.",
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
		expect(causes[0]?.text).toContain("rule 5270 sends them directly on tun0");
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

test("a client that the router has no route to", () => {
	const { causes } = judged({ from: "10.99.0.5", clients: [] });
	expect(causes.map(({ id, text }) => `${id}: ${text}`)).toEqual([
		"service-no-route: The router has no route to the client 10.99.0.5, or that is the router itself.",
	]);
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
		bird: { routes: [{ ...announced, nextHops: two }], filtered: [], exported: [announced] },
		kernelRoutes: [{ ...inKernel, nextHops: two }],
	};
	test("all of them dead", () => {
		const { causes } = judged({ neighbors: neighbors("FAILED") });
		expect(causes.map(({ id, text }) => `${id}: ${text}`)).toEqual([
			"service-next-hop-dead: The next hop 192.168.1.2 does not answer ARP or NDP: packets end there.",
		]);
	});

	test("one of two", () => {
		const { causes } = judged({ ...both, neighbors: neighbors("STALE", "INCOMPLETE") });
		expect(causes[0]?.text).toContain(
			"192.168.1.3 does not answer ARP or NDP: about 1 of 2 connections fail",
		);
	});

	test("one that has no entry yet is not taken for dead", () => {
		expect(wrong({ neighbors: new Map([["192.168.1.2", "none"]]) })).toEqual([]);
	});
});

describe("before BIRD has a route", () => {
	const none = { routes: [], filtered: [], exported: [] };
	const gone = { kernelRoutes: [], clients: [] };
	const updates = { received: 2, rejected: 0, filtered: 0, withdrawn: 0 };
	const bird = HEALTHY.bird as Exclude<Facts["bird"], { missing: boolean }>;
	const peers = (change: object): Partial<Facts> => ({
		bird: { ...bird, reading: { peers: bird.reading.peers.map((peer) => ({ ...peer, ...change })) } },
	});
	test.each<[string, Partial<ServiceFacts>, Partial<Facts>, string[]]>([
		["nobody announces it", { bird: none, ...gone }, peers({ updates }), ["red service-unannounced"]],
		["BIRD counts no updates: import none", { bird: none, ...gone }, {}, ["red service-filtered"]],
		[
			"import none in the address's own family",
			{ bird: none, ...gone },
			peers({
				updates,
				channels: [
					{ family: "ipv4", isDown: false },
					{ family: "ipv6", isDown: false, updates },
				],
			}),
			["red service-filtered"],
		],
		[
			"a filter has left something out",
			{ bird: none, ...gone },
			peers({ updates: { ...updates, filtered: 2 } }),
			["red service-filtered"],
		],
		[
			"BIRD has kept what was filtered",
			{ bird: { ...none, filtered: [announced] }, ...gone },
			{},
			["red service-filtered"],
		],
		["it is the router's own", { isOwn: true, bird: none, ...gone }, {}, ["red service-own-address"]],
		[
			"no protocol kernel",
			{ bird: { routes: [announced], filtered: [] }, kernelRoutes: [] },
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
