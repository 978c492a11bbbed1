import { expect, test } from "vitest";
import { lastBgp, parse } from "./parse.ts";

/** The channels of a protocol with these lines, under a template with the others. */
function channels(own: string, template = "", options = "local as 1; neighbor 10.0.0.1 as 2;") {
	return lastBgp(`template bgp t { ${template} } protocol bgp x from t { ${options} ${own} }`).channels;
}

test.each([
	["a limit", "import limit 3 action restart;", { importLimit: { limit: 3, action: "restart" } }],
	["a limit without an action", "import limit 3;", { importLimit: { limit: 3, action: "disable" } }],
	[
		"limits of every direction",
		"receive limit 9 action warn; import limit 0 action block; export limit 7 action disable;",
		{
			receiveLimit: { limit: 9, action: "warn" },
			importLimit: { limit: 0, action: "block" },
			exportLimit: { limit: 7, action: "disable" },
		},
	],
	["a limit that is not known", "import limit (f()) action block;", { importLimit: { action: "block" } }],
	[
		"what BIRD takes for an external neighbor",
		"",
		{ gateway: "direct", nextHopSelf: false, nextHopKeep: false, mandatory: false, importTable: false },
	],
	["a gateway", "gateway recursive;", { gateway: "recursive" }],
	["next hops", "next hop self ebgp; next hop keep;", { nextHopSelf: "ebgp", nextHopKeep: true }],
	["switches", "mandatory; import table on;", { mandatory: true, importTable: true }],
	[
		"filters, and no options that begin like them",
		"import where net.len > 8; export filter f; import keep filtered; export table; export settle time 1 s 2 s; import table;",
		{ import: "where net.len > 8", export: "filter f" },
	],
	["BIRD 3's subprefix", "export in 10.0.0.0/8 all;", { export: "in 10.0.0.0/8 all" }],
])("%s", (_, lines, expected) => {
	expect(channels(`ipv4 { ${lines} };`)).toMatchObject([{ family: "ipv4", ...expected }]);
});

test("a channel's name between quotes is a text, and no channel", () => {
	expect(channels('"ipv6"; ipv4;').map(({ family }) => family)).toEqual(["ipv4"]);
});

test("a template's channel is changed, not replaced", () => {
	const template = "ipv4 { import limit 5 action block; export none; gateway recursive; next hop self; };";
	expect(channels("ipv4 { export all; import limit 6; };", template)).toMatchObject([
		{
			export: "all",
			importLimit: { limit: 6, action: "disable" },
			gateway: "recursive",
			nextHopSelf: true,
		},
	]);
	expect(channels("ipv4 { import limit off; };", template)[0]).not.toHaveProperty("importLimit");
});

test.each([
	[
		"internal",
		"local as 1; neighbor 10.0.0.1 as 1;",
		{ import: "all", export: "none", gateway: "recursive" },
	],
	["multihop", "local as 1; multihop; neighbor 10.0.0.1 as 2;", { gateway: "recursive" }],
	["a reflected client", "rr client; local as 1; neighbor 10.0.0.1 as 1;", { nextHopKeep: "ibgp" }],
	["a route server's client", "rs client; local as 1; neighbor 10.0.0.1 as 2;", { nextHopKeep: true }],
])("what BIRD takes where the session is %s", (_, options, expected) => {
	expect(channels("ipv4;", "", options)).toMatchObject([expected]);
});

test("what depends on an AS number that is not known is not known", () => {
	expect(channels("ipv4;", "", "local as f(); neighbor 10.0.0.1 as 2;")[0]).toEqual({
		family: "ipv4",
		nextHopSelf: false,
		nextHopKeep: false,
		mandatory: false,
		extendedNextHop: false,
		importTable: false,
	});
});

test("a limit that restarts disables where an error disables", () => {
	const limited = "ipv4 { import limit 5 action restart; };";
	expect(channels(`disable after error; ${limited}`)[0]?.importLimit).toEqual({
		limit: 5,
		action: "disable",
	});
	expect(channels(limited)[0]?.importLimit).toEqual({ limit: 5, action: "restart" });
});

test("other protocols' channels have none of BGP's options", () => {
	expect(parse("protocol kernel { ipv4 { export all; export limit 9; }; }").kernel).toEqual([
		{
			name: "kernel1",
			disabled: false,
			channels: [{ family: "ipv4", export: "all", exportLimit: { limit: 9, action: "disable" } }],
		},
	]);
});

test.each([
	["merge paths;", true],
	["merge paths on;", true],
	["merge paths yes limit 4;", true],
	["merge paths limit 4;", true],
	["merge paths off;", undefined],
	["merge paths; merge paths no;", undefined],
	["", undefined],
])("protocol kernel with '%s'", (option, merged) => {
	expect(parse(`protocol kernel { ipv4; ${option} }`).kernel[0]?.mergePaths).toBe(merged);
});
