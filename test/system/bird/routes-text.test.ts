import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseReply } from "../../../src/system/bird/replies.ts";
import { parseBirdRoutes } from "../../../src/system/bird/routes-text.ts";

const linesOf = (text: string) => parseReply(text)?.lines ?? [];
const capture = (name: string) =>
	linesOf(readFileSync(new URL(`../../fixtures/bird/bird-${name}.txt`, import.meta.url), "utf8"));

const announced = {
	prefix: "192.168.20.1/32",
	table: "master4",
	protocol: "waukeen",
	kind: "unicast",
	best: true,
	preference: 100,
	nextHops: [{ gateway: "192.168.1.2", interface: "br-lan" }],
	announcedNextHop: "192.168.1.2",
};
const blackhole = {
	prefix: "192.168.20.0/24",
	table: "master4",
	protocol: "static1",
	kind: "blackhole",
	best: true,
	preference: 200,
	nextHops: [],
};

describe.each(["3.1.8", "2.17.6"])("BIRD %s", (version) => {
	test("every route that leads to an address", () => {
		const routes = parseBirdRoutes(capture(`${version}-service-routes`));
		expect(routes).toHaveLength(2);
		expect(routes).toEqual(expect.arrayContaining([announced, blackhole]));
	});

	test("a route that the import filter has left out", () => {
		expect(parseBirdRoutes(capture(`${version}-service-filtered`))).toEqual([
			{ ...announced, prefix: "192.168.20.2/32", best: expect.any(Boolean) },
		]);
	});

	test("what the kernel protocol takes", () => {
		const prefixes = parseBirdRoutes(capture(`${version}-service-export`)).map(({ prefix }) => prefix);
		expect(prefixes.sort()).toEqual(["192.168.20.0/24", "192.168.20.1/32"]);
	});

	test("a route whose next hop BIRD cannot reach", () => {
		expect(parseBirdRoutes(capture(`${version}-service-unreachable`))).toContainEqual({
			...announced,
			kind: "unreachable",
			nextHops: [],
		});
	});
});

test("several routes to one prefix, of which one is the best", () => {
	const text = [
		"1007-Table t4:",
		"     10.0.0.0/8           unicast [a 12:00:00.000] * (100) [AS1i]",
		"     \tvia 10.1.1.1 on eth0 weight 1",
		"     \tvia 10.1.1.2 on eth1 weight 1",
		"                          unicast [b 12:00:00.000 from 10.9.9.9] (100/10) [AS1i]",
		"     \tdev wg0",
		"",
	].join("\n");
	expect(parseBirdRoutes(linesOf(text))).toEqual([
		{
			...{ prefix: "10.0.0.0/8", table: "t4", protocol: "a", kind: "unicast", best: true, preference: 100 },
			nextHops: [
				{ gateway: "10.1.1.1", interface: "eth0" },
				{ gateway: "10.1.1.2", interface: "eth1" },
			],
		},
		{
			...{ prefix: "10.0.0.0/8", table: "t4", protocol: "b", kind: "unicast", best: false, preference: 100 },
			nextHops: [{ interface: "wg0" }],
		},
	]);
});
