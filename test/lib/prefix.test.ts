import { expect, it } from "vitest";
import { inPrefix, parsePrefix, prefixContains } from "../../src/lib/prefix.ts";

it.each([
	["192.168.20.0/24", { family: 4, text: "192.168.20.0/24", length: 24 }],
	["192.168.20.128/25", { family: 4, text: "192.168.20.128/25", length: 25 }],
	["192.168.20.7", { family: 4, text: "192.168.20.7/32", length: 32 }],
	["0.0.0.0/0", { family: 4, text: "0.0.0.0/0", length: 0 }],
	["2001:DB8:0::/48", { family: 6, text: "2001:db8::/48", length: 48 }],
	["fd00::1", { family: 6, text: "fd00::1/128", length: 128 }],
])("reads %s", (text, expected) => {
	expect(parsePrefix(text)).toEqual(expected);
});

it.each([
	"",
	"/24",
	"192.168.20.0/",
	"192.168.20.0/33",
	"192.168.20.0/024",
	"192.168.20.0/24/24",
	"192.168.20.1/24",
	"192.168.20.128/24",
	"2001:db8::1/64",
	"fe80::1%br-lan/128",
	"10.0.0.1-10.0.0.9",
	"lan",
])("refuses '%s'", (text) => {
	expect(parsePrefix(text)).toBeUndefined();
});

it.each([
	["192.168.1.0/24", "192.168.1.255", true],
	["192.168.1.0/24", "192.168.2.0", false],
	["192.168.1.128/25", "192.168.1.127", false],
	["10.0.0.0/31", "10.0.0.1", true],
	["10.0.0.0/31", "10.0.0.2", false],
	["10.0.0.1/32", "10.0.0.1", true],
	["10.0.0.1", "10.0.0.1", true],
	["0.0.0.0/0", "255.255.255.255", true],
	["0.0.0.0/0", "::1", false],
	["::/0", "10.0.0.1", false],
	["::/0", "fe80::1", true],
	["fd00::/64", "fd00::ffff:0:0:1", true],
	["fd00::/64", "fd00:0:0:1::", false],
	["fd00::2/127", "fd00::3", true],
	["fd00::2/127", "fd00::4", false],
	["FD00:0::/32", "fd00:0:1::", true],
	// What is neither.
	["192.168.1.1/24", "192.168.1.2", false],
	["192.168.1.0/24/24", "192.168.1.2", false],
	["fe80::%br-lan/64", "fe80::1", false],
	["", "192.168.1.2", false],
	["lan", "lan", false],
	["0.0.0.0/0", "", false],
	["0.0.0.0/0", "10.0.0.0/8", false],
])("%s contains %s: %s", (prefix, address, contains) => {
	expect(prefixContains(prefix, address)).toBe(contains);
});

it("says of two families that one is not in the other", () => {
	expect(inPrefix([10, 0, 0, 1], new Array(16).fill(0), 0)).toBe(false);
});
