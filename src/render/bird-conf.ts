import { BFD_PORTS, BGP_PORT } from "../model/ports.ts";
import {
	BFD_MULTIPLIER,
	BFD_PROFILE,
	HOLD_TIME,
	KEEPALIVE_TIME,
	MULTIHOP_HOPS,
	type Plan,
	type Session,
} from "./plan.ts";

/** Shortest prefixes that are taken for a service's, where the pool is not known. */
const SHORTEST = { 4: 16, 6: 48 } as const;

/** A whole bird.conf for the router, for BIRD 2 and 3. */
export function renderBird({ sessions, pool }: Plan): string {
	const routerId = sessions.find(({ family }) => family === 4)?.localAddress;
	const families = ([4, 6] as const).filter((family) =>
		sessions.some((session) => session.family === family),
	);
	return [
		"# Made by `bgpwarden render bird` from /etc/config/bgpwarden. Its other half, for the cluster, is made by",
		"# `bgpwarden render metallb`; `bgpwarden render bird --check` compares the running BIRD with this.",
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
		"# Puts the services' routes into the kernel.",
		...families.flatMap((family) => [
			"protocol kernel {",
			`\tipv${family} {`,
			"\t\texport where source = RTS_BGP;",
			"\t};",
			"}",
		]),
		...bfdProtocol(sessions),
		...sessions.flatMap((session) => bgpProtocol(session, pool)),
		"",
	].join("\n");
}

/** Multihop BGP looks up its next hops in BIRD's own table, which has the router's networks from here. */
function directProtocol(sessions: readonly Session[]): string[] {
	const multihop = sessions.filter((session) => session.multihop);
	if (multihop.length === 0) return [];
	const interfaces = interfacesOf(multihop);
	const families = [...new Set(multihop.map(({ family }) => family))].sort();
	return [
		"",
		"# Multihop BGP finds its next hops through the router's own networks.",
		"protocol direct {",
		...families.map((family) => `\tipv${family};`),
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
		"# Notices within about a second when a speaker is gone. The intervals mirror MetalLB's BFDProfile.",
		"protocol bfd {",
		...(direct.length > 0 ? [`\tinterface ${interfacesOf(direct) ?? '"*"'} {`, ...timers] : []),
		...(direct.length < withBfd.length
			? [
					`\t# BGPPeer's ebgpMultiHop makes the speaker use UDP ${BFD_PORTS.multihop} instead of ${BFD_PORTS.singleHop}; so does this.`,
					"\tmultihop {",
					...timers,
				]
			: []),
		"}",
	];
}

function bgpProtocol(session: Session, pool: Plan["pool"]): string[] {
	const { family, multihop } = session;
	const zone = session.linkLocal ? `%'${session.interface}'` : "";
	return [
		"",
		`protocol bgp ${symbol(session.name)} {`,
		`\tlocal ${session.localAddress}${session.port === BGP_PORT ? "" : ` port ${session.port}`} as ${session.localAs};`,
		`\tneighbor ${session.remoteAddress}${zone} as ${session.remoteAs};`,
		...(multihop
			? ["\t# BGP and BFD both: MetalLB has ebgpMultiHop: true.", `\tmultihop ${MULTIHOP_HOPS};`]
			: ["\tdirect;"]),
		"\t# The speaker dials.",
		"\tpassive on;",
		"\t# Routes stay while the speaker's pod restarts.",
		"\tgraceful restart on;",
		`\thold time ${HOLD_TIME};`,
		`\tkeepalive time ${KEEPALIVE_TIME};`,
		...(session.bfd ? ["\tbfd on;"] : []),
		`\tipv${family} {`,
		...importFilter(family, pool),
		"\t\texport none;",
		"\t};",
		"}",
	];
}

function importFilter(family: 4 | 6, pool: Plan["pool"]): string[] {
	if (pool?.family === family) return ["\t\t# Services only.", `\t\timport where net ~ [ ${pool.text}+ ];`];
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
