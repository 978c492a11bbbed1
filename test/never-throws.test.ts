import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseArguments } from "../src/cli/arguments.ts";
import { parseEventLine, renderEvent } from "../src/cli/text/event-lines.ts";
import { parseConfig } from "../src/config/load.ts";
import { parseAddress } from "../src/lib/address.ts";
import { parsePrefix, prefixContains } from "../src/lib/prefix.ts";
import { parseUci } from "../src/lib/uci.ts";
import { effectOfRule } from "../src/model/rule-effect.ts";
import { parseBirdConfiguration } from "../src/system/bird/conf/parse-conf.ts";
import { parseLastError } from "../src/system/bird/last-error.ts";
import { parseBfd } from "../src/system/bird/parse-bfd.ts";
import { parseKinds, parseProtocols } from "../src/system/bird/parse-protocols.ts";
import { parseConfigured, parseGreeting, parseReply } from "../src/system/bird/replies.ts";
import { parseSince } from "../src/system/bird/since.ts";
import { filterOf } from "../src/system/conntrack/delete-filter.ts";
import { parseFlow } from "../src/system/conntrack/flow-text.ts";
import { parseRequest } from "../src/system/control/request.ts";
import { commandLine, parseStat, threadGroup } from "../src/system/kernel/actor.ts";
import { parseNeighbor, parseNoRoute, parseRoute } from "../src/system/kernel/ip-text.ts";
import { parseListeners } from "../src/system/kernel/listeners.ts";
import { hostIn, parseConnected4, parseConnected6 } from "../src/system/kernel/networks.ts";
import { parseCounters } from "../src/system/nft/counters-text.ts";
import { MonitorParser } from "../src/system/nft/monitor-text.ts";
import { parseHandles } from "../src/system/nft/rule-handles.ts";
import { parseRuleset } from "../src/system/nft/ruleset-json.ts";
import { bareListing, isOwned, peersIn, portsIn } from "../src/system/nft/table-listing.ts";
import { parseTraceLine } from "../src/system/nft/trace-text.ts";
import { parseFirewall } from "../src/system/openwrt/firewall.ts";
import { parseServiceEvent, parseServiceList } from "../src/system/openwrt/service-events.ts";
import {
	parseComplaint,
	parseEvent,
	parseReply as parseUbusReply,
} from "../src/system/openwrt/service-messages.ts";
import { FakeFiles } from "./fakes/files.ts";
import { Random } from "./random.ts";

/** Inputs for each parser. */
const ROUNDS = 1500;

function fixtures(folder: string, pattern: RegExp): string[] {
	const directory = new URL(`fixtures/${folder}/`, import.meta.url);
	return readdirSync(directory, { withFileTypes: true })
		.filter((entry) => entry.isFile() && pattern.test(entry.name))
		.map(({ name }) => readFileSync(new URL(name, directory), "utf8"));
}

const lines = (texts: readonly string[]) => texts.flatMap((text) => text.split("\n"));
const reply = (text: string) => parseReply(text) ?? { lines: [] };
const bird = fixtures("bird", /\.txt$/);
const answers = bird.flatMap((text) => text.split(/^bird> .*\n/m));
const nft = fixtures("nft", /\.txt$/);
const COUNTERS = `table inet x {\n\tchain raw_pre {\n${["tcp dport 179", "udp dport 3784", "udp dport 4784"]
	.map((match) => `\t\t${match} counter packets 5 bytes 300 notrack\n`)
	.join("")}\t}\n}\n`;
const proc = fixtures("proc", /\.txt$/);
const router = new FakeFiles(() => 0);
for (const name of ["route", "if_inet6", "fib_trie"])
	router.set(`/proc/net/${name}`, fixtures("proc", new RegExp(`-${name}\\.txt$`))[0] ?? "");
const ubus = lines(fixtures("ubus", /\.txt$/));
const uci = fixtures("uci", /\.txt$/);

/** Every parser of a text that somebody else has written, and texts to begin with. */
const PARSERS: readonly (readonly [string, readonly string[], (text: string) => unknown])[] = [
	[
		"parseArguments",
		["restart waukeen --json", "render bird --check --live", "trace x --seconds 5"],
		(text) => parseArguments(text.split(" ")),
	],
	[
		"parseEventLine",
		['{"event_type":"peer_up","at":"2026-11-24T00:00:00Z","peer":"x"}'],
		(text) => {
			const event = parseEventLine(text);
			return event && renderEvent(event, { color: true });
		},
	],
	["parseUci", uci, parseUci],
	["parseConfig", uci, (text) => parseConfig(text, "file")],
	["parseFirewall", uci, parseFirewall],
	["parseAddress", ["192.168.1.2", "fe80::1%br-lan", "::ffff:1.2.3.4"], parseAddress],
	["parsePrefix", ["10.0.0.0/8", "fd00::/48"], parsePrefix],
	[
		"prefixContains",
		["10.0.0.0/8", "10.0.0.1"],
		(text) => prefixContains(text, "10.0.0.1") || prefixContains("::/0", text),
	],
	["hostIn", ["10.0.0.0/8", "fd00:1::/64", "0.0.0.0/0"], (text) => hostIn(router, text)],
	["parseConnected4", lines(proc), (text) => parseConnected4(text)],
	["parseConnected6", lines(proc), parseConnected6],
	["parseListeners", lines(proc), (text) => parseListeners(text)],
	[
		"parseConfigured",
		["1011-Last reconfiguration on 2026-11-27 09:00:00.000\n"],
		(text) => parseConfigured(reply(text)),
	],
	["effectOfRule", lines(nft), effectOfRule],
	[
		"parseBirdConfiguration",
		fixtures("bird-conf", /\.conf$/),
		(text) => parseBirdConfiguration({ path: "x", text }),
	],
	[
		"parseLastError",
		["Received: Cease", "BGP Error: Unknown error 9.9", "Error: BFD session down"],
		parseLastError,
	],
	["parseReply", answers, parseReply],
	["parseGreeting", ["0001 BIRD 3.1.8 ready.\n0016 Access restricted\n"], parseGreeting],
	["parseProtocols", answers, (text) => [parseProtocols(reply(text)), parseKinds(reply(text))]],
	["parseBfd", answers, (text) => parseBfd(reply(text))],
	["parseSince", ["1795490142.503", "2026-11-24 11:02:03", "11:02:03.004"], (text) => parseSince(text, 0)],
	[
		"parseFlow",
		lines(fixtures("conntrack", /\.txt$/)),
		(text) => {
			const flow = parseFlow(text);
			return flow && filterOf(flow, () => true, [179]);
		},
	],
	["parseRequest", ["restart waukeen #1", "ensure"], parseRequest],
	["parseStat", ["1 (a b) S 2 3"], (text) => [parseStat(text), threadGroup(text), commandLine(text)]],
	[
		"parseRoute",
		["10.2.0.1 via inet6 fe80::9 dev br-lan src 192.168.1.1 uid 0"],
		(text) => [parseRoute(text), parseNoRoute(text), parseNeighbor(text)],
	],
	["parseCounters", [COUNTERS], parseCounters],
	["MonitorParser", lines(nft), (text) => new MonitorParser("custom_bgp", "").line(text)],
	["parseTraceLine", lines(nft), parseTraceLine],
	["parseHandles", nft, parseHandles],
	["parseRuleset", fixtures("nft", /ruleset.*\.json$/).slice(0, 3), parseRuleset],
	[
		"a listing",
		fixtures("rendered-table", /\.nft$/),
		(text) => [bareListing(text), peersIn(text), isOwned(text), portsIn(text)],
	],
	[
		"parseEvent",
		ubus,
		(text) => {
			const event = parseEvent(text);
			return [event && parseServiceEvent(event), parseComplaint(text)];
		},
	],
	[
		"parseServiceList",
		fixtures("ubus", /service-list\.txt$/),
		(text) => {
			const parsed = parseUbusReply(text);
			return parsed && parseServiceList(parsed);
		},
	],
];

test.each(PARSERS)("%s throws for no input", (name, samples, parse) => {
	const random = new Random();
	const rounds = name === "parseRuleset" ? 200 : ROUNDS;
	let kept = 0;
	for (let round = 0; round < rounds; round++) {
		const input = round % 3 === 0 ? random.text(200) : random.mutate(random.pick(samples));
		expect(
			() => parse(input),
			`seed ${random.seed}, round ${round}: ${JSON.stringify(input).slice(0, 400)}`,
		).not.toThrow();
		if (parse(input) !== undefined) kept++;
	}
	expect({}).not.toHaveProperty("polluted");
	// Not everything may be refused, or nothing was tried.
	expect(kept).toBeGreaterThan(0);
});

describe("what is read says the same when it is written again", () => {
	const random = new Random();
	const byte = () => random.below(256);

	test("addresses", () => {
		for (let round = 0; round < ROUNDS; round++) {
			const bytes =
				random.below(2) === 0
					? [byte(), byte(), byte(), byte()]
					: Array.from({ length: 16 }, () => (random.below(3) === 0 ? 0 : byte()));
			const text =
				bytes.length === 4
					? bytes.join(".")
					: Array.from({ length: 8 }, (_, group) =>
							(((bytes[group * 2] ?? 0) << 8) | (bytes[group * 2 + 1] ?? 0)).toString(16),
						).join(":");
			const address = parseAddress(text);
			expect(address?.bytes, text).toEqual(bytes);
			expect(parseAddress(address?.text ?? "")?.text, text).toBe(address?.text);
		}
	});

	test("prefixes", () => {
		for (let round = 0; round < ROUNDS; round++) {
			const length = random.below(33);
			const value = length === 0 ? 0 : (random.below(2 ** 31) * 2 + random.below(2)) & (-1 << (32 - length));
			const text = `${[24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".")}/${length}`;
			expect(parsePrefix(text)?.text).toBe(text);
		}
	});
});

test("a cut in BIRD's answer changes no protocol that is read from what came before it", () => {
	const random = new Random();
	const whole = answers.filter((text) => (parseProtocols(reply(text)) ?? []).length > 0);
	expect(whole.length).toBeGreaterThan(5);
	for (let round = 0; round < ROUNDS; round++) {
		const text = random.pick(whole);
		const cut = text.slice(0, random.below(text.length));
		const parsed = parseReply(cut);
		const peers = parsed && parseProtocols(parsed);
		const all = parseProtocols(reply(text)) ?? [];
		// A cut between two protocols cannot be told; the prompt that is missing then tells the client.
		for (const [index, peer] of (peers ?? []).entries()) expect(peer).toEqual(all[index]);
	}
});
