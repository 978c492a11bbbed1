import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { parseAddress } from "../../../src/lib/address.ts";
import {
	connectedNetwork,
	hostIn,
	parseConnected4,
	parseConnected6,
} from "../../../src/system/kernel/networks.ts";
import { FakeFiles } from "../../fakes/files.ts";

const captured = (name: string) =>
	readFileSync(new URL(`../../fixtures/proc/linux-6.18-${name}.txt`, import.meta.url), "utf8");

let files: FakeFiles;

beforeEach(() => {
	files = new FakeFiles(() => 0);
	for (const name of ["route", "if_inet6", "fib_trie"]) files.set(`/proc/net/${name}`, captured(name));
});

function networkOf(text: string, zone?: string) {
	const address = parseAddress(text);
	if (!address) throw new Error(text);
	return connectedNetwork(files, address, zone);
}

const said = (networks: ReturnType<typeof parseConnected4>) =>
	networks.map(({ text, length, interface: device }) => `${text}/${length} ${device}`);

describe("/proc/net", () => {
	const routes = [
		"10.0.0.0/31 eth1",
		"10.1.2.0/24 br-guest",
		"10.9.0.0/24 wg0",
		"192.168.1.0/24 br-lan",
		"192.168.1.7/32 wg0",
		"192.168.20.0/24 wg0",
	];

	test("route: without gateways, the default route and blackholes", () => {
		expect(said(parseConnected4(captured("route"), true))).toEqual(routes);
	});

	test("route of a big-endian router, as OpenWrt's mips", () => {
		const swapped = captured("route").replace(
			/\b([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{2})\b/g,
			"$4$3$2$1",
		);
		expect(swapped).toContain("br-lan\tC0A80100\t");
		expect(said(parseConnected4(swapped, false))).toEqual(routes);
	});

	test("if_inet6: without addresses that have no network", () => {
		expect(said(parseConnected6(captured("if_inet6")))).toEqual([
			"fe80::/64 br-guest",
			"fe80::/64 br-lan",
			"fd00:1::/64 br-lan",
			"2001:db8:0:1::/127 eth1",
		]);
	});
});

describe("the connected network of an address", () => {
	test.each([
		["192.168.1.2", { prefix: "192.168.1.0/24", interface: "br-lan" }],
		["10.1.2.3", { prefix: "10.1.2.0/24", interface: "br-guest" }],
		["10.0.0.1", { prefix: "10.0.0.0/31", interface: "eth1" }],
		// Somebody has sent the node into a tunnel: that makes the tunnel no network of the router's.
		["192.168.1.7", { prefix: "192.168.1.0/24", interface: "br-lan" }],
		["192.168.20.7", "none"],
		["198.51.100.1", "none"],
		["203.0.113.1", "none"],
		// wg0's own.
		["10.9.0.2", { prefix: "10.9.0.0/24", interface: "wg0" }],
		["fd00:1::2", { prefix: "fd00:1::/64", interface: "br-lan" }],
		["2001:db8:0:1::1", { prefix: "2001:db8:0:1::/127", interface: "eth1" }],
		["2001:db8:0:2::9", "none"],
		["fd00:2::1", "none"],
		// On every interface.
		["fe80::2", undefined],
	])("%s", (address, network) => {
		expect(networkOf(address)).toEqual(network);
	});

	test("of a link-local address is its own interface's", () => {
		expect(networkOf("fe80::2", "br-guest")).toEqual({ prefix: "fe80::/64", interface: "br-guest" });
		expect(networkOf("fe80::2", "eth1")).toBe("none");
	});

	test.each(["route", "fib_trie"])(
		"is not known where /proc/net/%s cannot be read or is too long",
		(name) => {
			files.fail(`/proc/net/${name}`, "Permission denied");
			expect(networkOf("192.168.1.2")).toBeUndefined();
			files.fail(`/proc/net/${name}`, undefined);
			files.set(`/proc/net/${name}`, captured(name).padEnd(5 << 20));
			expect(networkOf("192.168.1.2")).toBeUndefined();
			expect(networkOf("fd00:1::2")).toMatchObject({ interface: "br-lan" });
			files.remove(`/proc/net/${name}`);
			expect(networkOf("192.168.1.2")).toBeUndefined();
		},
	);

	test("is not known on a kernel without IPv6", () => {
		files.remove("/proc/net/if_inet6");
		expect(networkOf("fd00:1::2")).toBeUndefined();
		expect(networkOf("192.168.1.2")).toMatchObject({ interface: "br-lan" });
	});
});

describe("a host that stands for a range", () => {
	test.each([
		["the LAN", "192.168.1.0/24", { address: "192.168.1.2", interface: "br-lan" }],
		["a part of the LAN", "192.168.1.64/26", { address: "192.168.1.66", interface: "br-lan" }],
		["four addresses with the router's", "192.168.1.0/30", { address: "192.168.1.2", interface: "br-lan" }],
		["one address", "192.168.1.9/32", { address: "192.168.1.9", interface: "br-lan" }],
		["the router's own address", "192.168.1.1/32", undefined],
		[
			"two addresses, one of them the router's",
			"192.168.1.0/31",
			{ address: "192.168.1.0", interface: "br-lan" },
		],
		["a link of two addresses", "10.0.0.0/31", { address: "10.0.0.1", interface: "eth1" }],
		["networks inside it", "10.0.0.0/8", { address: "10.1.2.2", interface: "br-guest" }],
		["everything", "0.0.0.0/0", { address: "10.1.2.2", interface: "br-guest" }],
		["a network far away", "172.16.0.0/12", { address: "172.16.0.2" }],
		["a tunnel that the router is not in", "192.168.20.0/24", { address: "192.168.20.2" }],
		["IPv6", "fd00:1::/64", { address: "fd00:1::2", interface: "br-lan" }],
		[
			"an IPv6 link of two addresses",
			"2001:db8:0:1::/127",
			{ address: "2001:db8:0:1::1", interface: "eth1" },
		],
		["a network inside it, IPv6", "fd00::/8", { address: "fd00:1::2", interface: "br-lan" }],
		["an IPv6 network far away", "fd99::/64", { address: "fd99::2" }],
		["link-local", "fe80::/10", { address: "fe80::2", interface: "br-guest" }],
	])("%s", (_, range, host) => {
		expect(hostIn(files, range)).toEqual(host);
	});

	test("all of IPv6: neither the loopback nor a link-local address", () => {
		const { address = "", interface: device } = hostIn(files, "::/0") ?? {};
		expect([address, device]).toEqual(["fd00:1::2", "br-lan"]);
	});

	test("is inside the range, and never the router, whatever the router has", () => {
		files.set(
			"/proc/net/fib_trie",
			[..."012345678"].map((digit) => `  |-- 192.168.1.${digit}\n     /32 host LOCAL\n`).join(""),
		);
		expect(hostIn(files, "192.168.1.0/24")?.address).toBe("192.168.1.9");
		for (const range of ["192.168.1.0/29", "192.168.1.0/30", "192.168.1.0/31", "192.168.1.4/32"])
			expect(hostIn(files, range), range).toBeUndefined();
		// The last one of four is for all, and the second is all that is left.
		files.set("/proc/net/fib_trie", "  |-- 192.168.1.2\n     /32 host LOCAL\n");
		expect(hostIn(files, "192.168.1.0/30")?.address).toBe("192.168.1.1");
	});

	test("is not known where the router's own addresses are not", () => {
		files.remove("/proc/net/fib_trie");
		expect(hostIn(files, "192.168.1.0/24")).toBeUndefined();
	});

	test.each(["", "192.168.1.0/33", "192.168.1.1/24", "lan/24", "fe80::%br-lan/64"])(
		"'%s' is no range",
		(text) => {
			expect(hostIn(files, text)).toBeUndefined();
		},
	);
});
