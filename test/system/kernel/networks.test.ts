import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { parseAddress } from "../../../src/lib/address.ts";
import {
	connectedNetwork,
	hostIn,
	parseConnected4,
	parseConnected6,
} from "../../../src/system/kernel/networks.ts";
import { readAddresses } from "../../../src/system/kernel/router-addresses.ts";
import type { FakeFiles } from "../../fakes/files.ts";
import { FakePlatform } from "../../fakes/platform.ts";

const captured = (name: string) =>
	readFileSync(new URL(`../../fixtures/proc/linux-6.18-${name}.txt`, import.meta.url), "utf8");

let platform: FakePlatform;
let files: FakeFiles;

beforeEach(() => {
	platform = new FakePlatform();
	({ files } = platform);
	for (const name of ["route", "if_inet6", "fib_trie"]) files.set(`/proc/net/${name}`, captured(name));
});

async function router() {
	let found: Awaited<ReturnType<typeof readAddresses>> = "no answer";
	void readAddresses(platform).then((addresses) => {
		found = addresses;
	});
	await platform.settle();
	return found as Awaited<ReturnType<typeof readAddresses>>;
}

async function networkOf(text: string, zone?: string) {
	const address = parseAddress(text);
	const found = await router();
	if (!address) throw new Error(text);
	return typeof found === "string" ? found : connectedNetwork(found.networks, address, zone);
}

async function hostOf(range: string) {
	const found = await router();
	return typeof found === "string" ? found : hostIn(found, range);
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
	])("%s", async (address, network) => {
		expect(await networkOf(address)).toEqual(network);
	});

	test("of a link-local address is its own interface's", async () => {
		expect(await networkOf("fe80::2", "br-guest")).toEqual({ prefix: "fe80::/64", interface: "br-guest" });
		expect(await networkOf("fe80::2", "eth1")).toBe("none");
	});

	describe.each(["route", "fib_trie"])("where /proc/net/%s", (name) => {
		const unreadable = [
			["cannot be read", () => files.fail(`/proc/net/${name}`, "Permission denied")],
			["is too long", () => files.set(`/proc/net/${name}`, captured(name).padEnd(5 << 20))],
			["is empty", () => files.set(`/proc/net/${name}`, "")],
			["is not there", () => files.remove(`/proc/net/${name}`)],
		] as const;

		test.each(unreadable)("%s, is what ip tells", async (_, spoil) => {
			spoil();
			expect(await networkOf("192.168.1.2")).toMatch(/^(?:(?:read|open): )?\/proc\/net\//);
			platform.program("ip", (child) => {
				child.out(ADDRESSES);
				child.end(0);
			});
			expect(await networkOf("192.168.1.2")).toEqual({ prefix: "192.168.1.0/24", interface: "br-lan" });
			expect(await networkOf("fd00:1::2")).toEqual({ prefix: "fd00:1::/64", interface: "br-lan" });
			expect(await networkOf("10.8.0.2")).toBe("none");
			const found = await router();
			if (typeof found === "string") throw new Error(found);
			const own = ["127.0.0.1", "127.3.2.1", "192.168.1.1", "fd00:1::1", "10.8.0.1"];
			expect(own.filter((address) => !found.isLocal(address))).toEqual([]);
			expect(["192.168.1.2", "10.8.0.2", "x", ""].filter(found.isLocal)).toEqual([]);
		});
	});

	test("starts no process as long as /proc tells", async () => {
		await networkOf("192.168.1.2");
		expect(platform.children).toEqual([]);
	});

	test("is none of IPv6 on a kernel without it", async () => {
		files.remove("/proc/net/if_inet6");
		expect(await networkOf("fd00:1::2")).toBe("none");
		expect(await networkOf("192.168.1.2")).toMatchObject({ interface: "br-lan" });
	});
});

/** iproute2 6.15. */
const ADDRESSES = `1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
1: lo    inet6 ::1/128 scope host noprefixroute \\       valid_lft forever preferred_lft forever
2: br-lan    inet 192.168.1.1/24 brd 192.168.1.255 scope global br-lan\\       valid_lft forever preferred_lft forever
2: br-lan    inet6 fd00:1::1/64 scope global nodad \\       valid_lft forever preferred_lft forever
3: wg0    inet 10.8.0.1 peer 10.8.0.2/32 scope global wg0\\       valid_lft forever preferred_lft forever
`;

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
	])("%s", async (_, range, host) => {
		expect(await hostOf(range)).toEqual(host);
	});

	test("all of IPv6: neither the loopback nor a link-local address", async () => {
		expect(await hostOf("::/0")).toEqual({ address: "fd00:1::2", interface: "br-lan" });
	});

	test("is inside the range, and never the router, whatever the router has", async () => {
		files.set(
			"/proc/net/fib_trie",
			[..."012345678"].map((digit) => `  |-- 192.168.1.${digit}\n     /32 host LOCAL\n`).join(""),
		);
		expect(await hostOf("192.168.1.0/24")).toMatchObject({ address: "192.168.1.9" });
		for (const range of ["192.168.1.0/29", "192.168.1.0/30", "192.168.1.0/31", "192.168.1.4/32"])
			expect(await hostOf(range), range).toBeUndefined();
		// The last one of four is for all, and the second is all that is left.
		files.set("/proc/net/fib_trie", "  |-- 192.168.1.2\n     /32 host LOCAL\n");
		expect(await hostOf("192.168.1.0/30")).toMatchObject({ address: "192.168.1.1" });
	});

	test.each(["", "192.168.1.0/33", "192.168.1.1/24", "lan/24", "fe80::%br-lan/64"])(
		"'%s' is no range",
		async (text) => {
			expect(await hostOf(text)).toBeUndefined();
		},
	);
});
