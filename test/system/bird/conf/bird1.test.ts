import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readBirdConfiguration } from "../../../../src/system/bird/conf/read-files.ts";
import { FakeFiles } from "../../../fakes/files.ts";
import { parse } from "./parse.ts";

test.each([
	["protocol bgp x { local as 1; neighbor 10.0.0.1 as 2; import all; export all; }", "import all"],
	["protocol kernel { persist; scan time 20; export all; }", "export all"],
	["protocol kernel { learn; export filter { accept; }; }", "export filter"],
	["protocol kernel { import none; }", "import none"],
	["template bgp t { export where source = RTS_STATIC; }", "export where"],
	["protocol bgp x { import limit 10 action block; }", "import limit"],
	["protocol bgp x { import keep filtered on; }", "import keep"],
	["protocol static { preference 100; route 10.0.0.0/8 reject; }", "preference 100"],
	["protocol ospf o { export none; area 0 { }; }", "export none"],
	["protocol bgp x { table lan; }", "table lan"],
	["table lan;", "table lan"],
	["roa table r { roa 10.0.0.0/8 max 24 as 1; }", "roa table"],
	["listen bgp address 10.0.0.1;", "listen bgp"],
])("BIRD 1: %s", (text, expected) => {
	expect(parse(text).onlyBird1).toBe(expected);
});

test.each([
	"",
	"ipv4 table lan; ipv6 table lan6 { gc period 1 s; }; roa4 table r4;",
	"protocol bgp x { ipv4 { import all; export where net.len > 8; import limit 9; table lan; preference 5; import table; }; }",
	"protocol bgp x { local as 1; neighbor 10.0.0.1 as 2; }",
	"protocol kernel { kernel table 100; ipv4 { table lan; export all; }; }",
	"protocol pipe { table lan; peer table master4; import all; export none; }",
	"protocol l3vpn { vpn4 { table v; }; import target all; export target [(rt, 1, 2)]; }",
	"protocol aggregator { table lan; peer table master4; export all; }",
	"protocol static { ipv4 { table lan; import filter { preference = 3; accept; }; }; route 10.0.0.0/8 blackhole { preference = 7; }; }",
	'protocol ospf v2 o { ipv4 { import all; export none; }; area 0 { interface "*" { }; }; }',
	'protocol direct { interface "*"; }',
	"filter f { if net.len > 8 then accept; preference = 3; reject; } function g(int table) { return table > 3; }",
	'protocol bgp x { description "import all"; } # export all;',
])("BIRD 2 and 3: %s", (text) => {
	expect(parse(text)).not.toHaveProperty("onlyBird1");
});

test.each(["article.conf", "odd.conf"])("%s is none of BIRD 1's", (name) => {
	const text = readFileSync(new URL(`../../../fixtures/bird-conf/${name}`, import.meta.url), "utf8");
	expect(parse(text)).not.toHaveProperty("onlyBird1");
});

test("a file for BIRD 1 is a problem of the file, said once", () => {
	const files = new FakeFiles(() => 0);
	files.set(
		"/etc/bird.conf",
		"protocol kernel { export all; }\nprotocol bgp x { import all; export all; }\n",
	);
	expect(readBirdConfiguration(files)).toMatchObject({
		problems: [
			'this is a file for BIRD 1, which alone takes "export all" here; BIRD 2 and 3 need channels (`ipv4 { … };`)',
		],
	});
});
