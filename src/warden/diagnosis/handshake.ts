import type { Diagnosis } from "../../model/diagnosis.ts";
import { serviceOfChain } from "../../model/known-programs.ts";
import type { Hop, PacketTrace } from "../../model/packet-trace.ts";
import { BFD_PORTS, BGP_PORT } from "../../model/ports.ts";
import { describeBird, describePeer, describeServices, describeTime } from "./evidence-text.ts";
import {
	describeHop,
	describeVerdict,
	describeWay,
	type PacketVerdict,
	verdictOf,
	zoneOf,
} from "./verdict.ts";
import type { View } from "./view.ts";
import { ANSWER_PATIENCE, SILENCE } from "./view.ts";

/** A SYN older than this many ms is no news: FRR dials at least every 120 s. */
const FRESH = SILENCE;

/** What this router's ruleset did to the latest handshake. */
export function diagnoseHandshake(view: View): Diagnosis | undefined {
	const { syn, dial } = view.evidence;
	return (
		(isFresh(view, syn) ? diagnoseIncoming(view, syn) : undefined) ??
		(isFresh(view, dial) ? diagnoseOutgoing(view, dial) : undefined)
	);
}

/** BIRD keeps a lost session for up to its hold time. */
const LOST_WITHIN = 60_000;

/**
 * The peer connects while BIRD still says Established: for the peer the session is over, and what stops its SYN stops the rest
 * as well.
 */
export function diagnoseLostSession(view: View): Diagnosis | undefined {
	const { syn } = view.evidence;
	const age = syn === undefined ? 0 : view.now - syn.at;
	if (!isFresh(view, syn) || age > LOST_WITHIN) return undefined;
	const own = view.state.settings.table;
	const caught = diagnoseVerdict(view, syn, verdictOf(syn, own), `the SYN of ${describePeer(view.record)}`);
	if (caught || !hadTime(view, syn) || reachesInput(syn, own)) return caught;
	return diagnoseVanished(view, `its SYN came at ${describeTime(view, syn.at)}: ${describeWay(syn)}`);
}

function isFresh({ evidence, now }: View, trace: PacketTrace | undefined): trace is PacketTrace {
	return trace !== undefined && now - trace.at < FRESH && trace.at >= (evidence.established ?? 0);
}

/** The peer has sent a SYN. */
function diagnoseIncoming(view: View, syn: PacketTrace): Diagnosis | undefined {
	const { record, evidence, state } = view;
	const own = state.settings.table;
	const verdict = verdictOf(syn, own);
	const caught = diagnoseVerdict(view, syn, verdict, `the SYN of ${describePeer(record)}`);
	if (caught) return caught;
	const { answer } = evidence;
	const seen = `its SYN came at ${describeTime(view, syn.at)}: ${describeWay(syn)}`;
	if (!answer || answer.at < syn.at - SAME_DIAL || answer.packet.destinationPort !== syn.packet.sourcePort) {
		if (!hadTime(view, syn)) return undefined;
		if (!reachesInput(syn, own)) return diagnoseVanished(view, seen);
		return {
			id: "no-answer",
			explanation: `the SYN of ${describePeer(record)} reaches BIRD's port, and nothing answers`,
			evidence: [seen, describeBird(record)],
			remedy:
				"compare the TCP MD5 password (or TCP-AO key) of both sides, `password` in BIRD and in MetalLB's BGPPeer; " +
				"the kernel silently drops a SYN with a wrong signature",
		};
	}
	if (answer.packet.flags.includes("rst")) {
		return {
			id: "not-listening",
			explanation: `the SYN of ${describePeer(record)} is answered by RST: nothing listens on ${syn.packet.destination} port ${BGP_PORT}`,
			evidence: [seen, `RST from ${answer.packet.source}`, describeBird(record)],
			remedy: `have BIRD listen on ${syn.packet.destination}, port ${BGP_PORT}: check \`local\`, \`port\` and \`strict bind\` in protocol ${record.peer.name}`,
		};
	}
	const answerVerdict = verdictOf(answer, own);
	if (answerVerdict.kind === "passed") return undefined;
	return {
		id: "reply-dropped",
		explanation: `the router's own SYN-ACK to ${describePeer(record)} is ${describeVerdict(answerVerdict)}`,
		evidence: [`the SYN-ACK: ${describeWay(answer)}`, seen, ...describeTable(view, answerVerdict.hop)],
		remedy: `exclude BGP (TCP source port ${BGP_PORT}) from ${describeHop(answerVerdict.hop)}`,
		table: tableOf(answerVerdict.hop),
	};
}

/** Milliseconds within which an answer belongs to a SYN; an older one was for an earlier SYN from the same port. */
const SAME_DIAL = 10_000;

/** Whether an answer would have come by now. */
function hadTime({ evidence, now }: View, syn: PacketTrace): boolean {
	const age = now - syn.at;
	return age >= ANSWER_PATIENCE.once || ((evidence.syns ?? 1) > 1 && age >= ANSWER_PATIENCE.again);
}

/** The daemon's own chain at the input hook shows that a packet came this far. */
function reachesInput({ hops }: PacketTrace, own: string): boolean {
	return hops.some(
		({ family, table, chain }) => family === "inet" && table === own && chain === "filter_input",
	);
}

/** No nftables rule stopped the SYN, and it never came to the input hook. */
function diagnoseVanished(view: View, seen: string): Diagnosis {
	return {
		id: "hijacked",
		explanation: `the SYN of ${describePeer(view.record)} disappears between prerouting and input, and no nftables rule drops it`,
		evidence: [seen, ...describeServices(view), describeBird(view.record)],
		remedy:
			"check what nft does not show: rules of iptables-legacy (`iptables-legacy-save`), an NFQUEUE without its program, " +
			"eBPF programs (`tc filter show`), `rp_filter`",
	};
}

/** BIRD has sent a SYN; an RST in answer is normal, because MetalLB's speakers do not listen. */
function diagnoseOutgoing(view: View, dial: PacketTrace): Diagnosis | undefined {
	return diagnoseVerdict(
		view,
		dial,
		verdictOf(dial, view.state.settings.table),
		`the router's own SYN to ${describePeer(view.record)}`,
	);
}

function diagnoseVerdict(
	view: View,
	trace: PacketTrace,
	verdict: PacketVerdict,
	whose: string,
): Diagnosis | undefined {
	if (verdict.kind === "passed") return undefined;
	const { hop } = verdict;
	const seen = `its way: ${describeWay(trace)}`;
	const table = tableOf(hop);
	if (verdict.kind === "stopped" && hop.family === "inet" && hop.table === "fw4") {
		const zone = zoneOf(trace);
		const named = zone === undefined ? "" : ` (zone ${zone})`;
		return {
			id: "blocked",
			explanation: `the firewall ${verdict.effect === "reject" ? "rejects" : "drops"} ${whose} in chain ${hop.chain}${named}`,
			evidence: [`${describeHop(hop)}`, seen, ...describeServices(view)],
			remedy:
				zone === undefined
					? `allow TCP port ${BGP_PORT} from the peer in /etc/config/firewall, and UDP ${BFD_PORTS.singleHop} and ${BFD_PORTS.multihop} for BFD`
					: `\`uci set bgpwarden.main.zone=${zone}; uci commit bgpwarden; service bgpwarden reload\` opens BGP and BFD in zone ${zone}`,
			table,
		};
	}
	return {
		id: "hijacked",
		explanation: `${whose} is ${describeVerdict(verdict)}${describeOwner(view, hop)}`,
		evidence: [seen, ...describeTable(view, hop), ...describeServices(view)],
		remedy: `have ${describeOwnerOr(view, hop, "that program")} bypass ${view.record.peer.neighborAddress ?? "the peer"} and TCP port ${BGP_PORT}, by a rule before this one`,
		table,
	};
}

function tableOf({ family, table }: Hop): string {
	return `${family} ${table}`;
}

function describeTable(view: View, hop: Hop): string[] {
	const change = view.state.evidence.tables[tableOf(hop)];
	return change
		? [`table ${tableOf(hop)} was last changed at ${describeTime(view, change.at)} by ${change.by}`]
		: [];
}

function ownerOf(view: View, hop: Hop): string | undefined {
	const known = serviceOfChain(`${tableOf(hop)} ${hop.chain}`);
	const changed = view.state.evidence.tables[tableOf(hop)]?.by;
	// A table that nft itself made does not tell by whom.
	return known ?? (changed === undefined || changed === "nft" ? undefined : changed);
}

function describeOwner(view: View, hop: Hop): string {
	const owner = ownerOf(view, hop);
	return owner === undefined ? "" : ` (service ${owner})`;
}

function describeOwnerOr(view: View, hop: Hop, other: string): string {
	return ownerOf(view, hop) ?? other;
}
