import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { TableForm, TableSpec } from "../../../src/model/table.ts";
import { parseCounters } from "../../../src/system/nft/counters-text.ts";
import { bareListing, isOwned, peersIn, portsIn } from "../../../src/system/nft/table-listing.ts";
import { renderTable, withMark } from "../../../src/system/nft/table-text.ts";

const any = {
	table: "custom_bgp",
	scope: "any",
	forwarded: false,
	bypassMark: "keep",
	routeMark: "keep",
	addresses: [],
	ports: [179],
} as const;

/** The lines of one chain, without indentation. */
function chain(text: string, name: string): string[] {
	const [, body = ""] = text.split(`chain ${name} {\n`);
	return (body.split("\n\t}")[0] ?? "").split("\n").map((line) => line.trim());
}

test("replaces the table, whatever was there, in one transaction", () => {
	expect(renderTable(any).split("\n").slice(0, 3)).toEqual([
		"table inet custom_bgp",
		"delete table inet custom_bgp",
		"table inet custom_bgp {",
	]);
});

test("an owned table has both flags, never one, and replaces whatever is there", () => {
	const lines = renderTable(any, { owned: true, former: ["old"] }).split("\n");
	expect(lines.slice(0, 4)).toEqual([
		"destroy table inet old",
		"destroy table inet custom_bgp",
		"table inet custom_bgp {",
		"\tflags owner, persist;",
	]);
	expect(renderTable(any, { destroy: true })).not.toMatch(/owner|persist/);
	expect(renderTable(any, { destroy: true }).split("\n")[0]).toBe("destroy table inet custom_bgp");
});

describe("a listing", () => {
	const rest = "\tchain raw_pre {\n\t\ttcp dport 179 counter notrack\n\t}\n}\n";
	const plain = `table inet custom_bgp {\n${rest}`;
	test.each([
		["has an owner", "table inet custom_bgp { # progname nft\n\tflags owner,persist\n\n", true],
		["had an owner", "table inet custom_bgp {\n\tflags persist\n\n", false],
		["has none", "table inet custom_bgp {\n", false],
	])("says the same of a table that %s", (_, head, owned) => {
		expect(bareListing(head + rest)).toBe(plain);
		expect(isOwned(head + rest, plain)).toBe(owned);
	});

	test("is the owner's own with its mark only", () => {
		const [mine, other] = ["0123abcd", "4567cdef"].map((mark) =>
			withMark(renderTable(any, { owned: true }), mark),
		);
		const listing = mine?.replace(/^.*\n/, "").replace("owner, persist;", "owner,persist") ?? "";
		expect(isOwned(listing, mine ?? "")).toBe(true);
		expect(isOwned(listing, other ?? "")).toBe(false);
	});

	test("does not hide other flags", () => {
		const dormant = `table inet custom_bgp {\n\tflags dormant\n\n${rest}`;
		expect(bareListing(dormant)).toBe(dormant);
	});
});

test("covers BGP both ways and BFD in prerouting, output and input", () => {
	const text = renderTable(any);
	for (const [name, verdict] of [
		["raw_pre", "notrack"],
		["raw_out", "notrack"],
		["filter_input", "accept"],
	] as const) {
		const rules = chain(text, name).join("\n");
		for (const match of [
			"tcp dport 179",
			"tcp sport 179",
			"udp dport 3784",
			"udp dport 3785",
			"udp dport 4784",
		])
			expect(rules).toContain(`\n${match} counter ${verdict} comment "bgpwarden: `);
	}
	expect(chain(text, "raw_pre")[0]).toBe("type filter hook prerouting priority raw; policy accept;");
	expect(chain(text, "raw_out")[0]).toBe("type filter hook output priority raw; policy accept;");
	expect(chain(text, "filter_input")[0]).toBe("type filter hook input priority filter; policy accept;");
});

test("the peers of a listing are those it was rendered with", () => {
	const addresses = ["192.168.1.2", "192.168.1.3", "fd00:1::2"];
	// As the kernel lists it: like the rendered text, without the lines that take the old table away.
	const listing = renderTable({ ...any, scope: "peers", addresses })
		.split("\n")
		.slice(2)
		.join("\n");
	expect(peersIn(listing)).toEqual(addresses);
	expect(peersIn(renderTable(any))).toEqual([]);
});

describe("a table with ranges and three ports, as the kernel lists it", () => {
	const listing = readFileSync(
		new URL("../../fixtures/nft/nft-1.1.3-table-peers-ranges.txt", import.meta.url),
		"utf8",
	);

	test("has the ports", () => {
		expect(portsIn(listing)).toEqual([179, 1790, 1791]);
		expect(portsIn(renderTable({ ...any, ports: [179, 1790] }))).toEqual([179, 1790]);
		expect(portsIn(renderTable(any))).toEqual([179]);
		expect(portsIn("table inet custom_bgp {\n\tchain mine {\n\t\ttcp dport 22 accept\n\t}\n}\n")).toEqual([]);
	});

	test("has the peers, some of them in one", () => {
		expect(peersIn(listing)).toEqual(
			["10.0.0.0/8", "172.16.0.2/31", "172.17.0.4/31", "172.18.0.7", "192.168.1.0/24"].concat([
				"fd00::/64",
				"fd00:1::/64",
				"fd00:2::2",
			]),
		);
	});

	test("is rendered again from its own words", () => {
		const again = (peers: string[]) => renderTable({ ...any, scope: "peers", addresses: peers });
		expect(again(peersIn(listing))).toContain("flags interval; auto-merge;");
		// Three neighbors in a row.
		expect(again(["192.168.1.2-192.168.1.4"])).toContain(
			"flags interval; auto-merge;\n\t\telements = { 192.168.1.2-192.168.1.4 }",
		);
	});

	test("has its packets counted over all ports and both families", () => {
		let packets = 0;
		const counted = listing.replace(/counter packets 0 /g, () => `counter packets ${++packets} `);
		// raw_pre: 1 and 6 to BGP's ports, 3 and 8 single hop, 5 and 10 multihop; raw_out begins with 11.
		expect(parseCounters(counted)).toEqual({
			bgp: 7,
			singleHopBfd: 11,
			multihopBfd: 15,
			sentSingleHopBfd: 31,
			sentMultihopBfd: 35,
		});
	});
});

test("every rule says whose it is", () => {
	const all = { ...any, bypassMark: 1, routeMark: 0 } as const;
	for (const options of [any, all, { ...all, forwarded: true }, { ...all, scope: "peers" } as const])
		for (const name of ["raw_pre", "raw_out", "route_out", "filter_input"])
			for (const rule of chain(renderTable(options), name).slice(1))
				expect(rule).toMatch(/ comment "bgpwarden: [^"]+"$/);
});

test("traces handshakes only, and not too many", () => {
	const traced = renderTable(any)
		.split("\n")
		.filter((line) => line.includes("nftrace"));
	expect(traced).toHaveLength(4);
	for (const line of traced)
		expect(line).toMatch(
			/tcp flags & \(fin\|syn\|rst\) != 0 limit rate 10\/second burst 20 packets meta nftrace set 1/,
		);
});

test("peers are traced apart where others send SYNs without end", () => {
	const text = renderTable({ ...any, traced: ["192.168.1.2", "192.168.9.0/24", "fd00::2"] });
	const traced = text.split("\n").filter((line) => line.includes("nftrace"));
	expect(traced).toHaveLength(12);
	expect(traced.filter((line) => /^\t\tip6? [sd]addr @peers[46] tcp /.test(line))).toHaveLength(8);
	expect(text).toContain("flags interval; auto-merge;\n\t\telements = { 192.168.1.2, 192.168.9.0/24 }");
	// Nothing else depends on who the peers are.
	expect(text.split("\n").filter((line) => /@peers/.test(line) && !line.includes("nftrace"))).toEqual([]);
});

describe("flows that pass through the router", () => {
	test("are left alone", () => {
		const rules = chain(renderTable(any), "raw_pre");
		const local = rules.findIndex((rule) => rule.startsWith("fib daddr type != local return"));
		const first = rules.findIndex((rule) => rule.includes("notrack"));
		expect(local).toBeGreaterThan(0);
		expect(local).toBeLessThan(first);
	});

	test("are covered with option forwarded", () => {
		expect(renderTable({ ...any, forwarded: true })).not.toContain("fib ");
	});
});

describe("marks", () => {
	const marked = { ...any, bypassMark: 0x2024, routeMark: 0 } as const;

	test("BGP and BFD carry the bypass mark from the first chain on, both ways", () => {
		for (const name of ["raw_pre", "raw_out"]) {
			const rules = chain(renderTable(marked), name).join("\n");
			for (const match of ["tcp dport 179", "tcp sport 179", "udp dport 3784", "udp dport 4784"])
				expect(rules).toContain(`\n${match} counter meta mark set 0x00002024 notrack comment "`);
		}
	});

	test("the router's own packets get the route mark after everybody's mangle chains", () => {
		const [hook, ...rules] = chain(renderTable(marked), "route_out");
		expect(hook).toBe("type route hook output priority -90; policy accept;");
		expect(rules).toHaveLength(5);
		for (const rule of rules) expect(rule).toContain(" meta mark set 0x00000000 comment");
		const main = renderTable({ ...marked, routeMark: 0x80000 });
		expect(chain(main, "route_out").join("\n")).toContain("tcp dport 179 meta mark set 0x00080000 ");
	});

	test("what merely passes through keeps its marks, with option forwarded too", () => {
		const rules = chain(renderTable({ ...marked, forwarded: true }), "raw_pre");
		const marking = rules.filter((rule) => rule.includes("meta mark set"));
		expect(marking).toHaveLength(5);
		for (const rule of marking)
			expect(rule).toMatch(/ fib daddr type local meta mark set 0x00002024 comment/);
		expect(rules.filter((rule) => rule.includes("notrack"))).toHaveLength(5);
	});

	test("keep sets none", () => {
		const text = renderTable(any);
		expect(text).not.toContain("meta mark");
		expect(text).not.toContain("route_out");
	});
});

test("scope peers narrows every rule to the peers' addresses", () => {
	const addresses = ["192.168.1.2", "192.168.1.2", "10.0.0.1", "fd00:1::2"];
	const text = renderTable({ ...any, bypassMark: 1, routeMark: 0, scope: "peers", addresses });
	expect(text).toContain("\tset peers4 {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1, 192.168.1.2 }\n\t}");
	expect(text).toContain("\tset peers6 {\n\t\ttype ipv6_addr\n\t\telements = { fd00:1::2 }\n\t}");
	for (const rule of text.split("\n").filter((line) => /counter|nftrace|mark/.test(line)))
		expect(rule).toMatch(/^\t\tip6? [sd]addr @peers[46] /);
	expect(renderTable({ ...any, scope: "peers" })).not.toContain("elements");
});

test("a mark stands in one comment and can be taken away again", () => {
	const text = renderTable(any);
	const marked = withMark(text, "0123abcd");
	expect(marked.match(/ \(run 0123abcd\)"/g)).toHaveLength(1);
	expect(bareListing(marked)).toBe(text);
	expect(bareListing(text)).toBe(text);
});

const defaults: TableSpec = { ...any, bypassMark: 0x2024, routeMark: 0 };
const addresses = ["192.168.1.3", "192.168.1.2", "fd00:1::2"];

/** The whole text for each option that shapes the table; `npx vitest -u` writes the files anew. */
test.each<[string, TableSpec, TableForm?]>([
	["defaults", defaults],
	["table", { ...defaults, table: "bgp" }],
	["scope-peers", { ...defaults, scope: "peers", addresses }],
	["scope-peers-without-peers", { ...defaults, scope: "peers" }],
	["scope-peers-ranges", { ...defaults, scope: "peers", addresses: [...addresses, "192.168.1.0/24"] }],
	["ports", { ...defaults, ports: [179, 1790] }],
	["ports-forwarded", { ...defaults, ports: [179, 1790], forwarded: true }],
	["forwarded", { ...defaults, forwarded: true }],
	["forwarded-bypass-mark-keep", { ...defaults, forwarded: true, bypassMark: "keep" }],
	["bypass-mark", { ...defaults, bypassMark: 0x64 }],
	["bypass-mark-keep", { ...defaults, bypassMark: "keep" }],
	["route-mark", { ...defaults, routeMark: 0x80000 }],
	["route-mark-keep", { ...defaults, routeMark: "keep" }],
	["form-owned", defaults, { owned: true }],
	["form-owned-former", defaults, { owned: true, former: ["old_bgp"] }],
	["form-destroy", defaults, { destroy: true }],
	["form-former", defaults, { former: ["old_bgp"] }],
])("the table for %s", async (name, spec, form) => {
	await expect(renderTable(spec, form)).toMatchFileSnapshot(`../../fixtures/rendered-table/${name}.nft`);
});
