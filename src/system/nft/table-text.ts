import type { Mark } from "../../model/config.ts";
import { ALL_BFD_PORTS, BFD_PORTS } from "../../model/ports.ts";
import type { TableForm, TableSpec } from "../../model/table.ts";

/**
 * UDP ports of BFD: single hop and echo (RFC 5881), multihop (RFC 5883). A rule for each, since the counters tell in which
 * mode the other side speaks.
 */
const BFD = [
	[BFD_PORTS.singleHop, "BFD"],
	[BFD_PORTS.echo, "BFD echo"],
	[BFD_PORTS.multihop, "multihop BFD"],
] as const;

/**
 * The ruleset text that puts the table in place, whatever was there under its name: one transaction for `nft -f -`
 * (nft(8)). `raw` is the priority before connection tracking, so `notrack` there keeps a packet out of it, and
 * NAT, which needs conntrack, with it.
 */
export function renderTable(options: TableSpec, form: TableForm = {}): string {
	const named = options.scope === "peers" ? options.addresses : (options.traced ?? []);
	const sets = options.scope === "peers" || named.length > 0 ? peerSets(named) : [];
	return [
		...[...(form.former ?? []), options.table].flatMap((table) => removal(table, form)),
		`table inet ${options.table} {`,
		...(form.owned ? ["\tflags owner, persist;"] : []),
		...sets,
		...chain("raw_pre", "prerouting", "raw", [
			...(options.forwarded ? [] : [leavesAlone(options, "fib daddr type != local", "not for this router")]),
			...tracing(options, "saddr"),
			...past(options, "in"),
		]),
		...chain("raw_out", "output", "raw", [...tracing(options, "daddr"), ...past(options, "out")]),
		...routing(options),
		...chain("filter_input", "input", "filter", [...rules(options, "saddr", "counter accept", "accepted")]),
		"}",
		"",
	].join("\n");
}

/** Deletes a table that may not be there. */
function removal(table: string, { owned, destroy }: TableForm): string[] {
	if (owned || destroy) return [`destroy table inet ${table}`];
	// The first line makes the second one succeed when there is no such table.
	return [`table inet ${table}`, `delete table inet ${table}`];
}

/**
 * The text with a mark in a rule's comment, by which the daemon knows its own transaction: in a listing, where another process
 * may own a table of that name, and in `nft monitor` where the process ids that it prints are another namespace's, as in a
 * container.
 * @param mark 8 hexadecimal digits
 */
export function withMark(text: string, mark: string): string {
	return text.replace(/(comment "bgpwarden: [^"]*)"/, `$1 (run ${mark})"`);
}

function chain(
	name: string,
	hook: string,
	priority: string,
	body: readonly string[],
	type = "filter",
): string[] {
	return [
		`\tchain ${name} {`,
		`\t\ttype ${type} hook ${hook} priority ${priority}; policy accept;`,
		...body.map((rule) => `\t\t${rule}`),
		"\t}",
	];
}

/** The rules of one chain; `side` is where the peer's address stands in a packet. */
function rules(options: TableSpec, side: "saddr" | "daddr", action: string, what: string): string[] {
	return scopes(options, side).flatMap((scope) => [
		`${scope}tcp dport ${oneOf(options.ports)} ${action} ${comment(`BGP ${what}`)}`,
		`${scope}tcp sport ${oneOf(options.ports)} ${action} ${comment(`BGP ${what}`)}`,
		...BFD.map(([port, name]) => `${scope}udp dport ${port} ${action} ${comment(`${name} ${what}`)}`),
	]);
}

/**
 * Past conntrack and NAT, and past proxies: those that have a mark for what they shall let through do so for
 * `bypassMark`. Only what ends or begins at the router gets it, for nobody would take it from other packets again.
 */
function past(options: TableSpec, way: "in" | "out"): string[] {
	const side = way === "in" ? "saddr" : "daddr";
	const mark = setMark(options.bypassMark);
	if (mark === undefined) return rules(options, side, "counter notrack", `out of conntrack, ${way}`);
	if (way === "out" || !options.forwarded)
		return rules(options, side, `counter ${mark} notrack`, `past conntrack and proxies, ${way}`);
	return [
		...rules(options, side, `fib daddr type local ${mark}`, "past proxies, in"),
		...rules(options, side, "counter notrack", `out of conntrack, ${way}`),
	];
}

/**
 * A chain that sends the router's own BGP and BFD the way it would go if nobody had marked it. Proxies and policy routing
 * mark what the router sends in chains of type route with priority mangle (-150); a chain of this type that changes the
 * mark again, at a later priority, has the kernel choose the route again (nf_route_table_hook4 in nft_chain_route.c).
 * Without conntrack a proxy cannot tell an answer from a connection of the router's own, so answers need this too.
 */
function routing(options: TableSpec): string[] {
	const mark = setMark(options.routeMark);
	if (mark === undefined) return [];
	return chain("route_out", "output", "-90", rules(options, "daddr", mark, "on its own route, out"), "route");
}

function setMark(mark: Mark): string | undefined {
	return mark === "keep" ? undefined : `meta mark set 0x${mark.toString(16).padStart(8, "0")}`;
}

/**
 * Traces each start and end of a BGP session through every chain; established sessions cost nothing. While others send SYNs
 * without end, peers have a limit of their own.
 */
function tracing(options: TableSpec, side: "saddr" | "daddr"): string[] {
	const apart = options.scope === "any" && options.traced ? ofPeers(side) : [];
	return [...apart, ...scopes(options, side)].flatMap((scope) =>
		["dport", "sport"].map(
			(port) =>
				`${scope}tcp ${port} ${oneOf(options.ports)} tcp flags & (fin|syn|rst) != 0 limit rate 10/second burst 20 packets ` +
				`meta nftrace set 1 ${comment("trace of BGP's handshakes")}`,
		),
	);
}

/** The port comes first, so that no other packet of the router costs a route lookup. */
function leavesAlone({ ports }: TableSpec, match: string, why: string): string {
	return (
		`meta l4proto { tcp, udp } th dport != ${oneOf([...ports, ...ALL_BFD_PORTS])} th sport != ${oneOf(ports)} return ` +
		`${comment("neither BGP nor BFD")}\n\t\t${match} return ${comment(why)}`
	);
}

/** As nft prints it: a single one without braces. */
function oneOf(ports: readonly number[]): string {
	return ports.length === 1 ? String(ports[0]) : `{ ${ports.join(", ")} }`;
}

function scopes(options: TableSpec, side: "saddr" | "daddr"): string[] {
	return options.scope === "any" ? [""] : ofPeers(side);
}

function ofPeers(side: "saddr" | "daddr"): string[] {
	return [`ip ${side} @peers4 `, `ip6 ${side} @peers6 `];
}

function peerSets(addresses: readonly string[]): string[] {
	const ofFamily = (ipv6: boolean) => addresses.filter((address) => address.includes(":") === ipv6);
	return [...set("peers4", "ipv4_addr", ofFamily(false)), ...set("peers6", "ipv6_addr", ofFamily(true))];
}

function set(name: string, type: string, addresses: readonly string[]): string[] {
	const unique = [...new Set(addresses)].sort();
	const elements = unique.length > 0 ? [`\t\telements = { ${unique.join(", ")} }`] : [];
	// A range of neighbors may hold a peer's address, and another range; nft lists neighbors in a row as `first-last`.
	const flags = unique.some((each) => /[-/]/.test(each)) ? ["\t\tflags interval; auto-merge;"] : [];
	return [`\tset ${name} {`, `\t\ttype ${type}`, ...flags, ...elements, "\t}"];
}

function comment(text: string): string {
	return `comment "bgpwarden: ${text}"`;
}
