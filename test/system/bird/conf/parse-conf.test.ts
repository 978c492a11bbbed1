import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createPlatform } from "../../../../src/platform/node.ts";
import { parseBirdConfiguration } from "../../../../src/system/bird/conf/parse-conf.ts";
import { readBirdFile } from "../../../../src/system/bird/conf/read-files.ts";

const fixtures = new URL("../../../fixtures/bird-conf/", import.meta.url);

function parse(text: string) {
	return parseBirdConfiguration({ path: "/etc/bird.conf", text });
}

/** The only BGP protocol of a file that holds these lines. */
function bgp(...lines: string[]) {
	const [protocol] = parse(`protocol bgp x {\n${lines.join("\n")}\n}`).bgp;
	if (!protocol) throw new Error("no BGP protocol");
	return protocol;
}

// BIRD 3.1.8 and 2.17.6 accept both files (`bird -p`), so their oddities are the language's.
test.each(["article", "odd"])("reads %s.conf, what it includes as well", async (name) => {
	const { files } = await createPlatform();
	const expected = JSON.parse(readFileSync(new URL(`${name}.json`, fixtures), "utf8"));
	expect(readBirdFile(files, fileURLToPath(new URL(`${name}.conf`, fixtures)))).toMatchObject({
		configuration: expected,
		problems: [],
	});
});

describe("what a BGP protocol says", () => {
	test.each([
		[
			"nothing",
			[],
			{ passive: false, gracefulRestart: "aware", bfd: "off", holdTime: 240, keepaliveTime: 80 },
		],
		["the last word", ["passive; passive off;"], { passive: false }],
		[
			"a switch by silence",
			["passive;", "graceful restart;", "bfd;"],
			{ passive: true, gracefulRestart: "on", bfd: "on" },
		],
		["a hold time", ["hold time 15;"], { holdTime: 15, keepaliveTime: 5 }],
		["multihop without a number", ["multihop;"], { multihop: 64 }],
		["multihop, then direct", ["multihop 2; direct;"], { multihop: false }],
		["external BGP, direct by default", ["local as 1; neighbor 10.0.0.1 as 2;"], { multihop: false }],
		["internal BGP, multihop by default", ["local as 1; neighbor 10.0.0.1 as 1;"], { multihop: 64 }],
		[
			"a port",
			["local as 1 port 1179; neighbor 10.0.0.1 port 179 as 2;"],
			{ localPort: 1179, neighborAs: 2 },
		],
		[
			"an address after an AS number",
			["local as 1;", "local 10.0.0.2;"],
			{ localAs: 1, localAddress: "10.0.0.2" },
		],
		["keys", ['keys { key { id 1; secret "x"; } };'], { password: true }],
		[
			"BFD, then options of it",
			["bfd graceful;", "bfd { multiplier 3; };"],
			{ bfd: "graceful", bfdOptions: { multiplier: 3 } },
		],
	])("%s", (_, lines, expected) => {
		expect(bgp(...lines)).toMatchObject(expected);
	});

	test("a value that could not be read is absent", () => {
		const protocol = bgp(
			"local as BASE + 1; hold time (2 * 3); passive maybe; neighbor HIM as 3; graceful restart what;",
		);
		for (const key of [
			"localAs",
			"holdTime",
			"keepaliveTime",
			"passive",
			"neighborAddress",
			"gracefulRestart",
			"multihop",
		])
			expect(protocol).not.toHaveProperty(key);
		expect(protocol).toMatchObject({ neighborAs: 3, bfd: "off" });
	});

	test("no secret is kept", () => {
		expect(JSON.stringify(bgp('password "hunter2"; keys { key { secret "hunter2"; } };'))).not.toContain(
			"hunter2",
		);
	});
});

describe("what is no BIRD configuration", () => {
	test.each([
		["nothing at all", ""],
		["another file", "interface eth0\n ip address 10.0.0.1/24\n!\n"],
		["braces that close too often", "} } protocol bgp a { passive; } }"],
		["a block without an end", "protocol bgp a { passive; ipv4 { import all"],
		["strings and comments without an end", 'define A = "x\n; protocol bgp a { passive; } /* '],
		["parentheses without an end", "define A = (((( ;protocol bgp a { passive; }"],
		["bytes of any kind", "\u0000\ufffd}{};'\"\n; protocol bgp a { passive; }"],
	])("never throws: %s", (_, text) => {
		const { bgp: found } = parse(text);
		expect(found.map(({ name, passive }) => ({ name, passive }))).toEqual(
			text.includes("protocol bgp a") ? [{ name: "a", passive: true }] : [],
		);
	});

	test("nested without limits costs no stack", () => {
		const many = 100_000;
		const text = `${"a {".repeat(many)}${"}".repeat(many)} define A = ${"(".repeat(many)}1${")".repeat(many)}; protocol bgp x { local as A; }`;
		expect(parse(text).bgp[0]?.localAs).toBe(1);
	});
});

test("an include that includes itself comes to an end", () => {
	const file = { path: "/a", text: 'router id 1.1.1.1;\ninclude "a";\nprotocol device { }\n' };
	expect(parseBirdConfiguration(file, () => [file])).toMatchObject({ routerId: "1.1.1.1", device: true });
});
