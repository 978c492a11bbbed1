/** What each option of /etc/config/bgpwarden does, one sentence each: for `bgpwarden help` and docs/configuration.md. */

import type { MainConfig, MqttConfig, PeerConfig } from "../model/config.ts";
import { BGP_PORT } from "../model/ports.ts";
import { mark } from "./kinds.ts";
import { MAIN_OPTIONS, MQTT_OPTIONS, type OptionSpec, PEER_OPTIONS } from "./schema.ts";

type Sentences<Section> = { readonly [Key in keyof Section]-?: string };

const MAIN: Sentences<MainConfig> = {
	enabled: "0: the service does not run.",
	logLevel: "Lowest severity that is logged.",
	routerId: "Name in MQTT topics and entity ids; empty: the host name.",
	table: "Name of the nftables table (family inet), for bgpwarden alone.",
	scope: "any: all BGP and BFD of this router; peers: only that with its peers' addresses.",
	forwarded: "1: BGP and BFD that pass through this router skip conntrack and NAT too.",
	bypassMark: "Packet mark of BGP and BFD, for proxies to let them through; keep: set none.",
	routeMark: "Packet mark that selects the route of BGP and BFD from this router; keep: as others set it.",
	protect: "1: where possible, only bgpwarden can change the table; 0: changes are repaired.",
	remediate: "1: restart peers in BIRD that are down and may come back; 0: only diagnose.",
	birdSocket: "BIRD's control socket; empty: the usual paths.",
	pollInterval: "Seconds between two reads of BIRD when nothing happens.",
	zone: "Firewall zone to accept BGP and BFD in: from the configured peers or, without any, from everybody.",
};

const MQTT: Sentences<MqttConfig> = {
	enabled: "1: connect to the broker; not set: 1 if there is a host.",
	host: "Name or address of the broker.",
	port: "TCP port of the broker; usually 8883 with TLS.",
	username: "User name for the broker.",
	password: "Password for the broker; needs a user name.",
	tls: "1: use TLS; needs the package openssl-util.",
	caFile: "PEM file with the authority of the broker's certificate; empty: the system's authorities.",
	certFile: "PEM file with a certificate of this router.",
	keyFile: "PEM file with the key of that certificate.",
	tlsInsecure: "1: accept any certificate, so that others can read and change everything.",
	baseTopic: "First part of every topic.",
	discovery: "1: announce the devices to Home Assistant.",
	discoveryPrefix: "First part of Home Assistant's discovery topics.",
	commands: "1: accept commands from the broker, with buttons in Home Assistant.",
};

const PEER: Sentences<PeerConfig> = {
	name: "Name of the protocol in bird.conf; not set: the section's name.",
	address: "Address of the peer.",
	localAddress: "Address of this router that the peer connects to.",
	localAs: "AS number of this router.",
	remoteAs: "AS number of the peer.",
	interface: "Interface towards the peer.",
	multihop: "1: multihop BGP and BFD, as with MetalLB's ebgpMultiHop; not set: 0.",
	port: `TCP port that the peer dials on this router; not set: ${BGP_PORT}. The table covers bird.conf's ports by itself.`,
	bfd: "1: use BFD; not set: 1, and 0 with a speaker that has none.",
	zone: "Firewall zone of this peer, in place of main's.",
	speaker: "The program that speaks BGP there; auto or not set: found out from what it says.",
	range: "Prefix that the cluster's nodes connect from, in place of address; name is then the range's.",
	password: "Password of the session (TCP MD5), the same on both ends.",
	holdTime: "Seconds without a message after which a session is over; not set: 15.",
	keepaliveTime: "Seconds between two keepalive messages; not set: a third of the hold time.",
	connectTime: "Seconds between two tries of the speaker to connect; not set: 10.",
	gracefulRestart: "1: routes stay in use while the speaker restarts; not set: 0.",
	maxPrefixes: "Most prefixes that are imported from the peer; not set: no limit.",
	dualStack: "1: IPv4 and IPv6 prefixes over this one session; not set: 0.",
	node: "Name of the peer's Kubernetes node; not set: every node.",
	nodeInterface: "Interface of the node towards this router, for a session without addresses (unnumbered).",
	sourceAddress: "Address that the node connects from, where it has several.",
};

/** An option as it is explained to a person. */
export interface OptionHelp {
	readonly section: string;
	readonly option: string;
	/** Completes "accepts …". */
	readonly expected: string;
	/** As it stands in the file; absent: there is no default. */
	readonly fallback?: string;
	readonly help: string;
}

/** Every option, in the schema's order. */
export function optionHelp(): OptionHelp[] {
	return [
		...explain("main", MAIN_OPTIONS, MAIN),
		...explain("mqtt", MQTT_OPTIONS, MQTT),
		...explain("peer", PEER_OPTIONS, PEER),
	];
}

function explain(
	section: string,
	specs: Readonly<Record<string, OptionSpec<unknown>>>,
	sentences: Readonly<Record<string, string>>,
): OptionHelp[] {
	return Object.entries(specs).map(([key, { option, kind, fallback }]) => ({
		section,
		option,
		expected: kind.expected,
		...(fallback === undefined ? {} : { fallback: inFile(fallback, kind === mark) }),
		help: sentences[key] ?? "",
	}));
}

/** A value as a person writes it into the file. */
function inFile(value: unknown, isMark: boolean): string {
	if (typeof value === "boolean") return value ? "1" : "0";
	return isMark && typeof value === "number" && value > 0 ? `0x${value.toString(16)}` : String(value);
}
