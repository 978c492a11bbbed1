import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Flow } from "../../../src/model/flow.ts";
import { filterOf, staleHint } from "../../../src/system/conntrack/delete-filter.ts";
import { parseFlow } from "../../../src/system/conntrack/flow-text.ts";
import { type IsLocal, localAddresses } from "../../../src/system/kernel/local-addresses.ts";

const directory = new URL("../../fixtures/conntrack/", import.meta.url);

function fixture(name: string): string {
	return readFileSync(new URL(name, directory), "utf8");
}

function flows(name: string): Flow[] {
	return fixture(name)
		.split("\n")
		.flatMap((line) => parseFlow(line) ?? []);
}

const isLocal = localAddresses(fixture("linux-6.18-fib_trie.txt"), fixture("linux-6.18-if_inet6.txt"));
const bySourcePort = (a: Flow, b: Flow) => a.original.sourcePort - b.original.sourcePort;

describe("parseFlow", () => {
	// Each version's `-L` and `-L -o extended`, and the kernel's own list: all of the same entries.
	const captures = readdirSync(directory).filter((name) => /^conntrack-|-nf_conntrack\.txt$/.test(name));

	it.each(captures)("reads %s", (name) => {
		expect(flows(name).sort(bySourcePort)).toEqual(JSON.parse(fixture("flows.json")));
	});

	it("does without fields that are not there", () => {
		const line =
			"tcp 6 src=192.168.1.2 dst=192.168.1.1 sport=1 dport=179 src=192.168.1.1 dst=192.168.1.2 sport=179 dport=1";
		expect(parseFlow(line)).toEqual({
			family: "ipv4",
			protocol: "tcp",
			unreplied: false,
			assured: false,
			original: { source: "192.168.1.2", destination: "192.168.1.1", sourcePort: 1, destinationPort: 179 },
			reply: { source: "192.168.1.1", destination: "192.168.1.2", sourcePort: 179, destinationPort: 1 },
		});
	});

	it("steps over counters", () => {
		const line =
			"ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 packets=3 bytes=4 " +
			"src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 packets=5 bytes=6 [ASSURED] mark=0 zone=3 use=1 id=9";
		expect(parseFlow(line)).toMatchObject({ zone: 3, assured: true, state: "ESTABLISHED" });
	});

	it.each([
		"",
		"conntrack v1.4.8 (conntrack-tools): 6 flow entries have been shown.",
		"ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=179 src=10.0.0.2 dst=10.0",
		"ipv4 2 tcp 6 9 CLOSE src=10.0.0.1 dst=fd00::1 sport=1 dport=179 src=fd00::1 dst=10.0.0.1 sport=1 dport=2",
		"ipv4 2 tcp 6 9 CLOSE src=a dst=b sport=1 dport=179 src=b dst=a sport=179 dport=1",
		"ipv4 2 tcp 6 9 CLOSE src=10.0.0.1 dst=10.0.0.2 sport=1 dport=99999 src=10.0.0.2 dst=10.0.0.1 sport=1 dport=1",
		"\ufffd\u0000 tcp",
	])("refuses %j", (line) => {
		expect(parseFlow(line)).toBeUndefined();
	});
});

describe("localAddresses", () => {
	it.each(["192.168.1.1", "192.168.9.1", "127.0.0.1", "127.3.4.5", "::1", "fe80::1", "fd00:1::1"])(
		"%s is the router's",
		(address) => {
			expect(isLocal(address)).toBe(true);
		},
	);

	it.each(["192.168.1.0", "192.168.1.2", "192.168.1.255", "128.0.0.1", "fd00:1::2", "::", ""])(
		"%s is not",
		(address) => {
			expect(isLocal(address)).toBe(false);
		},
	);

	it("does without IPv6", () => {
		expect(localAddresses(fixture("linux-6.18-fib_trie.txt"), "")("192.168.1.1")).toBe(true);
	});
});

const stale = (flows: readonly Flow[], own: IsLocal) =>
	flows.filter((flow) => filterOf(flow, own, [179]) !== undefined);

describe("what is stale", () => {
	const all = flows("linux-6.18-nf_conntrack.txt");
	const ports = (selected: Flow[]) => selected.map((flow) => flow.original.sourcePort).sort();

	it("takes what ends here, ghost included, and leaves what passes through or is no BGP", () => {
		expect(ports(stale(all, isLocal))).toEqual([49152, 49153, 60782, 60783, 60784, 60785]);
	});

	it("takes nothing on a router that has other addresses", () => {
		expect(stale(all, () => false)).toEqual([]);
	});

	const flow = (protocol: "tcp" | "udp", sourcePort: number, destinationPort: number): Flow => ({
		family: "ipv4",
		protocol,
		unreplied: false,
		assured: false,
		original: { source: "192.168.1.2", destination: "192.168.1.1", sourcePort, destinationPort },
		reply: { source: "192.168.1.1", destination: "192.168.1.2", sourcePort: 7, destinationPort: 8 },
	});

	it.each([
		["tcp", 1000, 179, true],
		["tcp", 179, 1000, true],
		["tcp", 1000, 3784, false],
		["udp", 1000, 179, false],
		["udp", 1000, 3784, true],
		["udp", 3785, 3785, true],
		["udp", 4784, 1000, true],
		["udp", 1000, 4785, false],
	] as const)("%s %i to %i: %s", (protocol, source, destination, isStale) => {
		expect(stale([flow(protocol, source, destination)], isLocal)).toHaveLength(isStale ? 1 : 0);
	});

	it("takes a session that was redirected to BGP's port", () => {
		const redirected = flow("tcp", 1000, 1790);
		const reply = { ...redirected.reply, sourcePort: 179 };
		expect(stale([{ ...redirected, reply }], isLocal)).toHaveLength(1);
	});

	it("leaves another port of the router alone that is forwarded to BGP's on a node", () => {
		const forwarded = flow("tcp", 1000, 8179);
		const reply = { ...forwarded.reply, source: "192.168.1.9", sourcePort: 179 };
		expect(stale([{ ...forwarded, reply }], isLocal)).toHaveLength(0);
	});
});

describe("filterOf", () => {
	it("is one for all flows of a kind", () => {
		const filters = new Set(
			flows("linux-6.18-nf_conntrack.txt").map((flow) => filterOf(flow, isLocal, [179])),
		);
		expect([...filters].sort()).toEqual([
			"-f ipv4 -p tcp --orig-dst 192.168.1.1 --orig-port-dst 179",
			"-f ipv4 -p tcp --orig-src 192.168.1.1 --orig-port-dst 179",
			"-f ipv4 -p udp --orig-src 192.168.1.1 --orig-port-dst 4784",
			"-f ipv6 -p tcp --orig-dst fd00:1::1 --orig-port-dst 179",
			"-f ipv6 -p udp --orig-dst fe80::1 --orig-port-dst 3784",
			undefined,
		]);
	});
});

describe("staleHint", () => {
	it("lets no stale flow by", () => {
		for (const line of fixture("linux-6.18-nf_conntrack.txt").split("\n")) {
			const flow = parseFlow(line);
			if (flow && filterOf(flow, isLocal, [179]) !== undefined)
				expect(staleHint([179]).test(line), line).toBe(true);
		}
	});

	it("spares the parsing of others", () => {
		const line = "tcp 6 9 src=1.1.1.1 dst=2.2.2.2 sport=1790 dport=443";
		expect(staleHint([179]).test(line)).toBe(false);
		expect(staleHint([179, 1790]).test(line)).toBe(true);
	});
});

describe("with other ports of BGP", () => {
	const ports = [179, 1790];
	const line = (sport: number, dport: number, reply = dport) =>
		`ipv4 2 tcp 6 57 ESTABLISHED src=192.168.1.2 dst=192.168.1.1 sport=${sport} dport=${dport} src=192.168.1.1 dst=192.168.1.2 sport=${reply} dport=${sport} [ASSURED] use=1`;
	const filter = (text: string, of = ports) => {
		const flow = staleHint(of).test(text) ? parseFlow(text) : undefined;
		return flow && filterOf(flow, isLocal, of);
	};

	it.each([
		[line(40000, 179), "--orig-port-dst 179"],
		[line(40000, 1790), "--orig-port-dst 1790"],
		[line(1790, 40000), "--orig-port-src 1790"],
		// A proxy has redirected it to BGP's port.
		[line(40000, 80, 1790), "--reply-port-src 1790"],
	])("%s is stale", (text, end) => {
		expect(filter(text)).toBe(`-f ipv4 -p tcp --orig-dst 192.168.1.1 ${end}`);
	});

	it.each([
		line(40000, 17900),
		line(40000, 790),
		line(40000, 11790),
		line(40000, 1790).replaceAll("tcp 6", "udp 17"),
		line(40000, 1790).replaceAll("192.168.1.1 ", "203.0.113.9 "),
	])("%s is not", (text) => {
		expect(filter(text)).toBeUndefined();
	});

	it("is a matter of these ports only", () => {
		expect(filter(line(40000, 1790), [179])).toBeUndefined();
	});
});
