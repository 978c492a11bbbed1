import type { Diagnosis } from "../../model/diagnosis.ts";
import type { PacketTrace } from "../../model/packet-trace.ts";
import { configurationOf } from "../state.ts";
import type { Dial } from "./evidence.ts";
import { lastDial } from "./evidence.ts";
import { describeBird, describePeer, describeServices, describeTime } from "./evidence-text.ts";
import { describeLastChange, diagnoseVerdict, tableOf } from "./stopped-packet.ts";
import { describeHop, describeVerdict, describeWay, verdictOf } from "./verdict.ts";
import type { View } from "./view.ts";
import { ANSWER_PATIENCE, READ_AFTER, routersPort, SILENCE, wordsOf } from "./view.ts";

/** A SYN older than this many ms is no news: by then a speaker has dialed again. */
const FRESH = SILENCE;
/** This many SYNs after the router's answer, and the answer does not arrive: one may have crossed it. */
const UNHEARD = 2;

/** What this router's ruleset did to the latest handshake. */
export function diagnoseHandshake(view: View): Diagnosis | undefined {
	const dialed = lastDial(view.evidence);
	const { dial } = view.evidence;
	return (
		(dialed && isFresh(view, dialed.syn) ? diagnoseIncoming(view, dialed) : undefined) ??
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
	const dial = lastDial(view.evidence);
	const age = dial === undefined ? 0 : view.now - dial.syn.at;
	if (!dial || !isFresh(view, dial.syn) || age > LOST_WITHIN) return undefined;
	const { syn } = dial;
	const own = view.state.settings.table;
	const caught = diagnoseVerdict(view, syn, verdictOf(syn, own), `the SYN of ${describePeer(view.record)}`);
	if (caught || dial.closed || !hadTime(view, dial) || reachesInput(syn, own)) return caught;
	return diagnoseVanished(view, `its SYN came at ${describeTime(view, syn.at)}: ${describeWay(syn)}`);
}

function isFresh({ evidence, now }: View, trace: PacketTrace | undefined): trace is PacketTrace {
	return trace !== undefined && now - trace.at < FRESH && trace.at >= (evidence.established ?? 0);
}

/** The peer has sent a SYN. */
function diagnoseIncoming(view: View, dial: Dial): Diagnosis | undefined {
	const { record, state } = view;
	const { syn, answer } = dial;
	const own = state.settings.table;
	const caught = diagnoseVerdict(view, syn, verdictOf(syn, own), `the SYN of ${describePeer(record)}`);
	if (caught) return caught;
	const seen = `its SYN came at ${describeTime(view, syn.at)}: ${describeWay(syn)}`;
	if (!answer) {
		if (dial.closed || !hadTime(view, dial)) return undefined;
		if (!reachesInput(syn, own)) return diagnoseVanished(view, seen);
		// A BIRD that waits after an error answers nobody.
		return record.peer.state === "Idle" ? undefined : diagnoseNoAnswer(view, seen);
	}
	if (answer.packet.flags.includes("rst"))
		return isReadAfter(view, answer) && answer.at >= runsSince(view)
			? diagnoseRefused(view, syn, answer, seen)
			: undefined;
	const verdict = verdictOf(answer, own);
	if (verdict.kind !== "passed")
		return {
			id: "reply-dropped",
			explanation: `the router's own SYN-ACK to ${describePeer(record)} is ${describeVerdict(verdict)}`,
			evidence: [
				`the SYN-ACK: ${describeWay(answer)}`,
				seen,
				...describeLastChange(view, tableOf(verdict.hop)),
			],
			remedy: `exclude BGP (TCP source port ${routersPort(view)}) from ${describeHop(verdict.hop)}`,
			table: tableOf(verdict.hop),
		};
	return dial.unheard >= UNHEARD && !dial.closed ? diagnoseAnswerLost(view, answer, seen) : undefined;
}

function diagnoseNoAnswer(view: View, seen: string): Diagnosis {
	const { record, state } = view;
	const here = configurationOf(state, record)?.password === true;
	return {
		id: "no-answer",
		explanation: `the SYN of ${describePeer(record)} reaches BIRD's port, and nothing answers`,
		evidence: [
			seen,
			`bird.conf has ${here ? "a" : "no"} password for this peer`,
			describeBird(record),
		].filter((line) => state.bird.configuration !== undefined || !line.startsWith("bird.conf")),
		remedy:
			`compare the TCP MD5 password (or TCP-AO key) of both sides, \`password\` in BIRD and ${wordsOf(view).password}; ` +
			"the kernel silently drops a SYN with a wrong signature",
	};
}

/** Milliseconds from a protocol's start until BIRD listens for it, at most: 4 to 17 in 30 starts on a PC, with room for a router. */
const LISTENS_WITHIN = 200;

/** BIRD closes its port for a moment when it restarts a protocol. Only a reading that was begun after that tells of the restart. */
function isReadAfter({ state }: View, { at }: PacketTrace): boolean {
	return (state.bird.readAt ?? 0) - at >= READ_AFTER;
}

/** When BIRD began to listen for the peer, at the latest. Monotonic ms. */
function runsSince({ state, record: { peer } }: View): number {
	if (peer.since === undefined) return 0;
	// Some BIRDs tell the time to the second.
	const doubt = peer.since % 1000 === 0 ? 1000 : LISTENS_WITHIN;
	return peer.since - state.clockOffset + doubt;
}

function diagnoseRefused(view: View, syn: PacketTrace, answer: PacketTrace, seen: string): Diagnosis {
	const { record } = view;
	const { destination, destinationPort } = syn.packet;
	return {
		id: "not-listening",
		explanation: `the SYN of ${describePeer(record)} is answered by RST: nothing listens on ${destination} port ${destinationPort}`,
		evidence: [seen, `RST from ${answer.packet.source}`, describeBird(record)],
		remedy: `have BIRD listen on ${destination}, port ${destinationPort}: check \`local\`, \`port\` and \`strict bind\` in protocol ${record.peer.name}`,
	};
}

/** The router's kernel answers, and the peer goes on as if it had not. */
function diagnoseAnswerLost(view: View, answer: PacketTrace, seen: string): Diagnosis {
	const { record } = view;
	const where = answer.packet.oif === undefined ? "" : ` on ${answer.packet.oif}`;
	return {
		id: "answer-lost",
		explanation: `the router answers the SYN of ${describePeer(record)}, and the answer does not arrive: the SYN is sent again`,
		evidence: [seen, `the router's SYN-ACK has left${where}: ${describeWay(answer)}`, describeBird(record)],
		remedy: `look on the node and on the way to it for what drops TCP from source port ${routersPort(view)}: the node's own firewall, a policy of the CNI, another way back`,
	};
}

/** Whether an answer would have come by now. */
function hadTime({ now }: View, { syn, syns }: Dial): boolean {
	const age = now - syn.at;
	return age >= ANSWER_PATIENCE.once || (syns > 1 && age >= ANSWER_PATIENCE.again);
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

/** BIRD has sent a SYN; an RST in answer is normal, because the cluster's speakers do not listen. */
function diagnoseOutgoing(view: View, dial: PacketTrace): Diagnosis | undefined {
	return diagnoseVerdict(
		view,
		dial,
		verdictOf(dial, view.state.settings.table),
		`the router's own SYN to ${describePeer(view.record)}`,
	);
}
