import { type ParsedArguments, parseArguments } from "../../../src/cli/arguments.ts";
import { parseEventLine, renderEvent } from "../../../src/cli/text/event-lines.ts";
import { parseTime } from "../../../src/cli/text/time.ts";
import { renderTrace } from "../../../src/cli/text/trace-lines.ts";
import type { ServiceRequest } from "../../../src/doctor/service/collect.ts";
import type { Prefix } from "../../../src/lib/prefix.ts";
import type { StoredEvent } from "../../../src/model/event.ts";
import { EFFECTS, type Effect, effectOfRule } from "../../../src/model/rule-effect.ts";
import { parseTraceLine, TraceCollector } from "../../../src/system/nft/trace-text.ts";
import { captures, lines, pieces } from "../captures.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";

const COMMAND_LINES = [
	...[
		"restart waukeen --json",
		"render bird --check --live --json",
		"trace fe80::2%br-lan --seconds 5",
		"status",
	],
	...[
		"render metallb --pool 192.168.20.0/24",
		"--config /etc/x --run-dir=/run/y events --follow",
		"help mqtt.host",
	],
	"doctor --service 192.168.20.10 --port 443 --from 192.168.10.20",
	...["-- run", "check --version", "release", "flush", "ensure -h", "doctor --json", "peers", "run"],
];
const EVENTS = [
	'{"event_type":"peer_up","at":"2026-11-24T00:00:00Z","peer":"x"}',
	'{"event_type":"table_restored","at":"2026-11-24T00:00:00.123Z","by":"nft","described":"nft (pid 4711, nft flush ruleset)","pid":4711,"service":"firewall","reason":"deleted","milliseconds":4}',
	'{"event_type":"conntrack_flushed","at":"2026-11-24T00:00:00Z","deleted":3,"left":1}',
	'{"event_type":"command_done","at":"2026-11-24T00:00:00Z","command":"restart","peer":"x","ok":true,"text":"done"}',
];
const TRACES = pieces(captures("nft", /trace.*(?<!rules)\.txt$/), 5);

const word = { configPath: is.text, runDirectory: is.text };
const json = is.shape({ verb: is.oneOf("status", "peers"), json: is.flag, ...word });
const prefix = is.shape<Prefix>({ family: is.oneOf(4, 6), text: is.prefix, length: is.whole(0, 128) });
const plain = is.shape({ verb: is.oneOf("run", "check", "ensure", "release", "flush"), ...word });
const parsedArguments = is.byKind<ParsedArguments>("verb", {
	run: plain,
	check: plain,
	ensure: plain,
	release: plain,
	flush: plain,
	status: json,
	peers: json,
	doctor: is.shape({
		verb: is.oneOf("doctor"),
		json: is.flag,
		service: is.maybe(
			is.shape<ServiceRequest>({
				address: is.address,
				port: is.maybe(is.port),
				from: is.maybe(is.address),
			}),
		),
		...word,
	}),
	events: is.shape({ verb: is.oneOf("events"), follow: is.flag, ...word }),
	restart: is.shape({ verb: is.oneOf("restart"), peer: is.matching(/^[A-Za-z0-9_.:-]{1,64}$/), ...word }),
	trace: is.shape({
		verb: is.oneOf("trace"),
		peer: is.either(is.matching(/^[A-Za-z0-9_.:-]{1,64}$/), is.zonedAddress),
		seconds: is.whole(1, 3600),
		...word,
	}),
	render: is.shape({
		verb: is.oneOf("render"),
		what: is.oneOf("nft", "bird", "metallb", "frr-k8s", "cilium", "frr"),
		check: is.flag,
		live: is.flag,
		json: is.flag,
		pools: is.maybe(is.list(prefix, 2)),
		secrets: is.maybe(is.oneOf(true)),
		...word,
	}),
	help: is.shape({ verb: is.oneOf("help"), topic: is.maybe(is.text) }),
	version: is.shape({ verb: is.oneOf("version") }),
	usage: is.shape({ verb: is.oneOf("usage"), error: is.harmless }),
} as const);

const event: is.Check<StoredEvent> = (value) =>
	is.foreignKeys(is.either(is.either(is.text, is.finite), is.flag))(value) ??
	(typeof (value as StoredEvent).event_type === "string" && typeof (value as StoredEvent).at === "string"
		? undefined
		: "no type, or no time");

const NEST = { start: '{"event_type":"x","at":"y","z":', end: "}" };

export const CLI: readonly Parser[] = [
	parser({
		name: "parseArguments",
		seeds: COMMAND_LINES,
		parse: (text) => parseArguments(text.split(" ")),
		check: parsedArguments,
		limit: 131_072,
		shapes: ["--json ", "--config x ", "-- ", "status "],
	}),
	parser({
		name: "parseEventLine",
		seeds: EVENTS,
		parse: parseEventLine,
		check: is.orAbsent(event),
		limit: 65_536,
		json: true,
		shapes: [
			{ ...NEST, repeated: "[" },
			{ ...NEST, repeated: '{"a":' },
			{ start: '{"event_type":"x","at":"y"', repeated: ',"a§":1', end: "}" },
		],
	}),
	parser({
		name: "renderEvent",
		seeds: EVENTS,
		parse: (text) => {
			const read = parseEventLine(text);
			return read && renderEvent(read, { color: false });
		},
		check: is.orAbsent(is.harmless),
		limit: 65_536,
		json: true,
		shapes: [
			{ start: '{"event_type":"x","at":"y","z":"', repeated: "\\u001b", end: '"}' },
			{ start: '{"event_type":"x","at":"y"', repeated: ',"a§":1', end: "}" },
		],
	}),
	parser({
		name: "renderTrace",
		seeds: TRACES,
		parse: (text) => {
			const collector = new TraceCollector();
			for (const line of text.split("\n")) {
				const read = parseTraceLine(line);
				if (read) collector.line(read, 0);
			}
			return collector
				.drain(0, 0)
				.map((trace) => renderTrace(trace, 0, { color: false }).replaceAll("\n", " "));
		},
		check: is.list(is.harmless),
		limit: 65_536,
	}),
	parser({
		name: "parseTime",
		seeds: ["2026-11-24T00:00:00Z", "2026-11-24T00:00:00.123+01:00"],
		parse: parseTime,
		check: is.orAbsent(is.finite),
		limit: 65_536,
	}),
	parser({
		name: "effectOfRule",
		seeds: lines(captures("nft", /\.txt$/)),
		parse: effectOfRule,
		check: is.orAbsent(is.oneOf(...(Object.keys(EFFECTS) as Effect[]))),
		limit: 65_536,
		shapes: ["ct status ", "jump ", "@x", "fwd ip "],
	}),
];
