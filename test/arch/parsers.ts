import { parseConfig } from "../../src/config/load.ts";
import { parseUci } from "../../src/lib/uci.ts";
import { createPlatform } from "../../src/platform/index.ts";
import type { Files } from "../../src/platform/types.ts";
import { type Handshake, peerOpens } from "../../src/ruleset/bgp-packets.ts";
import { describeHit } from "../../src/ruleset/rule-text.ts";
import { parseBirdConfiguration } from "../../src/system/bird/conf/parse-conf.ts";
import { parseBfd } from "../../src/system/bird/parse-bfd.ts";
import { parseProtocols } from "../../src/system/bird/protocol-reader.ts";
import { parseConfigured, parseGreeting, parseReply } from "../../src/system/bird/replies.ts";
import { filterOf } from "../../src/system/conntrack/delete-filter.ts";
import { parseFlow } from "../../src/system/conntrack/flow-text.ts";
import { localAddresses } from "../../src/system/kernel/local-addresses.ts";
import { parseConnected4, parseConnected6 } from "../../src/system/kernel/networks.ts";
import { parseTcpSockets } from "../../src/system/kernel/tcp-sockets.ts";
import { MonitorParser } from "../../src/system/nft/monitor-text.ts";
import { parseRuleset } from "../../src/system/nft/ruleset-json.ts";
import { peersIn, portsIn } from "../../src/system/nft/table-listing.ts";
import { parseTraceLine } from "../../src/system/nft/trace-text.ts";
import { parseServiceEvent, parseServiceList } from "../../src/system/openwrt/service-events.ts";
import {
	parseComplaint,
	parseEvent,
	parseReply as parseUbusReply,
} from "../../src/system/openwrt/service-messages.ts";

/** What the parsers make of a fixture, by the fixture's folder. */
const READERS: Record<string, (text: string) => unknown> = {
	bird: (text) => {
		const [greeting = "", ...answers] = text.split(/^bird> /m);
		const replies = answers.map((answer) => {
			const reply = parseReply(answer.slice(answer.indexOf("\n") + 1));
			return {
				reply,
				protocols: reply && parseProtocols(reply),
				bfd: reply && parseBfd(reply),
				configured: reply && parseConfigured(reply),
			};
		});
		return { greeting: parseGreeting(greeting), replies };
	},
	"bird-conf": (text) => parseBirdConfiguration({ path: "bird.conf", text }),
	conntrack: (text) => text.split("\n").map((line) => parseFlow(line)),
	nft: (text) => {
		const parser = new MonitorParser("custom_bgp");
		const said = text.split("\n").map((line) => [parser.line(line), parseTraceLine(line)]);
		return [said, peersIn(text), portsIn(text)];
	},
	// Captured on a little-endian machine.
	proc: (text) => [parseConnected4(text, true), parseConnected6(text), parseTcpSockets(text, true)],
	ubus: (text) => {
		const reply = parseUbusReply(text);
		const events = text.split("\n").map((line) => {
			const event = parseEvent(line);
			return [event, event && parseServiceEvent(event), parseComplaint(line)];
		});
		return { reply, processes: reply && parseServiceList(reply), events };
	},
	uci: (text) => {
		const result = parseUci(text);
		const sections =
			"sections" in result &&
			result.sections.map((section) => ({ ...section, options: [...section.options.values()] }));
		return { sections, result, config: parseConfig(text, "fixture") };
	},
};

function staleFilters(files: Files, directory: string): unknown {
	const read = (name: string) => files.read(`${directory}/conntrack/${name}`);
	const isLocal = localAddresses(read("linux-6.18-fib_trie.txt"), read("linux-6.18-if_inet6.txt"));
	const lines = read("conntrack-1.4.8-extended.txt").split("\n");
	return lines
		.flatMap((line) => parseFlow(line) ?? [])
		.map((flow) => filterOf(flow, isLocal, [179]) ?? "none");
}

/** What the captured rulesets do to a peer's handshake: marks are numbers of 32 bits, addresses are compared by bytes. */
function handshakes(files: Files, directory: string): unknown {
	const ends = { family: 4, peer: [192, 168, 1, 2], local: [192, 168, 1, 1], interface: "br-lan" } as const;
	const said = ({ syn, answer }: Handshake) => [...syn.hits, ...answer.hits].map(describeHit);
	const names = files.list(`${directory}/nft`).filter((name) => /-ruleset-.*\.json$/.test(name));
	return names.map((name) => {
		const ruleset = parseRuleset(files.read(`${directory}/nft/${name}`));
		return [name, ruleset && said(peerOpens(ruleset, ends))];
	});
}

/** Prints what every parser makes of every fixture: main.ts wants the same from each qjs as from Node. */
async function main(): Promise<void> {
	const platform = await createPlatform();
	const { files } = platform;
	const directory = platform.environment("FIXTURES") ?? "";
	for (const [folder, read] of Object.entries(READERS)) {
		for (const name of files.list(`${directory}/${folder}`)) {
			if (!/\.(txt|conf)$/.test(name)) continue;
			const result = read(files.read(`${directory}/${folder}/${name}`));
			platform.print("stdout", `${folder}/${name} ${JSON.stringify(result)}\n`);
		}
	}
	platform.print("stdout", `stale ${JSON.stringify(staleFilters(files, directory))}\n`);
	platform.print("stdout", `handshakes ${JSON.stringify(handshakes(files, directory))}\n`);
	platform.exit(0);
}

// Not awaited, as in the contract's run.ts.
main();
