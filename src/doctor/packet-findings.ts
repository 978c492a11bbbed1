import { zoneOfChains } from "../model/fw4-zone.ts";
import { BFD_PORTS, BGP_PORT } from "../model/ports.ts";
import { EFFECTS, type Effect } from "../model/rule-effect.ts";
import type { Ruleset, Table } from "../model/ruleset.ts";
import {
	bfdPackets,
	type Ends,
	type Handshake,
	peerOpens,
	peersSyn,
	routerOpens,
} from "../ruleset/bgp-packets.ts";
import type { RuleHit, Walk } from "../ruleset/hit.ts";
import { describeHit } from "../ruleset/rule-text.ts";
import { type Facts, isFailure } from "./facts.ts";
import { type Finding, green, yellow } from "./finding.ts";
import { endsOf, type Peer } from "./known-peers.ts";

/** Lines of evidence for one finding. */
const SHOWN = 4;

const STOPS: ReadonlySet<Effect> = new Set(["drop", "reject"]);
const CATCHES: ReadonlySet<Effect> = new Set(["tproxy", "queue", "redirect", "dnat", "synproxy"]);

/** Sends each peer's first packets through the ruleset as it is, and says which rules would catch or stop them. */
export function reviewPackets(facts: Facts, peers: readonly Peer[]): Finding[] {
	const { ruleset } = facts;
	if (isFailure(ruleset)) return [];
	const findings = legacy(facts);
	const met: { ends: Ends; syn: Walk }[] = [];
	for (const peer of peers) {
		const ends = endsOf(peer, facts);
		if (!ends) continue;
		const handshake = peerOpens(ruleset, ends);
		const { table: own } = facts.config.main;
		met.push({ ends, syn: handshake.syn });
		findings.push(...once([...bgp(ruleset, peer, ends, handshake, own), ...bfd(ruleset, peer, ends)]));
	}
	if (met.length === 0) return findings;
	const fine = findings.length === 0;
	const spared = sparedBy(ruleset, facts.config.main.table, met);
	if (spared.length > 0) findings.push(...spared);
	else if (fine) findings.push(green("ruleset", "nft", "No rule catches or stops BGP or BFD of any peer."));
	return findings;
}

function legacy({ legacyTables }: Facts): Finding[] {
	if (legacyTables.length === 0) return [];
	return [
		yellow(
			"legacy-iptables",
			"iptables",
			`iptables-legacy has rules of its own (${legacyTables.join(", ")}), which nft does not show: they were not reviewed.`,
			"iptables-legacy-save shows them",
		),
	];
}

/** @param own the daemon's table */
function bgp(ruleset: Ruleset, peer: Peer, ends: Ends, { syn, answer }: Handshake, own: string): Met[] {
	const incoming = `the peer's SYN to port ${BGP_PORT}`;
	const outgoing = "the router's answer (SYN-ACK)";
	const found = [
		find("bgp-caught", peer, syn, CATCHES, incoming),
		find("bgp-blocked", peer, syn, STOPS, incoming),
	];
	// What is stopped for sure is not answered.
	if (!found.some((met) => met?.finding.id === "bgp-blocked" && met.finding.level === "red"))
		found.push(
			find("answer-dropped", peer, answer, STOPS, outgoing),
			find(
				"answer-diverted",
				peer,
				withoutUndoneMarks(answer, own),
				new Set<Effect>(["mark", "queue"]),
				outgoing,
			),
		);
	if (dials(peer)) {
		const dialed = routerOpens(ruleset, ends);
		found.push(
			find(
				"connect-caught",
				peer,
				withoutUndoneMarks(dialed.syn, own),
				new Set([...CATCHES, "mark"]),
				"the router's own SYN",
			),
			find("connect-blocked", peer, dialed.syn, STOPS, "the router's own SYN"),
		);
	}
	return found.flatMap((met) => met ?? []);
}

/** The daemon's table sets the mark itself (`route_mark`): what anybody did to it before says nothing of the route. */
function withoutUndoneMarks(walk: Walk, own: string): Walk {
	const isOwn = ({ effect, table }: RuleHit) =>
		effect === "mark" && table.family === "inet" && table.name === own;
	const last = walk.hits.findLastIndex(isOwn);
	return {
		...walk,
		hits: walk.hits.filter(({ effect }, index) => effect !== "mark" || index > last),
	};
}

/** One table that catches several packets of a peer is one fault: the first finding stands for all of one rule, or BFD's. */
function once(met: readonly Met[]): Finding[] {
	const rules = new Set<string>();
	const tables = new Set<Table>();
	return met.flatMap(({ finding, first }) => {
		const known = rules.has(key(first)) || (finding.id.startsWith("bfd-") && tables.has(first.table));
		rules.add(key(first));
		tables.add(first.table);
		return known ? [] : [finding];
	});
}

/** A passive BIRD never opens a session. */
function dials({ file, live }: Peer): boolean {
	return file ? file.passive !== true : ["Active", "Connect", "OpenSent"].includes(live?.state ?? "");
}

function bfd(ruleset: Ruleset, peer: Peer, ends: Ends): Met[] {
	if (peer.file ? peer.file.bfd === undefined || peer.file.bfd === "off" : peer.live?.bfd === "none")
		return [];
	const multihop = peer.file?.multihop ?? peer.live?.bfdMode === "multihop";
	const port = multihop === false ? BFD_PORTS.singleHop : BFD_PORTS.multihop;
	const { incoming, outgoing } = bfdPackets(ruleset, ends, port);
	const both = new Set([...STOPS, ...CATCHES]);
	return [
		find("bfd-caught", peer, incoming, both, `BFD from the peer (UDP ${port})`, peer.live?.bfd === "up"),
		find("bfd-blocked", peer, outgoing, STOPS, `BFD to the peer (UDP ${port})`, peer.live?.bfd === "up"),
	].flatMap((each) => each ?? []);
}

/** A finding and the rule that it is about. */
interface Met {
	readonly finding: Finding;
	readonly first: RuleHit;
}

/** @param works the session is up all the same: what is found will show the next time it has to come up */
function find(
	id: string,
	{ name, established }: Peer,
	{ hits }: Walk,
	effects: ReadonlySet<Effect>,
	packet: string,
	works = established,
): Met | undefined {
	const met = hits.filter(({ effect }) => effects.has(effect));
	const [first] = met.filter(({ certain }) => certain).concat(met);
	if (!first) return undefined;
	const grave = first.certain && !works && first.effect !== "mark";
	const will = works ? "It works now, but the next time " : "";
	const verb = first.certain ? (works ? "will be" : "is") : "may be";
	const text = `${will}${packet} ${verb} ${EFFECTS[first.effect]} ${describePlace(first)}.`;
	return {
		first,
		finding: {
			id,
			level: grave ? "red" : "yellow",
			subject: name,
			text: text.charAt(0).toUpperCase() + text.slice(1),
			advice: advise(first),
			evidence: met.slice(0, SHOWN).map((each) => `${each.certain ? "" : "perhaps: "}${describeHit(each)}`),
		},
	};
}

function describePlace(hit: RuleHit): string {
	const { table, path, base, rule, hook } = hit;
	const zone = zoneOf(hit);
	const chain = path.at(-1) ?? base;
	const what = rule ? `chain ${chain}` : `the policy of chain ${base}`;
	return `${what} of table ${table.family} ${table.name} (hook ${hook}${zone === undefined ? "" : `, zone ${zone}`})`;
}

function zoneOf({ table, path }: RuleHit): string | undefined {
	return table.name === "fw4" ? zoneOfChains(path) : undefined;
}

function advise(hit: RuleHit): string {
	const { table, effect } = hit;
	const zone = zoneOf(hit);
	if (table.name === "fw4" && STOPS.has(effect) && hit.hook === "input")
		return zone === undefined
			? `allow TCP port ${BGP_PORT} from the peer in /etc/config/firewall, or set option zone in /etc/config/bgpwarden`
			: `option zone '${zone}' in /etc/config/bgpwarden has bgpwarden open the ports; or a rule in /etc/config/firewall`;
	if (STOPS.has(effect) && (hit.hook === "output" || hit.hook === "postrouting"))
		return "keep the answers out of conntrack as well: bgpwarden's own table does (chain raw_out); bgpwarden ensure";
	if (STOPS.has(effect))
		return `accept TCP port ${BGP_PORT} and UDP ports ${BFD_PORTS.singleHop} and ${BFD_PORTS.multihop} from the peer in table ${table.family} ${table.name}`;
	return `exempt the peer in the program that made table ${table.family} ${table.name} (its address, TCP port ${BGP_PORT}, or \`fib daddr type local\`)`;
}

/** What the daemon's table is good for: NAT rules that would catch BGP without it. */
function sparedBy(
	ruleset: Ruleset,
	own: string,
	met: readonly { readonly ends: Ends; readonly syn: Walk }[],
): Finding[] {
	const tables = ruleset.tables.filter(({ family, name }) => family !== "inet" || name !== own);
	if (tables.length === ruleset.tables.length || !tables.some(hasNat)) return [];
	const rules = new Map<string, string>();
	for (const { ends, syn } of met) {
		const now = keys(syn);
		for (const each of peersSyn({ ...ruleset, tables }, ends).hits) {
			if (CATCHES.has(each.effect) && !now.has(key(each))) rules.set(key(each), describeHit(each));
		}
	}
	if (rules.size === 0) return [];
	return [
		{
			...green("nat-bypassed", "nft", "The table keeps BGP away from rules that would catch it otherwise."),
			evidence: [...rules.values()].slice(0, SHOWN),
		},
	];
}

function hasNat({ chains }: Table): boolean {
	return [...chains.values()].some(
		({ base, rules }) => base?.type === "nat" && base.hook === "prerouting" && rules.length > 0,
	);
}

function keys({ hits }: Walk): Set<string> {
	return new Set(hits.filter(({ effect }) => CATCHES.has(effect)).map(key));
}

function key({ table, rule, base }: RuleHit): string {
	return `${table.family} ${table.name} ${rule?.chain ?? base} ${rule?.handle ?? 0}`;
}
