import { parseAddress } from "../lib/address.ts";
import { zoneOfChains } from "../model/fw4-zone.ts";
import type { Obstacle, WalkedPeer } from "../model/obstacle.ts";
import type { Effect } from "../model/rule-effect.ts";
import type { Ruleset, Table } from "../model/ruleset.ts";
import { bfdPackets, type Ends, peerOpens, peersSyn, routerOpens } from "./bgp-packets.ts";
import type { RuleHit, Walk } from "./hit.ts";
import { describeHit } from "./rule-text.ts";

/** Lines of evidence for one obstacle. */
const SHOWN = 4;

export const STOPS: ReadonlySet<Effect> = new Set(["drop", "reject"]);
export const CATCHES: ReadonlySet<Effect> = new Set(["tproxy", "queue", "redirect", "dnat", "synproxy"]);
const DIVERTS: ReadonlySet<Effect> = new Set(["mark", "queue"]);
const TAKES: ReadonlySet<Effect> = new Set([...CATCHES, "mark"]);
const ANY: ReadonlySet<Effect> = new Set([...STOPS, ...CATCHES]);

/** Whether something of this effect keeps a packet from going any further. */
export function stops(effect: Effect): boolean {
	return STOPS.has(effect);
}

/** The two ends of a peer's session; undefined while its address is none. */
export function endsOf(peer: WalkedPeer): Ends | undefined {
	const address = parseAddress(peer.address);
	if (!address) return undefined;
	const own = parseAddress(peer.localAddress ?? "");
	return {
		family: address.family,
		peer: address.bytes,
		ports: peer.ports,
		...(own && own.family === address.family ? { local: own.bytes } : {}),
		...(peer.interface === undefined ? {} : { interface: peer.interface }),
	};
}

/**
 * Sends a peer's first packets through a ruleset, and says which rules would catch or stop them. One table that catches
 * several packets is one fault: the first stands for all of one rule, or BFD's.
 * @param own name of the daemon's table
 */
export function findObstacles(ruleset: Ruleset, peer: WalkedPeer, own: string): Obstacle[] {
	const ends = endsOf(peer);
	if (!ends) return [];
	const rules = new Set<string>();
	const tables = new Set<Table>();
	return [...ofBgp(ruleset, peer, ends, own), ...ofBfd(ruleset, peer, ends)].flatMap(
		({ first, obstacle }) => {
			const known = rules.has(key(first)) || (obstacle.id.startsWith("bfd-") && tables.has(first.table));
			rules.add(key(first));
			tables.add(first.table);
			return known ? [] : [obstacle];
		},
	);
}

/** Rules that catch a peer's SYN only where the daemon's table is not there, by what identifies them. */
export function sparedRules(
	ruleset: Ruleset,
	peers: readonly WalkedPeer[],
	own: string,
): ReadonlyMap<string, string> {
	const tables = ruleset.tables.filter(({ family, name }) => family !== "inet" || name !== own);
	if (tables.length === ruleset.tables.length || !tables.some(hasNat)) return new Map();
	const caught = (walked: Ruleset) =>
		peers
			.flatMap((peer) => endsOf(peer) ?? [])
			.flatMap((ends) => peersSyn(walked, ends).hits)
			.filter(({ effect }) => CATCHES.has(effect));
	// What spares one peer may still catch another, on another port.
	const now = new Set(caught(ruleset).map(key));
	return new Map(
		caught({ ...ruleset, tables })
			.filter((hit) => !now.has(key(hit)))
			.map((hit) => [key(hit), describeHit(hit)]),
	);
}

/**
 * What no peer's packets are sent through: bridges, and chains of devices other than the peers' own.
 * @param interfaces the router's interfaces towards the peers; undefined: not known
 */
export function unreviewed(
	{ tables, bridges }: Ruleset,
	interfaces: readonly (string | undefined)[],
): readonly string[] {
	const chains = tables.flatMap(({ family, name, dormant, chains }) =>
		[...chains.values()].flatMap(({ base, rules, name: chain }) => {
			const devices = base?.devices;
			if (dormant || !devices || devices.some((device) => interfaces.includes(device))) return [];
			if (rules.length === 0 && base.policy === "accept") return [];
			const where = devices.length > 0 ? `${base.hook} of ${devices.join(", ")}` : base.hook;
			return [`chain ${chain} of table ${family} ${name} (${where})`];
		}),
	);
	return [...bridges.map((name) => `table bridge ${name}`), ...chains];
}

/** An obstacle and the rule that it is about. */
interface Met {
	readonly first: RuleHit;
	readonly obstacle: Obstacle;
}

function ofBgp(ruleset: Ruleset, peer: WalkedPeer, ends: Ends, own: string): Met[] {
	const { syn, answer } = peerOpens(ruleset, ends);
	const incoming = `the peer's SYN to port ${peer.ports.router}`;
	const outgoing = "the router's answer (SYN-ACK)";
	const found = [find("bgp-caught", syn, CATCHES, incoming), find("bgp-blocked", syn, STOPS, incoming)];
	// What is stopped for sure is not answered.
	if (!found.some((met) => met?.obstacle.id === "bgp-blocked" && met.obstacle.certain))
		found.push(
			find("answer-dropped", answer, STOPS, outgoing),
			find("answer-diverted", withoutUndoneMarks(answer, own), DIVERTS, outgoing),
		);
	if (peer.dials) {
		const dialed = routerOpens(ruleset, ends);
		const dial = "the router's own SYN";
		found.push(
			find("connect-caught", withoutUndoneMarks(dialed.syn, own), TAKES, dial),
			find("connect-blocked", dialed.syn, STOPS, dial),
		);
	}
	return found.flatMap((met) => met ?? []);
}

function ofBfd(ruleset: Ruleset, { bfdPort }: WalkedPeer, ends: Ends): Met[] {
	if (bfdPort === undefined) return [];
	const { incoming, outgoing } = bfdPackets(ruleset, ends, bfdPort);
	return [
		find("bfd-caught", incoming, ANY, `BFD from the peer (UDP ${bfdPort})`),
		find("bfd-blocked", outgoing, STOPS, `BFD to the peer (UDP ${bfdPort})`),
	].flatMap((each) => each ?? []);
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

function find(id: Obstacle["id"], walk: Walk, effects: ReadonlySet<Effect>, packet: string): Met | undefined {
	const met = firstMet(walk, effects);
	return met && { first: met.first, obstacle: { id, packet, ...met.what } };
}

/** The rule, or policy, of these effects that a packet meets first: one that is sure before one that may match. */
export function firstMet(
	{ hits }: Walk,
	effects: ReadonlySet<Effect>,
): { readonly first: RuleHit; readonly what: Omit<Obstacle, "id" | "packet"> } | undefined {
	const met = hits.filter(({ effect }) => effects.has(effect));
	const [first] = met.filter(({ certain }) => certain).concat(met);
	if (!first) return undefined;
	const { table, effect, certain, hook } = first;
	const zone = zoneOf(first);
	return {
		first,
		what: {
			...{ effect, certain, hook },
			place: describePlace(first),
			table: `${table.family} ${table.name}`,
			...(zone === undefined ? {} : { zone }),
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

function hasNat({ chains }: Table): boolean {
	return [...chains.values()].some(
		({ base, rules }) => base?.type === "nat" && base.hook === "prerouting" && rules.length > 0,
	);
}

/** What identifies a rule, or a chain's policy. */
export function key({ table, rule, base }: RuleHit): string {
	return `${table.family} ${table.name} ${rule?.chain ?? base} ${rule?.handle ?? 0}`;
}
