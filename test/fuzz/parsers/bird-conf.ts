import type * as Model from "../../../src/model/bird-configuration.ts";
import { FileError, type Files } from "../../../src/platform/types.ts";
import { expandPattern } from "../../../src/system/bird/conf/glob.ts";
import { parseBirdConfiguration } from "../../../src/system/bird/conf/parse-conf.ts";
import { readBirdFile } from "../../../src/system/bird/conf/read-files.ts";
import { parseLastError } from "../../../src/system/bird/last-error.ts";
import { parseSince } from "../../../src/system/bird/since.ts";
import { captures, pieces } from "../captures.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";
import { lastError } from "./bird-replies.ts";

const CONFIGURATIONS = captures("bird-conf", /\.conf$/);
/** Whole protocols, as far as an empty line or a brace at a line's beginning ends one. */
const PROTOCOLS = CONFIGURATIONS.flatMap((text) =>
	text.split(/^(?=protocol |template |filter |function |define )/m),
);
const SEEDS = [...PROTOCOLS, ...pieces(CONFIGURATIONS, 6)];

const number = is.whole(0, 0xffffffff);
/** BFD's, of which some are told in microseconds. */
const milliseconds: is.Check<number> = (value) =>
	is.finite(value) ?? ((value as number) < 0 ? `${value} is less than 0` : undefined);
const options = is.shape<Model.BfdOptions>({
	minReceive: is.maybe(milliseconds),
	minTransmit: is.maybe(milliseconds),
	idleTransmit: is.maybe(milliseconds),
	multiplier: is.maybe(number),
	passive: is.maybe(is.flag),
});
const limit = is.maybe(
	is.shape<Model.ChannelLimit>({
		limit: is.maybe(number),
		action: is.oneOf("warn", "block", "restart", "disable"),
	}),
);
const nextHop: is.Check<Model.NextHop> = is.either(is.flag, is.oneOf("ibgp", "ebgp"));
const channel = is.shape<Model.ChannelConfiguration>({
	family: is.matching(/^[a-z0-9]+( [a-z]+)?$/),
	import: is.maybe(is.text),
	export: is.maybe(is.text),
	importLimit: limit,
	exportLimit: limit,
	receiveLimit: limit,
	gateway: is.maybe(is.oneOf("direct", "recursive")),
	nextHopSelf: is.maybe(nextHop),
	nextHopKeep: is.maybe(nextHop),
	mandatory: is.maybe(is.flag),
	extendedNextHop: is.maybe(is.flag),
	importTable: is.maybe(is.flag),
});
const heading = { name: is.text, disabled: is.flag };
const bgp = is.shape<Model.BgpConfiguration>({
	...heading,
	localAddress: is.maybe(is.address),
	localAs: is.maybe(is.asNumber),
	neighborAddress: is.maybe(is.address),
	neighborRange: is.maybe(is.prefix),
	neighborAs: is.maybe(is.either(is.asNumber, is.oneOf("internal", "external"))),
	localPort: is.maybe(is.port),
	neighborPort: is.maybe(is.port),
	interface: is.maybe(is.text),
	multihop: is.maybe(is.either(number, is.oneOf(false))),
	passive: is.maybe(is.flag),
	gracefulRestart: is.maybe(is.oneOf("on", "off", "aware")),
	bfd: is.maybe(is.oneOf("on", "off", "graceful")),
	bfdOptions: is.maybe(options),
	holdTime: is.maybe(number),
	keepaliveTime: is.maybe(number),
	startupHoldTime: is.maybe(number),
	connectDelayTime: is.maybe(number),
	connectRetryTime: is.maybe(number),
	errorWaitTime: is.maybe(is.shape<{ first: number; longest: number }>({ first: number, longest: number })),
	errorForgetTime: is.maybe(number),
	disableAfterError: is.maybe(is.flag),
	enforceFirstAs: is.maybe(is.flag),
	ttlSecurity: is.maybe(is.flag),
	strictBind: is.maybe(is.flag),
	dynamicName: is.maybe(is.text),
	password: is.flag,
	channels: is.list(channel),
});
const accept = { ipv4: is.flag, ipv6: is.flag, direct: is.flag, multihop: is.flag };
export const birdConfiguration = is.shape<Model.BirdConfiguration>({
	routerId: is.maybe(is.address),
	bgp: is.list(bgp),
	bfd: is.list(
		is.shape<Model.BfdConfiguration>({
			...heading,
			interfaces: is.list(is.shape<Model.InterfaceOptions>({ patterns: is.list(is.some), options })),
			multihop: is.maybe(options),
			accept: is.shape<Model.BfdConfiguration["accept"]>(accept),
		}),
	),
	direct: is.list(
		is.shape<Model.DirectConfiguration>({
			...heading,
			patterns: is.list(is.some),
			families: is.list(is.some),
		}),
	),
	kernel: is.list(
		is.shape<Model.KernelConfiguration>({
			...heading,
			learn: is.maybe(is.oneOf(true)),
			mergePaths: is.maybe(is.oneOf(true)),
			channels: is.list(channel),
		}),
	),
	otherRoutes: is.maybe(is.oneOf(true)),
	device: is.flag,
	onlyBird1: is.maybe(is.text),
});

const BASE = "/etc/bird.conf";

/** The input as BIRD's file, and as one that it includes. Fast, since a file may ask a thousand times. */
function readFiles(text: string) {
	const folders = new Map([
		["/", ["etc"]],
		["/etc", ["bird", "bird.conf"]],
		["/etc/bird", ["a.conf", "b.conf"]],
	]);
	const names = new Set([BASE, "/etc/bird/a.conf", "/etc/bird/b.conf"]);
	const files = {
		status: (path: string) =>
			names.has(path) ? { kind: "file" } : folders.has(path) ? { kind: "directory" } : undefined,
		list: (path: string) => folders.get(path) ?? [],
		read(path: string) {
			if (!names.has(path)) throw new FileError("read", path, "No such file or directory", true);
			return text;
		},
	};
	return readBirdFile(files as unknown as Files, BASE);
}

const NAMES = ["a.conf", "b.conf", ".hidden.conf", "a".repeat(200)];
/** A folder that every folder is like. */
const folder = {
	status: (path: string) =>
		path.length > 4095 ? undefined : { kind: path.endsWith(".conf") ? "file" : "directory" },
	list: () => NAMES,
} as unknown as Files;

export const BIRD_CONF: readonly Parser[] = [
	parser({
		name: "parseBirdConfiguration",
		seeds: SEEDS,
		parse: (text) => parseBirdConfiguration({ path: "x", text }),
		check: birdConfiguration,
		limit: 1 << 20,
		shapes: [
			"protocol bgp {",
			"protocol bgp a {}\n",
			"protocol bgp a§ {}\n",
			"protocol bgp {}\n",
			"template bgp a§ from a { x; }\n",
			{ start: "template bgp a {x;}", repeated: "template bgp a from a {x;}\n" },
			{
				start: "template bgp t0 {x;}",
				repeated: "template bgp t from t0 {x;} template bgp t0 from t {y;}\n",
			},
			{
				start: "template bgp t { local as 1; ipv4 { import all; }; ipv6; }",
				repeated: "protocol bgp from t {}",
			},
			{ start: "protocol bgp a { neighbor ", repeated: "(" },
			{ start: "protocol bgp a { neighbor ", repeated: "(1+" },
			{ start: "protocol bfd { interface ", repeated: '"a", ' },
			{ start: "protocol bfd { interface ", repeated: "(1) " },
			{ start: "protocol bgp a { ", repeated: "ipv4 { import filter { x; }; }; " },
			{ start: "protocol bgp a { ", repeated: "ipv4 { " },
			{ start: "define a = ", repeated: "1 + " },
			"define a§ = 1;\n",
			"/* ",
			"*/ /* ",
			"0.0.0.0",
			"f:",
			"f::",
			"1.1.1.",
			"ab",
			"1a",
			'include "',
			"hex:00:",
			"# \n",
		],
	}),
	parser({
		name: "readBirdFile",
		seeds: [
			...SEEDS,
			'include "bird/*.conf";\n',
			'include "/etc/bird.conf";\n',
			'include "bird/a.conf";\nprotocol bgp a {}\n',
		],
		parse: readFiles,
		check: is.either(
			is.shape<{ error: string }>({ error: is.some }),
			is.shape<Model.BirdFile>({
				path: is.oneOf(BASE),
				configuration: birdConfiguration,
				problems: is.list(is.some, 1001),
			}),
		),
		limit: 1 << 20,
		shapes: [
			'include "bird.conf";\n',
			'include "bird/a.conf";\n',
			'include "bird/*";\n',
			'include "*/*/*";\n',
			'include "gone";\n',
			'include "gone/*";\n',
			{ start: 'include "bird/', repeated: "*a", end: '";\n' },
			{ start: 'include "bird/', repeated: "[a", end: '";\n' },
			{ start: 'include "bird', repeated: "/*", end: '";\n' },
		],
	}),
	parser({
		name: "expandPattern",
		seeds: ["/etc/bird/*.conf", "/etc/*/[a-b].conf", "/etc/bird/?[!x]*", "/etc/bird/a.conf", "/*/*/*"],
		parse: (text) => {
			try {
				return expandPattern(folder, `/${text}`);
			} catch (error) {
				if ((error as Error).name === "FileError") return [];
				throw error;
			}
		},
		check: is.list(is.matching(/^\//)),
		limit: 4096,
		shapes: [
			"*",
			"*a",
			"/*",
			"?",
			"[a",
			"[a]",
			"[!",
			"[z-a]",
			{ start: "etc/bird/", repeated: "*a" },
			{ start: "etc/bird/", repeated: "a*", end: "b" },
		],
	}),
	parser({
		name: "parseLastError",
		seeds: [
			...[
				"Received: Cease",
				"BGP Error: Unknown error 9.9",
				"Error: BFD session down",
				"Socket: Connection closed",
			],
			...["BGP Error: Bad peer AS", "Received: Administrative shutdown", "BGP Error: Hold timer expired"],
		],
		parse: parseLastError,
		check: lastError,
		limit: 65_536,
	}),
	parser({
		name: "parseSince",
		seeds: ["1795490142.503", "2026-11-24 11:02:03", "11:02:03.004", "2026-11-24T11:02", "11:02"],
		parse: (text) => parseSince(text, 1_795_490_142_503),
		check: is.orAbsent(is.whole(-8.64e15, 8.64e15)),
		limit: 65_536,
	}),
];
