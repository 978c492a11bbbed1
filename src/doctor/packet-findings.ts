import type { Obstacle, WalkedPeer } from "../model/obstacle.ts";
import { BFD_PORTS } from "../model/ports.ts";
import { EFFECTS } from "../model/rule-effect.ts";
import type { Ruleset } from "../model/ruleset.ts";
import { findObstacles, sparedRules, stops, unreviewed } from "../ruleset/obstacles.ts";
import { type Facts, isFailure } from "./facts.ts";
import { type Finding, green, yellow } from "./finding.ts";
import { type Peer, walkedPeer } from "./known-peers.ts";

/** Rules that are named where the table spares BGP from them. */
const SHOWN = 4;

/** Sends each peer's first packets through the ruleset as it is, and says which rules would catch or stop them. */
export function reviewPackets(facts: Facts, peers: readonly Peer[]): Finding[] {
	const { ruleset } = facts;
	if (isFailure(ruleset)) return [];
	const findings = legacy(facts);
	const walked: WalkedPeer[] = [];
	const left: string[] = [];
	const { table: own } = facts.config.main;
	for (const peer of peers) {
		const ends = walkedPeer(peer, facts);
		if (!ends) continue;
		walked.push(ends);
		const obstacles = findObstacles(ruleset, ends, own);
		// Without its interface the peer might be in any zone, and opening one of them would be a guess.
		const found = obstacles.filter((each) => !isGuess(each, ends));
		if (found.length < obstacles.length) left.push(`the zone of ${peer.name}: its interface is not known`);
		findings.push(...found.map((obstacle) => finding(obstacle, peer, ends)));
	}
	if (walked.length === 0) return findings;
	const fine = findings.length === 0;
	const links = walked.map((each) => each.interface);
	left.push(...unreviewed(ruleset, links));
	const spared = sparedBy(ruleset, own, walked);
	// What is caught all the same is told above, and is nothing that the table spares anybody.
	if (spared.length === 0 && fine) findings.push(noRule(left));
	else findings.push(...spared, ...(left.length > 0 ? [unseen(left)] : []));
	return findings;
}

function isGuess({ certain, zone }: Obstacle, peer: WalkedPeer): boolean {
	return !certain && zone !== undefined && peer.interface === undefined;
}

function noRule(left: readonly string[]): Finding {
	const finding = green("ruleset", "nft", "No rule catches or stops BGP or BFD of any peer.");
	if (left.length === 0) return finding;
	const text = "No rule that was looked at catches or stops BGP or BFD of any peer.";
	return { ...finding, text, evidence: describeLeft(left) };
}

/** Beside what was found, or what the table spares BGP from. */
function unseen(left: readonly string[]): Finding {
	return { ...green("ruleset", "nft", "Not all rules were looked at."), evidence: describeLeft(left) };
}

function describeLeft(left: readonly string[]): string[] {
	return left.slice(0, SHOWN).map((each) => `not looked at: ${each}`);
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

/** What works now is not broken: what is found will show the next time it has to come up. */
function finding(obstacle: Obstacle, { name, established, live }: Peer, { ports }: WalkedPeer): Finding {
	const { id, effect, certain, packet, place, evidence } = obstacle;
	const works = id.startsWith("bfd-") ? live?.bfd === "up" : established;
	const grave = certain && !works && effect !== "mark";
	const will = works ? "It works now, but the next time " : "";
	const verb = certain ? (works ? "will be" : "is") : "may be";
	const text = `${will}${packet} ${verb} ${EFFECTS[effect]} ${place}.`;
	return {
		id,
		level: grave ? "red" : "yellow",
		subject: name,
		text: text.charAt(0).toUpperCase() + text.slice(1),
		advice: advise(obstacle, id.startsWith("connect-") ? ports.peer : ports.router),
		evidence,
	};
}

function advise({ table, effect, hook, zone }: Obstacle, port: number): string {
	if (table.endsWith(" fw4") && stops(effect) && hook === "input")
		return zone === undefined
			? `allow TCP port ${port} from the peer in /etc/config/firewall, or set option zone in /etc/config/bgpwarden`
			: `option zone '${zone}' in /etc/config/bgpwarden has bgpwarden open the ports; or a rule in /etc/config/firewall`;
	if (stops(effect) && (hook === "output" || hook === "postrouting"))
		return "keep the answers out of conntrack as well: bgpwarden's own table does (chain raw_out); bgpwarden ensure";
	if (stops(effect))
		return `accept TCP port ${port} and UDP ports ${BFD_PORTS.singleHop} and ${BFD_PORTS.multihop} ${hook === "egress" ? "to" : "from"} the peer in table ${table}`;
	return `exempt the peer in the program that made table ${table} (its address, TCP port ${port}, or \`fib daddr type local\`)`;
}

/** What the daemon's table is good for: NAT rules that would catch BGP without it. */
function sparedBy(ruleset: Ruleset, own: string, walked: readonly WalkedPeer[]): Finding[] {
	const rules = sparedRules(ruleset, walked, own);
	if (rules.size === 0) return [];
	return [
		{
			...green("nat-bypassed", "nft", "The table keeps BGP away from rules that would catch it otherwise."),
			evidence: [...rules.values()].slice(0, SHOWN),
		},
	];
}
