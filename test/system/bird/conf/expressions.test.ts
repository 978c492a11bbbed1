import { describe, expect, test } from "vitest";
import { lastBgp, parse } from "./parse.ts";

/** A hold time that an expression gives. */
function number(expression: string, defines = ""): number | undefined {
	return lastBgp(`${defines} protocol bgp x { hold time ${expression}; }`).holdTime;
}

describe("numbers", () => {
	test.each([
		["65000 + 9", 65009],
		["2 + 3 * 4", 14],
		["(2 + 3) * 4", 20],
		["20 - 5 - 3", 12],
		["100 / 7 / 2", 7],
		["((3))", 3],
		["0x10 + 1", 17],
		["2*3+4*5", 26],
		["4294967295 + 2", 1],
		["0 - 1", 4294967295],
		["65536 * 65537", 65536],
		["0xf0 | 3", 243],
		["0xf0 & 0x3f", 48],
		["BASE + 1", 65001],
		["BASE / (BASE - 64999)", 65000],
		["NEXT", 65001],
		["'with-dash' * 2", 10],
	])("define X = %s;", (expression, expected) => {
		const defines = `define BASE = 65000; define NEXT = BASE + 1; define 'with-dash' = 5; define X = ${expression};`;
		expect(number("X", defines)).toBe(expected);
		expect(number(`(${expression})`, defines)).toBe(expected);
	});

	test.each([
		"1 / 0",
		"1 +",
		"+ 1",
		"1 2",
		"1 + ADDRESS",
		'"1"',
		"1 + 'none'",
		"f(1)",
		"1 ++ 2",
		"!1",
		"-1",
		"1 < 2",
		"1 = 1",
		"(1",
		"()",
		"4294967296",
		"4294967296 - 1",
		"[1, 2]",
		"NET.len",
		"NOTHING",
	])("define X = %s; is not known, and not 0", (expression) => {
		const defines = `define ADDRESS = 10.0.0.1; define NET = 10.0.0.0/8; define X = ${expression};`;
		expect(number("X", defines)).toBeUndefined();
		expect(number(`(${expression})`, defines)).toBeUndefined();
		expect(number("(X + 1)", defines)).toBeUndefined();
	});
});

test("constants of every kind, in every place", () => {
	const text = `
		define ASN = 65000 + 9; define NET = 192.168.1.0/24; define NODES = NET;
		define ME = 192.168.1.1; define SELF = ME; define LAN = "br-lan"; define SECRET = "x"; define YES_ = true; define PORT_ = 1790;
		define TWO = 2; define SECOND = 1000; define NAME = "node";
		router id ME;
		protocol direct { ipv4; interface LAN, NET, -"eth0"; }
		protocol bfd { interface LAN { interval (SECOND / 2) ms; multiplier (1 + TWO); }; }
		protocol bgp x {
			local SELF port PORT_ as (ASN - 8);
			neighbor range NODES port (PORT_ + 1) as ASN;
			interface LAN; multihop TWO; passive YES_; password SECRET; dynamic name NAME;
			error wait time TWO, (TWO * 5); bfd { min rx interval (300) ms; };
			ipv4 { import limit (TWO * 50) action block; };
		}`;
	const { routerId, direct, bfd, bgp } = parse(text);
	expect(routerId).toBe("192.168.1.1");
	expect(direct[0]?.patterns).toEqual(["br-lan", "192.168.1.0/24", "-eth0"]);
	expect(bfd[0]?.interfaces).toEqual([
		{ patterns: ["br-lan"], options: { minReceive: 500, minTransmit: 500, multiplier: 3 } },
	]);
	expect(bgp).toMatchObject([
		{
			localAddress: "192.168.1.1",
			localPort: 1790,
			localAs: 65001,
			neighborRange: "192.168.1.0/24",
			neighborPort: 1791,
			neighborAs: 65009,
			interface: "br-lan",
			multihop: 2,
			passive: true,
			password: true,
			dynamicName: "node",
			errorWaitTime: { first: 2, longest: 10 },
			bfdOptions: { minReceive: 300 },
			channels: [{ importLimit: { limit: 100, action: "block" } }],
		},
	]);
});

test.each([
	["neighbor (HIM) as 1;", { neighborAddress: "fd00::10:2", neighborAs: 1 }],
	["neighbor range (NET) as 1;", { neighborRange: "fd00::10:0/112", neighborAs: 1 }],
	["neighbor range fd00::10:0/112 as 1;", { neighborRange: "fd00::10:0/112", neighborAs: 1 }],
	["neighbor range 192.168.001.0/24 as 1;", { neighborRange: "192.168.1.0/24", neighborAs: 1 }],
	["neighbor range HIM as 1;", { neighborRange: undefined, neighborAs: 1 }],
	["neighbor range NOTHING as 1;", { neighborRange: undefined, neighborAs: 1 }],
	["neighbor NET as 1;", { neighborAddress: undefined, neighborAs: 1 }],
	["neighbor range f(2) as 1;", { neighborRange: undefined, neighborAs: 1 }],
])("%s", (line, expected) => {
	const { neighborAddress, neighborRange, neighborAs } = lastBgp(
		`define HIM = fd00::10:2; define NET = fd00::10:0/112; protocol bgp x { ${line} }`,
	);
	expect({ neighborAddress, neighborRange, neighborAs }).toMatchObject(expected);
});

test.each([
	["router id 3232235777;", "192.168.1.1"],
	["define ID = 0x0a000001; router id ID;", "10.0.0.1"],
	["router id fd00::1;", undefined],
	['router id from "br-lan";', undefined],
])("%s", (text, expected) => {
	expect(parse(text).routerId).toBe(expected);
});
