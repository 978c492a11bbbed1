import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseMtus, parseRoutes, parseRules } from "../../../src/system/kernel/routes-text.ts";
import { parseTcpSockets } from "../../../src/system/kernel/tcp-sockets.ts";
import { isOpen } from "../../../src/system/kernel/try-connection.ts";

const capture = (name: string) =>
	readFileSync(new URL(`../../fixtures/ip/${name}.txt`, import.meta.url), "utf8");

const node = { gateway: "192.168.1.2", interface: "br-lan" };
const service = { prefix: "192.168.20.1/32", length: 32, kind: "unicast", table: "main" };

describe("ip route show table all match", () => {
	test("iproute2", () => {
		const routes = parseRoutes(capture("iproute2-6.15.0-routes4"), 4);
		expect(routes).toEqual([
			{
				...{ ...service, table: "52", metric: 0 },
				nextHops: [{ gateway: "192.168.10.10", interface: "br-iot" }],
			},
			{
				...{ prefix: "0.0.0.0/0", length: 0, kind: "unicast", table: "main", metric: 0 },
				nextHops: [{ gateway: "192.168.1.254", interface: "br-lan" }],
			},
			{ prefix: "192.168.20.0/25", length: 25, kind: "blackhole", table: "main", metric: 0, nextHops: [] },
			{
				...{ prefix: "192.168.20.0/24", length: 24, kind: "blackhole", table: "main" },
				...{ protocol: "bird", metric: 32, nextHops: [] },
			},
			{ ...service, protocol: "bird", metric: 32, nextHops: [node] },
			{ ...service, metric: 40, nextHops: [node, { ...node, gateway: "192.168.1.3" }] },
		]);
		expect(parseRoutes(capture("iproute2-6.15.0-routes6"), 6)).toEqual([
			{
				...{ prefix: "fd00:20::1/128", length: 128, kind: "unicast", table: "main", metric: 40 },
				nextHops: [
					{ gateway: "fd00:1::2", interface: "br-lan" },
					{ gateway: "fd00:1::3", interface: "br-lan" },
				],
			},
		]);
	});

	test("busybox tells no protocol, and nothing of several next hops", () => {
		const routes = parseRoutes(capture("busybox-1.37.0-routes4"), 4);
		expect(routes.at(-2)).toEqual({ ...service, metric: 32, nextHops: [node] });
		expect(routes.at(-1)).toEqual({ ...service, metric: 40, nextHops: [] });
		expect(routes).toHaveLength(6);
	});

	test("a gateway of the other family, and flags", () => {
		expect(
			parseRoutes("10.0.0.1 nhid 9 via inet6 fe80::2 dev br-lan proto bird metric 32 onlink linkdown \n", 4),
		).toMatchObject([{ nextHops: [{ gateway: "fe80::2", interface: "br-lan" }] }]);
	});
});

test.each(["iproute2-6.15.0", "busybox-1.37.0"])("ip rule of %s", (tool) => {
	expect(parseRules(capture(`${tool}-rules`))).toEqual([
		{ priority: 0, text: "from all lookup local", table: "local" },
		{ priority: 1000, text: "from all fwmark 0x100/0xff00 lookup 52", table: "52" },
		{ priority: 1001, text: "from 192.168.10.0/24 iif br-iot lookup 52", table: "52" },
		{ priority: 1002, text: "from 192.168.99.0/24 prohibit" },
		{ priority: 32_766, text: "from all lookup main", table: "main" },
		{ priority: 32_767, text: "from all lookup default", table: "default" },
	]);
});

test.each(["iproute2-6.15.0", "busybox-1.37.0"])("ip -o link show of %s", (tool) => {
	expect([...parseMtus(capture(`${tool}-links`))]).toEqual([
		["lo", 65_536],
		["br-lan", 1500],
		["br-iot", 1500],
	]);
});

test("a connection is open as soon as it is not in SYN-SENT", () => {
	const table = (state: string) =>
		`  sl  local_address rem_address   st tx_queue\n   0: 0101A8C0:B2A4 0114A8C0:0050 ${state} 00000000:00000000\n`;
	const open = (text: string, address: string, port: number) =>
		isOpen(parseTcpSockets(text, true), address, port);
	expect(open(table("01"), "192.168.20.1", 80)).toBe(true);
	expect(open(table("05"), "192.168.20.1", 80)).toBe(true);
	expect(open(table("02"), "192.168.20.1", 80)).toBe(false);
	expect(open(table("01"), "192.168.20.1", 81)).toBe(false);
	expect(open(table("01"), "192.168.20.2", 80)).toBe(false);
	expect(open("", "192.168.20.1", 80)).toBe(false);
});
