import { describe, expect, test } from "vitest";
import type { Facts } from "../../src/doctor/facts.ts";
import type { ServiceFacts } from "../../src/model/service-path.ts";
import { rulesets } from "./sample-facts.ts";
import {
	chain,
	drop,
	empty,
	inKernel,
	iot,
	judged,
	lan,
	match,
	meta,
	state,
	wrong,
} from "./service-facts.ts";

describe("the firewall", () => {
	test("fw4's forwarding is named by its zones", () => {
		const ruleset = rulesets("fw4");
		const { causes } = judged(
			{ clients: [{ ...iot, interface: "eth1", back: { route: { interface: "eth1" } } }] },
			{ ruleset },
		);
		expect(causes.map(({ id }) => id)).toEqual(["service-blocked"]);
		expect(causes[0]?.advice).toBe(
			"config forwarding with option src 'wan' and option dest 'lan' in /etc/config/firewall, or a rule for this address",
		);
	});

	test("a client behind no zone", () => {
		const { causes } = judged({ clients: [iot] }, { ruleset: rulesets("fw4") });
		expect(causes[0]?.advice).toContain("put br-iot into a zone");
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
			bird: { routes: [], filtered: [], exported: [] },
			clients: [{ ...lan, address: "fd00:1::50", network: "fd00:1::/64", there }],
		};
		const { service: told } = judged(service, { ruleset: empty });
		expect(told?.path.find(({ at }) => at === "back")?.text).toContain("itself, past this router");
	});

	test("where ip could not be asked, BIRD's route tells by which interface packets leave", () => {
		const { there: _, back: __, ...unasked } = iot;
		const ruleset = chain("forward", [meta("oifname", "br-lan"), drop]);
		expect(wrong({ clients: [unasked] }, { ruleset })).toEqual(["red service-blocked"]);
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
