import { loadAll } from "js-yaml";
import { parseConfig } from "../../../src/config/load.ts";
import { settingsOf } from "../../../src/config/read.ts";
import { MAIN_OPTIONS, MQTT_OPTIONS, PEER_OPTIONS } from "../../../src/config/schema.ts";
import { parsePrefix } from "../../../src/lib/prefix.ts";
import type { Config, MainConfig, Mark, MqttConfig, PeerConfig } from "../../../src/model/config.ts";
import { SPEAKERS } from "../../../src/model/speaker.ts";
import { renderBird } from "../../../src/render/bird-conf.ts";
import { renderCilium } from "../../../src/render/cilium.ts";
import { compareFile } from "../../../src/render/compare.ts";
import { renderFrr } from "../../../src/render/frr-conf.ts";
import { renderFrrK8s } from "../../../src/render/frr-k8s.ts";
import { renderMetallb } from "../../../src/render/metallb.ts";
import { makePlan, type Plan } from "../../../src/render/plan.ts";
import { parseBirdConfiguration } from "../../../src/system/bird/conf/parse-conf.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";
import { UCI_PIECES } from "./lib.ts";

const MAIN = `config bgpwarden 'main'
	option enabled '1'
	option log_level 'info'
	option router_id 'router-1'
	option table 'custom_bgp'
	option scope 'peers'
	option forwarded '1'
	option bypass_mark '0x2024'
	option route_mark 'keep'
	option bird_socket '/var/run/bird.ctl'
	option poll_interval '15'
	option zone 'lan'
`;
const MQTT = `config mqtt 'mqtt'
	option host 'broker.lan'
	option port '8883'
	option username 'u'
	option password 'secret'
	option tls '1'
	option ca_file '/etc/ssl/ca.pem'
	option base_topic 'home/bgpwarden'
	option discovery_prefix 'homeassistant'
`;
const PEER = `config peer
	option name 'waukeen'
	option address '192.168.1.2'
	option local_address '192.168.1.1'
	option local_as '65001'
	option remote_as '65009'
	option interface 'br-lan'
	option multihop '1'
	option port '1179'
`;
const SIX = `config peer 'node_six'
	option address 'fe80::2%br-lan'
	option local_address 'fe80::1'
	option local_as '65001'
	option remote_as '4200000000'
	option bfd '0'
	option zone 'lan'
`;
const SPEAKER = `${PEER}	option speaker 'cilium'
	option password 'correct-horse'
	option hold_time '15'
	option keepalive_time '5'
	option connect_time '10'
	option graceful_restart '1'
	option max_prefixes '100'
	option dual_stack '1'
	option node 'node-1'
	option source_address '192.168.1.12'
`;
const RANGE = `config peer 'cluster'
	option range '192.168.1.0/24'
	option local_address '192.168.1.1'
	option local_as '65001'
	option remote_as '65009'
`;
const BARE = `config peer 'bare'
	option local_as '65001'
	option remote_as '65009'
	option interface 'br-lan'
	option node_interface 'eth0'
	option max_prefixes '9'
	option password 'a|b#!;'
`;
const SEEDS = [MAIN, MQTT, PEER, SIX, MAIN + PEER + SIX, PEER + SIX, SPEAKER, RANGE, BARE];

const anyMark: is.Check<Mark> = is.either(is.mark, is.oneOf("keep"));
const path = is.matching(/^(?:|\/.{0,253}[^/])$/);
const main = is.shape<MainConfig>({
	enabled: is.flag,
	logLevel: is.oneOf("error", "warn", "info", "debug"),
	routerId: is.matching(/^[A-Za-z0-9_-]{0,64}$/),
	table: is.matching(/^[A-Za-z][A-Za-z0-9_]{0,30}$/),
	scope: is.oneOf("any", "peers"),
	forwarded: is.flag,
	bypassMark: anyMark,
	routeMark: anyMark,
	protect: is.flag,
	remediate: is.flag,
	birdSocket: path,
	pollInterval: is.whole(1, 3600),
	zone: is.matching(/^[A-Za-z0-9/_.-]{0,64}$/),
});
const mqtt = is.shape<MqttConfig>({
	enabled: is.flag,
	host: is.matching(/^(?!-)[A-Za-z0-9_.:%-]{0,253}$/),
	port: is.port,
	username: is.line,
	password: is.line,
	tls: is.flag,
	caFile: path,
	certFile: path,
	keyFile: path,
	tlsInsecure: is.flag,
	baseTopic: is.matching(/^[^+#\s$][^+#\s]{0,127}$/),
	discovery: is.flag,
	discoveryPrefix: is.matching(/^[^+#\s$][^+#\s]{0,127}$/),
	commands: is.flag,
});
/** What BIRD takes between quotes as an interface's name, and nobody for an option. */
const deviceName = is.matching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/);
const peer = is.shape<PeerConfig>({
	name: is.matching(/^[A-Za-z0-9_.:-]{1,64}$/),
	address: is.maybe(is.address),
	localAddress: is.maybe(is.address),
	localAs: is.maybe(is.asNumber),
	remoteAs: is.maybe(is.asNumber),
	interface: is.maybe(deviceName),
	multihop: is.maybe(is.flag),
	bfd: is.maybe(is.flag),
	port: is.maybe(is.port),
	zone: is.maybe(is.matching(/^[A-Za-z0-9/_.-]{1,64}$/)),
	speaker: is.maybe(is.oneOf("auto", ...SPEAKERS)),
	range: is.maybe(is.prefix),
	password: is.maybe(is.matching(/^[!#-&(-[\]-~]{1,80}$/)),
	holdTime: is.maybe(is.whole(3, 65_535)),
	keepaliveTime: is.maybe(is.whole(1, 65_535)),
	connectTime: is.maybe(is.whole(1, 65_535)),
	gracefulRestart: is.maybe(is.flag),
	maxPrefixes: is.maybe(is.whole(1, 0xffffffff)),
	dualStack: is.maybe(is.flag),
	node: is.maybe(is.matching(/^[a-z0-9.-]{1,253}$/)),
	nodeInterface: is.maybe(deviceName),
	sourceAddress: is.maybe(is.zonedAddress),
});
const config = is.shape<Config>({ main, mqtt, peers: is.list(peer) });
const errors: is.Check<string[]> = is.list(is.harmless, 110);
const pools = [parsePrefix("192.168.20.0/24") ?? [], parsePrefix("fd00:20::/64") ?? []].flat();

/** Every line of what is rendered, for each of its readers. */
function rendered(text: string): string | undefined {
	const read = parseConfig(text, "file");
	if ("errors" in read) return undefined;
	settingsOf(read.config);
	const plan = makePlan(read.config, "bird", "file", () => "file:1", { secrets: true });
	if ("errors" in plan) return undefined;
	return wrongForBird(plan) ?? wrongForCluster(read.config) ?? "right";
}

/** Of peers without BFD: what cannot be seen from the router. */
const UNSEEN = /without BFD the speaker's connect time decides/;

/** BIRD's file, read again, says what was meant. */
function wrongForBird(plan: Plan): string | undefined {
	const text = renderBird(plan);
	const again = parseBirdConfiguration({ path: "bird.conf", text });
	const { differences, notes } = compareFile(plan, again);
	const told = notes.filter((note) => !UNSEEN.test(note));
	if (differences.length > 0 || told.length > 0) return JSON.stringify([...differences, ...told]);
	const odd = text.split("\n").find((line) => !BIRD_LINE.test(line));
	return odd === undefined ? undefined : `bird.conf: ${odd}`;
}

/** No line has more than what was to be in it. */
const BIRD_LINE = new RegExp(
	[
		/^(#.*|\t*#.*|[}]|\t+\};|)$/,
		/^\t*(log syslog all|router id [\d.]+|ipv[46]|interface "[^"]+"(, "[^"]+")*|import where [^;]+|export [^;]+);$/,
		/^\t*(min [rt]x interval \d+ ms|multiplier \d+|multihop \d+|direct|passive on|graceful restart aware);$/,
		/^\t*((hold|keepalive) time \d+|bfd (on|graceful)|local ([0-9a-f.:]+ )?(port \d+ )?as \d+|merge paths on);$/,
		/^\t*(neighbor ([0-9a-f.:]+(%'[A-Za-z0-9_.:-]+')?|range [0-9a-f.:]+\/\d+) as \d+|extended next hop on);$/,
		/^\t*(dynamic name "[A-Za-z0-9_.:-]{1,48}"|password "[!#-&(-[\]-~]{1,80}"|(import|receive) limit \d+ action \w+);$/,
		/^\t*(protocol (device|direct|kernel|bfd)|ipv[46]|multihop|interface "[^"]+"(, "[^"]+")*) \{$/,
		/^protocol bgp ([A-Za-z0-9_]+|'[A-Za-z0-9_.:-]+') \{$/,
	]
		.map(({ source }) => source)
		.join("|"),
);
/** A password is the last word of its line. */
const FRR_LINE = /^([ !A-Za-z0-9.:/`',()_-]*| {2}neighbor \S+ password [!#-&(-[\]-~]{1,80})$/;

const MANIFESTS = { metallb: renderMetallb, "frr-k8s": renderFrrK8s, cilium: renderCilium } as const;

function wrongForCluster(read: Config): string | undefined {
	const planFor = (what: Parameters<typeof makePlan>[1]) => {
		const plan = makePlan(read, what, "file", () => "file:1", { pools, secrets: true });
		return "errors" in plan ? undefined : plan;
	};
	const forFrr = planFor("frr");
	const frr = forFrr && renderFrr(forFrr);
	const odd = typeof frr === "string" ? frr.split("\n").find((line) => !FRR_LINE.test(line)) : undefined;
	if (odd !== undefined) return `FRR: ${odd}`;
	for (const what of Object.keys(MANIFESTS) as (keyof typeof MANIFESTS)[]) {
		const plan = planFor(what);
		const wrong = plan && wrongManifest(plan, MANIFESTS[what]);
		if (wrong !== undefined) return `${what}: ${wrong}`;
	}
	return undefined;
}

interface Resource {
	readonly kind: string;
	readonly metadata: { readonly name: string };
}

/** What another program reads of it. */
function wrongManifest(
	plan: Plan,
	render: (plan: Plan) => string | { readonly error: string },
): string | undefined {
	const yaml = render(plan);
	if (typeof yaml !== "string") return undefined;
	const named = (loadAll(yaml) as Resource[]).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
	if (new Set(named).size < named.length) return `twice: ${named.join(", ")}`;
	return named.find((name) => !/^[A-Za-z0-9]+ [a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name));
}

const OPTIONS = [MAIN_OPTIONS, MQTT_OPTIONS, PEER_OPTIONS].flatMap((table) => Object.values(table));

export const CONFIG: readonly Parser[] = [
	parser({
		name: "parseConfig",
		seeds: [...SEEDS, ...UCI_PIECES],
		parse: (text) => parseConfig(text, "/etc/config/bgpwarden"),
		check: is.either(is.shape<{ config: Config }>({ config }), is.shape<{ errors: string[] }>({ errors })),
		limit: 262_144,
		shapes: [
			{ start: "config peer\n", repeated: "option namex c\n" },
			{ start: "config peer\n", repeated: "option interfce§ c\n" },
			{ start: "config peer\n", repeated: "list name c\n" },
			"config peer p§\n",
			"config peer\n",
			"config peerx§\n",
			"config bgpwarden main\n",
			PEER,
		],
	}),
	parser({
		name: "rendered",
		seeds: [
			...[PEER, SIX, PEER + SIX, `${MAIN}${PEER}`, RANGE, BARE, `${RANGE}\toption password 'x'\n`],
			SPEAKER.replace("192.168.1.12", "192.168.1.2").replace("\toption speaker 'cilium'\n", ""),
			`${PEER}\toption speaker 'metallb-native'\n`,
			`${PEER}\toption speaker 'cilium'\n${RANGE}`,
		],
		parse: rendered,
		check: is.oneOf("right", undefined),
		limit: 2048,
	}),
	parser({
		name: "kinds",
		seeds: [
			...["1", "info", "a-b", "0x2024", "65001", "fe80::1%br-lan", "broker.lan", "/etc/x", "a/b", "lan"],
		],
		parse: (text) => (text === "" ? [] : OPTIONS.map(({ kind }) => kind.read(text))),
		check: is.list(is.orAbsent(is.either(is.either(is.flag, is.mark), is.line))),
		limit: 65_536,
	}),
];
