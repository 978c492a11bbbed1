import { BFD_PORTS, BGP_PORT } from "../model/ports.ts";
import type { Plan } from "./plan.ts";
import { BFD_MULTIPLIER, BFD_PROFILE, MASK, MULTIHOP_HOPS, type Session } from "./session.ts";

/** Shortest prefixes that are taken for a service's, where the pool is not known. */
const SHORTEST = { 4: 16, 6: 48 } as const;

/** BIRD's log warns at this part of `max_prefixes`. */
const WARNING = 0.8;

/** BIRD takes no longer `dynamic name` (proto/bgp/config.Y: SYM_MAX_LEN less 16). */
const MOST_NAME = 48;

/** A whole bird.conf for the router, for BIRD 2 and 3. */
export function renderBird(plan: Plan): string {
	const { sessions } = plan;
	const routerId = sessions.find(({ family }) => family === 4)?.localAddress;
	return [
		"# Made by `bgpwarden render bird` from /etc/config/bgpwarden. Its other half, for the cluster, is made by",
		"# `bgpwarden render metallb`, `cilium` or `frr-k8s`; `bgpwarden render bird --check` compares the running",
		"# BIRD with this.",
		"",
		"log syslog all;",
		routerId === undefined
			? "# No router id: without an IPv4 peer BIRD takes an IPv4 address of an interface."
			: `router id ${routerId};`,
		"",
		"# Knows the interfaces.",
		"protocol device {",
		"}",
		...directProtocol(sessions),
		"",
		"# Puts the services' routes into the kernel, with the next hop of each node that announces them.",
		...familiesOf(sessions).flatMap((family) => [
			"protocol kernel {",
			`\tipv${family} {`,
			"\t\texport where source = RTS_BGP;",
			"\t};",
			"\tmerge paths on;",
			"}",
		]),
		...bfdProtocol(sessions),
		...sessions.flatMap((session) => bgpProtocol(session, plan)),
		"",
	].join("\n");
}

/** IPv4 first. */
function familiesOf(sessions: readonly Session[]): (4 | 6)[] {
	return [...new Set(sessions.flatMap(({ families }) => families))].sort();
}

/** Multihop BGP looks up its next hops in BIRD's own table, which has the router's networks from here. */
function directProtocol(sessions: readonly Session[]): string[] {
	const multihop = sessions.filter((session) => session.multihop);
	if (multihop.length === 0) return [];
	const interfaces = interfacesOf(multihop);
	return [
		"",
		"# Multihop BGP finds its next hops through the router's own networks.",
		"protocol direct {",
		...familiesOf(multihop).map((family) => `\tipv${family};`),
		...(interfaces ? [`\tinterface ${interfaces};`] : []),
		"}",
	];
}

function bfdProtocol(sessions: readonly Session[]): string[] {
	const withBfd = sessions.filter(({ bfd }) => bfd);
	if (withBfd.length === 0) return [];
	const direct = withBfd.filter(({ multihop }) => !multihop);
	const timers = [
		// What one end sends the other has to take: the profile's mirror image.
		`\t\tmin rx interval ${BFD_PROFILE.transmitInterval} ms;`,
		`\t\tmin tx interval ${BFD_PROFILE.receiveInterval} ms;`,
		`\t\tmultiplier ${BFD_MULTIPLIER};`,
		"\t};",
	];
	return [
		"",
		"# Notices within about a second when a speaker is gone. The intervals mirror the speaker's BFD profile.",
		"protocol bfd {",
		...(direct.length > 0 ? [`\tinterface ${interfacesOf(direct) ?? '"*"'} {`, ...timers] : []),
		...(direct.length < withBfd.length
			? [
					`\t# ebgpMultiHop makes the speaker use UDP ${BFD_PORTS.multihop} instead of ${BFD_PORTS.singleHop}; so does this.`,
					"\tmultihop {",
					...timers,
				]
			: []),
		"}",
	];
}

function bgpProtocol(session: Session, plan: Plan): string[] {
	const { name, localAddress, port, localAs, multihop, gracefulRestart } = session;
	const own = `${localAddress === undefined ? "" : `${localAddress} `}${port === BGP_PORT ? "" : `port ${port} `}`;
	return [
		"",
		...(session.nodeInterface === undefined ? [] : UNNUMBERED),
		`protocol bgp ${symbol(name)} {`,
		`\tlocal ${own}as ${localAs};`,
		...neighbor(session),
		...(multihop
			? ["\t# BGP and BFD both: the speaker has ebgpMultiHop.", `\tmultihop ${MULTIHOP_HOPS};`]
			: ["\tdirect;"]),
		"\t# The speaker dials.",
		"\tpassive on;",
		...(gracefulRestart
			? [
					"\t# The speaker may restart and keep its routes, also while its BFD is down. A node that is dead keeps",
					"\t# them as well, until its restart time (120 s) is over.",
				]
			: ["\t# BIRD's default. With `on`, FRR may wait for 120 s before it dials a router that was away."]),
		"\tgraceful restart aware;",
		`\thold time ${session.holdTime};`,
		`\tkeepalive time ${session.keepaliveTime};`,
		...password(session, plan),
		...(session.bfd && session.range !== undefined && !multihop ? RANGE_BFD : []),
		...(session.bfd ? [`\tbfd ${gracefulRestart ? "graceful" : "on"};`] : []),
		...session.families.flatMap((family) => channel(family, session, plan)),
		"}",
	];
}

const UNNUMBERED = [
	"# Without addresses: FRR dials the router whose router advertisements it hears on its interface. odhcpd sends",
	"# them (option ra 'server'), or BIRD with a `protocol radv`. Two ends of one link only, so one node each.",
];

/** FRRouting/frr#18562; FRR-K8s has FRR 10.5. */
const RANGE_BFD = [
	"\t# BIRD has BFD with a node that has dialed. FRR 10.2 and 10.3 dial when single-hop BFD is up, so never: for them",
	"\t# `option multihop '1'`, or `option bfd '0'`.",
];

/** One address, or a prefix that speakers dial from. */
function neighbor({ name, range, remoteAddress, remoteAs, linkLocal, interface: device }: Session): string[] {
	if (range === undefined)
		return [`\tneighbor ${remoteAddress}${linkLocal ? `%'${device}'` : ""} as ${remoteAs};`];
	const dynamic = name.slice(0, MOST_NAME);
	return [
		`\t# Whoever dials from there is a peer, and gets a protocol: ${dynamic}1, ${dynamic}2 and so on.`,
		`\tneighbor range ${range} as ${remoteAs};`,
		`\tdynamic name "${dynamic}";`,
		...(linkLocal ? [`\tinterface "${device}";`] : []),
	];
}

function password({ password }: Session, { secrets }: Plan): string[] {
	if (password === undefined) return [];
	if (secrets) return [`\tpassword "${password}";`];
	return [
		"\t# `render bird --secrets` prints the password. Without it no session comes up.",
		`\t# password "${MASK}";`,
	];
}

function channel(family: 4 | 6, session: Session, { pools }: Plan): string[] {
	const { maxPrefixes } = session;
	return [
		`\tipv${family} {`,
		...importFilter(family, pools),
		...(maxPrefixes === undefined
			? []
			: [
					"\t\t# What comes on top of that is left out, and the session stays. Before it BIRD's log has a warning.",
					`\t\timport limit ${maxPrefixes} action block;`,
					`\t\treceive limit ${warningAt(maxPrefixes)} action warn;`,
				]),
		"\t\texport none;",
		...(family === 4 && session.family === 6
			? ["\t\t# IPv4 prefixes behind an IPv6 address (RFC 8950).", "\t\textended next hop on;"]
			: []),
		"\t};",
	];
}

function warningAt(most: number): number {
	return Math.max(1, Math.floor(most * WARNING));
}

function importFilter(family: 4 | 6, pools: Plan["pools"]): string[] {
	const own = pools.filter((pool) => pool.family === family).map(({ text }) => `${text}+`);
	if (own.length > 0) return ["\t\t# Services only.", `\t\timport where net ~ [ ${own.join(", ")} ];`];
	return [
		"\t\t# Services, never a default route. With --pool it is the pool's addresses alone.",
		`\t\timport where net.len >= ${SHORTEST[family]};`,
	];
}

/** `"br-lan", "br-iot"`; undefined when one of the sessions does not say. */
function interfacesOf(sessions: readonly Session[]): string | undefined {
	const names = sessions.map((session) => session.interface);
	if (names.includes(undefined)) return undefined;
	return [...new Set(names)].map((name) => `"${name}"`).join(", ");
}

/** A name with dashes and the like, or a digit in front, stands in apostrophes (conf/cf-lex.l). */
function symbol(name: string): string {
	return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `'${name}'`;
}
