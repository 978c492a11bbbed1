import type { Counters } from "../../../src/model/inspection.ts";
import type { Hop, TracedPacket } from "../../../src/model/packet-trace.ts";
import { parseCounters } from "../../../src/system/nft/counters-text.ts";
import { type MonitorItem, MonitorParser, type Transaction } from "../../../src/system/nft/monitor-text.ts";
import { parseHandles } from "../../../src/system/nft/rule-handles.ts";
import { bareListing, isOwned, peersIn, portsIn } from "../../../src/system/nft/table-listing.ts";
import { isTraceLine, parseTraceLine, type TraceLine } from "../../../src/system/nft/trace-text.ts";
import { captures, lines, pieces } from "../captures.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";

const NFT = captures("nft", /\.txt$/);
const MONITOR = pieces(captures("nft", /monitor.*\.txt$/), 10);
const TRACES = lines(captures("nft", /trace.*(?<!rules)\.txt$/));
const LISTINGS = [...captures("rendered-table", /\.nft$/), ...captures("nft", /table-peers.*\.txt$/)];
const COUNTED = `table inet x {\n\tchain raw_pre {\n${["tcp dport 179", "udp dport 3784", "udp dport 4784"]
	.map((match) => `\t\t${match} counter packets 5 bytes 300 notrack\n`)
	.join("")}\t}\n}\n`;
const SMALL = `table inet custom_bgp { # progname nft\n\tflags owner,persist\n\n\tset peers4 {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.0/8, 172.16.0.2/31,\n\t\t\t     192.168.1.2 }\n\t}\n\n\tset peers6 {\n\t\ttype ipv6_addr\n\t\telements = { fd00::/64 }\n\t}\n\n\tchain raw_pre {\n\t\ttcp dport { 179, 1790 } notrack comment "x (run 0123abcd)"\n\t}\n}\n`;

const transaction = is.shape<Transaction>({
	pid: is.pid,
	process: is.text,
	touch: is.oneOf("none", "deleted", "changed"),
	marked: is.flag,
	tables: is.list(is.matching(/^\S+ \S+$/), 8),
	firewall: is.maybe(is.oneOf("there", "missing")),
});
const item = is.byKind<MonitorItem>("kind", {
	transaction: is.shape({ kind: is.oneOf("transaction"), transaction }),
	gap: is.shape({ kind: is.oneOf("gap") }),
	garbage: is.shape({ kind: is.oneOf("garbage"), text: is.some }),
});
const packet = is.shape<TracedPacket>({
	protocol: is.oneOf("tcp", "udp"),
	iif: is.maybe(is.some),
	oif: is.maybe(is.some),
	source: is.address,
	destination: is.address,
	sourcePort: is.anyPort,
	destinationPort: is.anyPort,
	flags: is.list(is.oneOf("fin", "syn", "rst", "ack"), 4),
});
const hop = is.shape<Hop>({
	family: is.some,
	table: is.some,
	chain: is.some,
	rule: is.maybe(is.text),
	handle: is.maybe(is.handle),
	verdict: is.text,
	target: is.maybe(is.some),
	policy: is.maybe(is.flag),
	mark: is.maybe(is.mark),
});
const traceLine = is.byKind<TraceLine>("kind", {
	packet: is.shape({ id: is.text, kind: is.oneOf("packet"), chain: is.some, packet }),
	hop: is.shape({ id: is.text, kind: is.oneOf("hop"), hop }),
	other: is.shape({ id: is.text, kind: is.oneOf("other") }),
});
const counters = is.shape<Counters>({
	bgp: is.count,
	singleHopBfd: is.count,
	multihopBfd: is.count,
	sentSingleHopBfd: is.maybe(is.count),
	sentMultihopBfd: is.maybe(is.count),
});

export const NFT_TEXT: readonly Parser[] = [
	parser({
		name: "MonitorParser",
		seeds: [...MONITOR, ...pieces(NFT, 6)],
		parse: (text) => {
			const monitor = new MonitorParser("custom_bgp", "run 0123abcd");
			return text.split("\n").flatMap((line) => monitor.line(line) ?? []);
		},
		check: is.list(item),
		limit: 1 << 20,
		shapes: [
			"add rule inet t§ x y\n",
			"add table inet custom_bgp\n",
			"# new generation 4 by process 1 (nft)\n",
			"# new generation 4 by process 1 (",
			"add ",
		],
	}),
	parser({
		name: "parseTraceLine",
		seeds: [
			...TRACES,
			"trace id 345f56bb inet fw4 input unknown rule handle 9 (verdict jump input_lan)",
			"trace id 345f56bb inet fw4 input policy drop meta mark 0x00000001",
			'trace id 2a5c9def ip6 x pre packet: iif "br-lan" ip6 saddr fd00::2 ip6 daddr fd00::1 tcp sport 34758 tcp dport 179 tcp flags == 0x12 tcp window 64240 ',
		],
		parse: (text) => [parseTraceLine(text), isTraceLine(text)] as const,
		check: (value) => {
			const [line, isOne] = value as readonly [unknown, boolean];
			return (line === undefined) === isOne ? "told in two ways" : is.orAbsent(traceLine)(line);
		},
		limit: 65_536,
		shapes: [
			...[" (verdict a", " (verdict a b", " (verdict accept)", " meta mark 0x1 ", " meta mark 0x1", 'iif "'],
			...["ip saddr a ", "ip saddr a ip daddr ", "tcp sport 1 ", "tcp flags == a ", " counter packets 1"],
		].map((repeated) => ({ start: "trace id a inet b c rule ", repeated })),
	}),
	parser({
		name: "parseTraceLine of packets",
		seeds: TRACES.filter((line) => line.includes(" packet: ")),
		parse: parseTraceLine,
		check: is.orAbsent(traceLine),
		limit: 65_536,
		shapes: [
			"ip saddr a ",
			"ip saddr 1.1.1.1 ip daddr ",
			"tcp sport 1 ",
			"tcp flags == a ",
			'iif "',
			"tcp ",
		].map((repeated) => ({ start: "trace id a inet b c packet: ", repeated })),
	}),
	parser({
		name: "parseHandles",
		seeds: [...pieces(captures("nft", /rules\.txt$/), 8), "\t\ttcp dport 179 drop # handle 9\n"],
		parse: parseHandles,
		check: is.mapOf(is.handle, is.text),
		limit: 262_144,
		shapes: [
			"\t\ta # handle 1",
			"\t\ta # handle §\n",
			"\t\ta counter packets 1 bytes 1 # handle 1\n",
			" # handle 1",
		],
	}),
	parser({
		name: "parseCounters",
		seeds: [COUNTED, ...LISTINGS.slice(0, 3)],
		parse: parseCounters,
		check: is.orAbsent(counters),
		limit: 262_144,
		shapes: [
			"\n\tchain raw_pre {\n",
			"\n\tchain raw_pre {\n\t}",
			{ start: "\n\tchain raw_pre {\n", repeated: "tcp dport  counter packets 1" },
			{ start: "\n\tchain raw_pre {\n", repeated: "\ttcp dport 1 counter packets 1 bytes\n", end: "\n\t}" },
		],
	}),
	parser({
		name: "bareListing",
		seeds: [SMALL, SMALL, ...LISTINGS],
		parse: bareListing,
		check: is.text,
		limit: 262_144,
		shapes: [' (run 0123abcd)"', " (run ", { start: "table inet x {", repeated: "\n\tflags owner" }],
	}),
	parser({
		name: "isOwned",
		seeds: [SMALL, ...LISTINGS.slice(0, 2)],
		parse: (text) => isOwned(text, text),
		check: is.flag,
		limit: 262_144,
		shapes: ["table inet ", { start: "table inet x {", repeated: "\n\tflags owner" }],
	}),
	parser({
		name: "peersIn",
		seeds: [SMALL, SMALL, ...captures("nft", /table-peers.*\.txt$/)],
		parse: peersIn,
		check: is.list(is.either(is.address, is.prefix)),
		limit: 262_144,
		shapes: [
			"\n\tset peers4 {",
			"\n\tset peers4 {elements = {",
			"\n\tset peers4 {}",
			"\n\tset peers4 {elements = {1.1.1.1}",
			{ start: "\n\tset peers4 {", repeated: "elements = {" },
			{ start: "\n\tset peers4 {elements = {", repeated: "1.1.1.1, ", end: "}" },
		],
	}),
	parser({
		name: "portsIn",
		seeds: [SMALL, ...LISTINGS.slice(0, 4)],
		parse: portsIn,
		check: is.list(is.port),
		limit: 262_144,
		shapes: [
			"\n\tchain raw_pre {\n",
			{ start: "\n\tchain raw_pre {\n", repeated: "tcp dport {" },
			{ start: "\n\tchain raw_pre {\n", repeated: "tcp dport {", end: "\n\t}" },
			{ start: "\n\tchain raw_pre {\n", repeated: "tcp dport 1", end: "\n\t}" },
			{ start: "\n\tchain raw_pre {\ntcp dport {", repeated: "1, ", end: "} \n\t}" },
		],
	}),
];
