/** Every option of /etc/config/bgpwarden with its default and its limits: the one place that knows them. */

import type { Config, MainConfig, MqttConfig, PeerConfig } from "../model/config.ts";
import { SPEAKERS } from "../model/speaker.ts";
import {
	absolutePath,
	birdName,
	hostAddress,
	hostOrAddress,
	identifier,
	interfaceName,
	type Kind,
	line,
	mark,
	md5Password,
	nodeName,
	oneOf,
	prefix,
	tableName,
	topicPrefix,
	wholeNumber,
	yesOrNo,
	zoneName,
} from "./kinds.ts";

export const DEFAULT_CONFIG_PATH = "/etc/config/bgpwarden";

export interface OptionSpec<Value> {
	/** Name in the file. */
	readonly option: string;
	readonly kind: Kind<Value>;
	/** Used when the option is missing or empty; absent: the value then is absent too. */
	readonly fallback?: Value;
}

/** One specification for each property of a section. */
export type OptionTable<Section> = {
	readonly [Key in keyof Section]-?: OptionSpec<NonNullable<Section[Key]>>;
};

const LIMITS = {
	routerId: 64,
	/** The kernel takes 255, the listings stay readable with 31. */
	table: 31,
	/** sun_path of a Unix socket has 108 bytes with its final zero. */
	socketPath: 107,
	path: 255,
	text: 256,
	secret: 1024,
	topic: 128,
	zone: 64,
	/** Seconds. */
	pollInterval: { minimum: 1, maximum: 3600 },
	asNumber: { minimum: 1, maximum: 4_294_967_295 },
	/** Seconds; BGP has 16 bits for the hold time, and 1 and 2 are no hold times (RFC 4271 section 4.2). */
	holdTime: { minimum: 3, maximum: 65_535 },
} as const;

const asNumber = wholeNumber("an AS number", LIMITS.asNumber.minimum, LIMITS.asNumber.maximum);
const seconds = wholeNumber("a number of seconds", LIMITS.pollInterval.minimum, LIMITS.pollInterval.maximum);
const holdTime = wholeNumber("a number of seconds", LIMITS.holdTime.minimum, LIMITS.holdTime.maximum);
const timer = wholeNumber("a number of seconds", 1, LIMITS.holdTime.maximum);

export const MAIN_OPTIONS: OptionTable<MainConfig> = {
	enabled: { option: "enabled", kind: yesOrNo, fallback: true },
	logLevel: { option: "log_level", kind: oneOf("error", "warn", "info", "debug"), fallback: "info" },
	routerId: { option: "router_id", kind: identifier(LIMITS.routerId), fallback: "" },
	table: { option: "table", kind: tableName(LIMITS.table), fallback: "custom_bgp" },
	scope: { option: "scope", kind: oneOf("any", "peers"), fallback: "any" },
	forwarded: { option: "forwarded", kind: yesOrNo, fallback: false },
	/** sing-tun's output mark (DefaultAutoRedirectOutputMark in its redirect.go); SSClash lets 0xff00 through. */
	bypassMark: { option: "bypass_mark", kind: mark, fallback: 0x2024 },
	routeMark: { option: "route_mark", kind: mark, fallback: 0 },
	protect: { option: "protect", kind: yesOrNo, fallback: true },
	remediate: { option: "remediate", kind: yesOrNo, fallback: true },
	birdSocket: { option: "bird_socket", kind: absolutePath(LIMITS.socketPath), fallback: "" },
	pollInterval: { option: "poll_interval", kind: seconds, fallback: 15 },
	zone: { option: "zone", kind: zoneName(LIMITS.zone), fallback: "" },
};

export const MQTT_OPTIONS: OptionTable<MqttConfig> = {
	/** A section that names a host and does not say `enabled` is switched on; see load.ts. */
	enabled: { option: "enabled", kind: yesOrNo, fallback: false },
	host: { option: "host", kind: hostOrAddress, fallback: "" },
	port: { option: "port", kind: wholeNumber("a port", 1, 65535), fallback: 1883 },
	username: { option: "username", kind: line(LIMITS.text), fallback: "" },
	password: { option: "password", kind: line(LIMITS.secret, true), fallback: "" },
	tls: { option: "tls", kind: yesOrNo, fallback: false },
	caFile: { option: "ca_file", kind: absolutePath(LIMITS.path), fallback: "" },
	certFile: { option: "cert_file", kind: absolutePath(LIMITS.path), fallback: "" },
	keyFile: { option: "key_file", kind: absolutePath(LIMITS.path), fallback: "" },
	tlsInsecure: { option: "tls_insecure", kind: yesOrNo, fallback: false },
	baseTopic: { option: "base_topic", kind: topicPrefix(LIMITS.topic), fallback: "bgpwarden" },
	discovery: { option: "discovery", kind: yesOrNo, fallback: true },
	discoveryPrefix: {
		option: "discovery_prefix",
		kind: topicPrefix(LIMITS.topic),
		fallback: "homeassistant",
	},
	commands: { option: "commands", kind: yesOrNo, fallback: false },
};

/** Nothing has a default: what is not set, BIRD is asked for. */
export const PEER_OPTIONS: OptionTable<PeerConfig> = {
	name: { option: "name", kind: birdName },
	address: { option: "address", kind: hostAddress },
	localAddress: { option: "local_address", kind: hostAddress },
	localAs: { option: "local_as", kind: asNumber },
	remoteAs: { option: "remote_as", kind: asNumber },
	interface: { option: "interface", kind: interfaceName },
	multihop: { option: "multihop", kind: yesOrNo },
	bfd: { option: "bfd", kind: yesOrNo },
	port: { option: "port", kind: wholeNumber("a port", 1, 65535) },
	zone: { option: "zone", kind: zoneName(LIMITS.zone) },
	speaker: { option: "speaker", kind: oneOf("auto", ...SPEAKERS) },
	range: { option: "range", kind: prefix },
	password: { option: "password", kind: md5Password },
	holdTime: { option: "hold_time", kind: holdTime },
	keepaliveTime: { option: "keepalive_time", kind: timer },
	connectTime: { option: "connect_time", kind: timer },
	gracefulRestart: { option: "graceful_restart", kind: yesOrNo },
	maxPrefixes: {
		option: "max_prefixes",
		kind: wholeNumber("a number of prefixes", 1, LIMITS.asNumber.maximum),
	},
	dualStack: { option: "dual_stack", kind: yesOrNo },
	node: { option: "node", kind: nodeName },
	nodeInterface: { option: "node_interface", kind: interfaceName },
	sourceAddress: { option: "source_address", kind: hostAddress },
};

/** What an empty file says. */
export function defaultConfig(): Config {
	return { main: fallbacks(MAIN_OPTIONS), mqtt: fallbacks(MQTT_OPTIONS), peers: [] };
}

function fallbacks<Section extends object>(table: OptionTable<Section>): Section {
	const section: Partial<Section> = {};
	for (const key of Object.keys(table) as (keyof Section)[]) {
		const { fallback } = table[key];
		if (fallback !== undefined) section[key] = fallback;
	}
	// Whole, because every option of the sections that come here has a fallback.
	return section as Section;
}
