import { describe, expect, it } from "vitest";
import { isHostAddress, isInterfaceName, isLinkLocal, parseAddress } from "../../src/lib/address.ts";

describe("parseAddress", () => {
	it.each([
		["192.168.1.2", 4, "192.168.1.2"],
		["0.0.0.0", 4, "0.0.0.0"],
		["2001:DB8::1", 6, "2001:db8::1"],
		["2001:0db8:0000:0000:0001:0000:0000:0001", 6, "2001:db8::1:0:0:1"],
		["2001:db8:0:1:1:1:1:1", 6, "2001:db8:0:1:1:1:1:1"],
		["2001:0:0:1:0:0:0:1", 6, "2001:0:0:1::1"],
		["::", 6, "::"],
		["::1", 6, "::1"],
		["1::", 6, "1::"],
		["1:2:3:4:5:6:7::", 6, "1:2:3:4:5:6:7:0"],
		["::ffff:192.0.2.1", 6, "::ffff:192.0.2.1"],
		["::ffff:c000:201", 6, "::ffff:192.0.2.1"],
		["64:ff9b::192.0.2.33", 6, "64:ff9b::c000:221"],
	])("%s is family %i, canonically %s", (text, family, canonical) => {
		expect(parseAddress(text)).toMatchObject({ family, text: canonical });
		expect(parseAddress(canonical)?.text).toBe(canonical);
	});

	it("keeps the zone apart", () => {
		expect(parseAddress("fe80::1%br-lan.10")).toMatchObject({
			family: 6,
			text: "fe80::1",
			zone: "br-lan.10",
		});
		expect(parseAddress("fe80::1")).not.toHaveProperty("zone");
	});

	it.each([
		"",
		"192.168.1",
		"192.168.1.256",
		"192.168.1.02",
		"192.168.1.2/24",
		"192.168.1.2%eth0",
		" 192.168.1.2",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7:8::",
		"1::2::3",
		":1::2",
		"12345::",
		"g::1",
		"1.2.3.4::",
		"::1.2.3",
		"fe80::1%",
		"fe80::1%a/b",
		"[::1]",
		"host",
		`::${"0".repeat(100)}`,
	])("%j is none", (text) => {
		expect(parseAddress(text)).toBeUndefined();
	});
});

it.each([
	["fe80::1", true],
	["febf::1", true],
	["fec0::1", false],
	["169.254.1.1", false],
])("isLinkLocal %s: %s", (text, expected) => {
	const address = parseAddress(text);
	expect(address && isLinkLocal(address)).toBe(expected);
});

it.each([
	["192.168.1.2", true],
	["127.0.0.1", true],
	["0.0.0.0", false],
	["224.0.0.5", false],
	["255.255.255.255", false],
	["2001:db8::", true],
	["::", false],
	["ff02::1", false],
])("isHostAddress %s: %s", (text, expected) => {
	const address = parseAddress(text);
	expect(address && isHostAddress(address)).toBe(expected);
});

it.each([
	["br-lan", true],
	["eth0.100", true],
	["wg@0", true],
	["fifteen-chars-x", true],
	["sixteen-chars-xx", false],
	["", false],
	[".", false],
	["..", false],
	["a b", false],
	["a/b", false],
	["a:b", false],
	["a\n", false],
])("isInterfaceName %j: %s", (name, expected) => {
	expect(isInterfaceName(name)).toBe(expected);
});
