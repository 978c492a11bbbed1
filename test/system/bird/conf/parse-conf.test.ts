import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createPlatform } from "../../../../src/platform/node.ts";
import { parseBirdConfiguration } from "../../../../src/system/bird/conf/parse-conf.ts";
import { readBirdFile } from "../../../../src/system/bird/conf/read-files.ts";
import { parse } from "./parse.ts";

const fixtures = new URL("../../../fixtures/bird-conf/", import.meta.url);

// BIRD 3.1.8 and 2.17.6 accept both files (`bird -p`), so their oddities are the language's.
test.each(["article", "odd"])("reads %s.conf, what it includes as well", async (name) => {
	const { files } = await createPlatform();
	const expected = JSON.parse(readFileSync(new URL(`${name}.json`, fixtures), "utf8"));
	expect(readBirdFile(files, fileURLToPath(new URL(`${name}.conf`, fixtures)))).toMatchObject({
		configuration: expected,
		problems: [],
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
