import { expect, test } from "vitest";
import { parseAddress, unmapped } from "../../../../src/lib/address.ts";
import { tokenize } from "../../../../src/system/bird/conf/tokens.ts";
import { Random } from "../../../random.ts";
import { bgp } from "./parse.ts";

// What flex takes of each (conf/cf-lex.l of BIRD 2.17.1 and 3.3.2): the longest match.
test.each([
	["fe80::211:22ff:fe33:4455%'br-lan'", ["address fe80::211:22ff:fe33:4455", "mark %", "symbol br-lan"]],
	["fe80::2%wg0", ["address fe80::2", "mark %", "word wg0"]],
	["fd00::10:2", ["address fd00::10:2"]],
	["::ffff:192.0.2.1", ["address ::ffff:192.0.2.1"]],
	["64:ff9b::192.0.2.33", ["address 64:ff9b::192.0.2.33"]],
	["1:2:3:4:5:6:192.0.2.1", ["address 1:2:3:4:5:6:192.0.2.1"]],
	["::", ["address ::"]],
	["::1/128", ["address ::1", "mark /", "number 128"]],
	["1::", ["address 1::"]],
	["a:b:c::", ["address a:b:c::"]],
	[
		"2001:db8::/32{32,64}",
		["address 2001:db8::", "mark /", "number 32", "mark {", "number 32", "mark ,", "number 64", "mark }"],
	],
	["face::cafe", ["address face::cafe"]],
	["1:2", ["other 1:2"]],
	["0:1:2", ["other 0:1:2"]],
	["192.0.2.1:100", ["other 192.0.2.1:100"]],
	["192.0.2.1", ["address 192.0.2.1"]],
	["hex:0a:0b", ["other hex:0a:0b"]],
	["0123456789abcdef0123456789abcdef", ["other 0123456789abcdef0123456789abcdef"]],
	["0x1f", ["number 0x1f"]],
	["10s", ["number 10", "word s"]],
	["add:", ["word add", "mark :"]],
	["(65000,1)", ["mark (", "number 65000", "mark ,", "number 1", "mark )"]],
])("%s", (text, expected) => {
	const tokens = tokenize({ path: "x", text }, () => []);
	expect(tokens.map((token) => `${token.kind} ${token.text}`)).toEqual(expected);
});

/** Sixteen bytes, few or many of them 0, sometimes with an IPv4 address inside. */
function randomBytes(random: Random): number[] {
	const mapped = random.below(12) === 0;
	const zeros = random.below(17);
	return Array.from({ length: 16 }, (_, index) => {
		if (mapped && index < 12) return index < 10 ? 0 : 0xff;
		return random.below(16) < zeros ? 0 : random.below(256);
	});
}

/** One of the ways to write an address: any run of zeros left out, or none, digits in any case, the end as a quad. */
function randomText(random: Random, bytes: readonly number[]): string {
	const quad = random.below(4) === 0;
	const groups = Array.from({ length: quad ? 6 : 8 }, (_, index) => {
		const value = ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0);
		const text = value.toString(16).padStart(1 + random.below(4), "0");
		return random.below(2) === 0 ? text : text.toUpperCase();
	});
	const end = quad ? [bytes.slice(12).join(".")] : [];
	const start = random.below(groups.length);
	let length = 0;
	while (Number.parseInt(groups[start + length] ?? "1", 16) === 0) length++;
	if (length === 0 || random.below(8) === 0) return [...groups, ...end].join(":");
	return `${groups.slice(0, start).join(":")}::${[...groups.slice(start + length), ...end].join(":")}`;
}

test("every way to write an IPv6 address is the address", () => {
	const random = new Random();
	const shapes = new Set<string>();
	for (let round = 0; round < 5000; round++) {
		const bytes = randomBytes(random);
		const text = randomText(random, bytes);
		const whole = Array.from({ length: 8 }, (_, at) =>
			(((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
		);
		const parsed = parseAddress(whole.join(":"));
		const expected = parsed && unmapped(parsed).text;
		const found = bgp(`local ${text}%'br-lan' as 1; neighbor ${text}%wg0 port 1790 as 2;`);
		expect(found, `seed ${random.seed}, round ${round}: ${text}`).toMatchObject({
			localAddress: expected,
			localAs: 1,
			neighborAddress: expected,
			interface: "wg0",
			neighborPort: 1790,
			neighborAs: 2,
		});
		shapes.add(text.replace(/[0-9a-f]+/gi, "x"));
	}
	for (const shape of ["::x", "x::", "::x:x", "x:x::x:x", "::x:x.x.x.x", "x:x::x.x.x.x", "x:x:x:x:x:x:x:x"])
		expect(shapes).toContain(shape);
});

test.each([
	["neighbor ::ffff:192.0.2.1 as 1;", "192.0.2.1"],
	["neighbor 192.168.001.002 as 1;", "192.168.1.2"],
	["neighbor 1:2:3 as 1;", undefined],
	["neighbor 1::2::3 as 1;", undefined],
	["neighbor 12345::1 as 1;", undefined],
	["neighbor 192.0.2.1:179 as 1;", undefined],
	["neighbor 300.0.0.1 as 1;", undefined],
])("%s", (line, expected) => {
	expect(bgp(line).neighborAddress).toBe(expected);
	expect(bgp(line).neighborAs).toBe(1);
});
