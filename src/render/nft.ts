import type { Config } from "../config/types.ts";

/**
 * UDP ports of BFD: single hop and echo (RFC 5881), multihop (RFC 5883). A rule for each, since the counters tell in which
 * mode the other side speaks.
 */
const BFD = [
	[3784, "BFD"],
	[3785, "BFD echo"],
	[4784, "multihop BFD"],
] as const;

/** What the table depends on. */
export type TableOptions = Pick<Config["main"], "table" | "scope" | "forwarded">;

export interface PeerAddresses {
	readonly ipv4: readonly string[];
	readonly ipv6: readonly string[];
}

/**
 * The ruleset text that puts the table in place, whatever was there under its name: one transaction for `nft -f -`
 * (nft(8)). `raw` is the priority before connection tracking, so `notrack` there keeps a packet out of it, and
 * NAT, which needs conntrack, with it.
 * @param peers addresses for scope `peers`; not used with scope `any`
 */
export function renderTable(options: TableOptions, peers: PeerAddresses): string {
	const name = `inet ${options.table}`;
	const sets = options.scope === "peers" ? peerSets(peers) : [];
	return [
		// The first line makes the second one succeed when there is no such table.
		`table ${name}`,
		`delete table ${name}`,
		`table ${name} {`,
		...sets,
		...chain("raw_pre", "prerouting", "raw", [
			...(options.forwarded ? [] : [leavesAlone("fib daddr type != local", "not for this router")]),
			...tracing(options, "saddr"),
			...rules(options, "saddr", "notrack", "out of conntrack, in"),
		]),
		...chain("raw_out", "output", "raw", [
			...tracing(options, "daddr"),
			...rules(options, "daddr", "notrack", "out of conntrack, out"),
		]),
		...chain("filter_input", "input", "filter", [...rules(options, "saddr", "accept", "accepted")]),
		"}",
		"",
	].join("\n");
}

const MARKS = / \(run [0-9a-f]{8}\)"/g;

/**
 * The text with a mark in a rule's comment, by which the daemon knows its own transaction in `nft monitor` where the
 * process ids that the monitor prints are another namespace's, as in a container.
 * @param mark 8 hexadecimal digits
 */
export function withMark(text: string, mark: string): string {
	return text.replace(/(comment "bgpwarden: [^"]*)"/, `$1 (run ${mark})"`);
}

/** A text or a listing as it would be without a mark. */
export function withoutMark(text: string): string {
	return text.replace(MARKS, '"');
}

function chain(name: string, hook: string, priority: string, body: readonly string[]): string[] {
	return [
		`\tchain ${name} {`,
		`\t\ttype filter hook ${hook} priority ${priority}; policy accept;`,
		...body.map((rule) => `\t\t${rule}`),
		"\t}",
	];
}

/** The rules of one chain; `side` is where the peer's address stands in a packet. */
function rules(options: TableOptions, side: "saddr" | "daddr", verdict: string, what: string): string[] {
	return scopes(options, side).flatMap((scope) => [
		`${scope}tcp dport 179 counter ${verdict} ${comment(`BGP ${what}`)}`,
		`${scope}tcp sport 179 counter ${verdict} ${comment(`BGP ${what}`)}`,
		...BFD.map(
			([port, name]) => `${scope}udp dport ${port} counter ${verdict} ${comment(`${name} ${what}`)}`,
		),
	]);
}

/** Each BGP handshake and each end of one shows its way through every chain; established sessions cost nothing. */
function tracing(options: TableOptions, side: "saddr" | "daddr"): string[] {
	return scopes(options, side).flatMap((scope) =>
		["dport", "sport"].map(
			(port) =>
				`${scope}tcp ${port} 179 tcp flags & (fin|syn|rst) != 0 limit rate 10/second burst 20 packets ` +
				`meta nftrace set 1 ${comment("trace of BGP's handshakes")}`,
		),
	);
}

/** The port comes first: it spares every other packet of the router the route lookup. */
function leavesAlone(match: string, why: string): string {
	return (
		`meta l4proto { tcp, udp } th dport != { 179, 3784, 3785, 4784 } th sport != 179 return ` +
		`${comment("neither BGP nor BFD")}\n\t\t${match} return ${comment(why)}`
	);
}

function scopes(options: TableOptions, side: "saddr" | "daddr"): string[] {
	return options.scope === "any" ? [""] : [`ip ${side} @peers4 `, `ip6 ${side} @peers6 `];
}

function peerSets(peers: PeerAddresses): string[] {
	return [...set("peers4", "ipv4_addr", peers.ipv4), ...set("peers6", "ipv6_addr", peers.ipv6)];
}

function set(name: string, type: string, addresses: readonly string[]): string[] {
	const unique = [...new Set(addresses)].sort();
	const elements = unique.length > 0 ? [`\t\telements = { ${unique.join(", ")} }`] : [];
	return [`\tset ${name} {`, `\t\ttype ${type}`, ...elements, "\t}"];
}

function comment(text: string): string {
	return `comment "bgpwarden: ${text}"`;
}
