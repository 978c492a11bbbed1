import { expect, it } from "vitest";
import { parsePrefix } from "../../src/lib/prefix.ts";

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
