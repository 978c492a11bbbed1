import { describe, expect, test } from "vitest";
import { parseNeighbors, parseNoRoute, parseRoute } from "../../../src/system/kernel/ip-text.ts";

/** Captured from iproute2 6.15 and busybox 1.37. */
describe("ip route get", () => {
	test.each([
		[
			"192.168.1.2 dev br-lan src 192.168.1.1 uid 0 \n    cache \n",
			{ interface: "br-lan", source: "192.168.1.1" },
		],
		["192.168.1.2 dev br-lan  src 192.168.1.1 \n", { interface: "br-lan", source: "192.168.1.1" }],
		[
			"fd00:1::2 from :: dev br-lan proto kernel src fd00:1::1 metric 256 pref medium\n",
			{ interface: "br-lan", source: "fd00:1::1" },
		],
		[
			"192.168.1.2 dev tailscale0 table 52 src 192.168.1.1 uid 0 \n    cache \n",
			{ interface: "tailscale0", source: "192.168.1.1", table: "52" },
		],
		[
			"10.2.0.1 via 192.168.1.9 dev br-lan src 192.168.1.1 uid 0 \n",
			{ interface: "br-lan", source: "192.168.1.1", gateway: "192.168.1.9" },
		],
		[
			"10.2.0.1 via inet6 fe80::9 dev br-lan src 192.168.1.1 uid 0 \n",
			{ interface: "br-lan", source: "192.168.1.1", gateway: "fe80::9" },
		],
	])("%j", (text, route) => {
		expect(parseRoute(text)).toEqual(route);
	});

	test("no route", () => {
		expect(parseRoute("")).toBeUndefined();
		expect(parseNoRoute("RTNETLINK answers: Network is unreachable")).toBe("Network is unreachable");
		expect(parseNoRoute("ip: RTNETLINK answers: Network is unreachable\n")).toBe("Network is unreachable");
		expect(parseNoRoute("ip: not found")).toBeUndefined();
	});
});

test.each([
	[
		"192.168.1.2 dev br-lan lladdr e2:77:66:d0:cf:89 REACHABLE \n",
		{ interface: "br-lan", state: "REACHABLE" },
	],
	[
		"192.168.1.2 dev br-lan lladdr e2:77:66:d0:cf:89 ref 1 used 0/0/0 probes 4 STALE\n",
		{ interface: "br-lan", state: "STALE" },
	],
	["192.168.1.77 dev br-lan INCOMPLETE \n", { interface: "br-lan", state: "INCOMPLETE" }],
	["192.168.1.77 dev br-lan  used 0/0/0 probes 6 FAILED\n", { interface: "br-lan", state: "FAILED" }],
	["", undefined],
	["rubbish\n", undefined],
])("ip neigh show: %j", (text, neighbor) => {
	expect([...parseNeighbors(text).values()].flat()).toEqual(neighbor === undefined ? [] : [neighbor]);
});
