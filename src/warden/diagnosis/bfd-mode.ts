import type { Diagnosis } from "../../model/diagnosis.ts";
import type { Counters } from "../../model/inspection.ts";
import { BFD_PORTS } from "../../model/ports.ts";
import { configurationOf, isEstablished } from "../state.ts";
import { describeBird, describePeer } from "./evidence-text.ts";
import { type View, wordsOf } from "./view.ts";

/** Packets of BFD that came in between two readings of the counters. */
export interface BfdPackets {
	/** UDP 3784 (RFC 5881). */
	readonly singleHop: number;
	/** UDP 4784 (RFC 5883). */
	readonly multihop: number;
	/** Those that left; absent where they are not counted. */
	readonly sent?: { readonly singleHop: number; readonly multihop: number };
}

/** BFD comes from Init to Up within a second. */
const ONE_WAY_AFTER = 3000;
/** Milliseconds between two readings that say something: FRR without an answer sends one packet a second. */
const LEAST = 1500;
/** BIRD's BFD without an answer sends this often, ms (`idle tx interval`). */
const IDLE = 1000;

/** @param since what came before says nothing; monotonic ms */
export function bfdPackets({ state }: View, since: number): BfdPackets | undefined {
	const [before, after] = state.evidence.counters;
	// A table that was installed meanwhile counts from 0.
	const from = Math.max(since, state.table.installedAt ?? 0);
	if (!before || !after || before.at < from || after.at - before.at < LEAST) return undefined;
	const singleHop = after.singleHopBfd - before.singleHopBfd;
	const multihop = after.multihopBfd - before.multihopBfd;
	if (singleHop < 0 || multihop < 0) return undefined;
	return { singleHop, multihop, ...sentBetween(before, after) };
}

function sentBetween(before: Counters, after: Counters): Pick<BfdPackets, "sent"> {
	const singleHop = difference(after.sentSingleHopBfd, before.sentSingleHopBfd);
	const multihop = difference(after.sentMultihopBfd, before.sentMultihopBfd);
	return singleHop >= 0 && multihop >= 0 ? { sent: { singleHop, multihop } } : {};
}

/** NaN where one of them is not known. */
function difference(after = Number.NaN, before = Number.NaN): number {
	return after - before;
}

/** What was counted of BFD since a peer's BFD is down, if another peer's has no share in it. */
function countedOfPeer(view: View): BfdPackets | undefined {
	const { record, state, now } = view;
	const { peer, bfdSince, stateSince } = record;
	if ((peer.bfd !== "down" && peer.bfd !== "init") || peer.bfdMode === undefined) return undefined;
	return bfdPackets(view, Math.max(stateSince ?? 0, bfdSince ?? 0, state.startedAt, now - 60_000));
}

/** BIRD has a BFD session and sends nothing: it could not open its socket (`bfd-not-sending`). */
export function diagnoseNotSending(view: View): Diagnosis | undefined {
	const { record, state } = view;
	const { peer } = record;
	const counted = countedOfPeer(view);
	if (!counted?.sent || peer.bfdMode === undefined) return undefined;
	const key = peer.bfdMode === "multihop" ? "multihop" : "singleHop";
	if (counted.sent[key] > 0 || mayBeQuiet(view)) return undefined;
	// Another peer's packets would be counted, and there are none: BIRD sends for nobody.
	const port = BFD_PORTS[key];
	const restart = `\`birdc restart ${peer.name}\` has BIRD open its BFD socket again`;
	return {
		id: "bfd-not-sending",
		explanation: `BIRD has a BFD session with ${describePeer(record)} and sends no packets to UDP ${port}`,
		evidence: [`UDP ${port}: no packets have left`, describeArrivals(counted), describeBird(record)],
		remedy: isEstablished(record)
			? `${restart}; it interrupts the session for a moment`
			: `${restart}${state.settings.remediate ? ", which bgpwarden does" : ""}`,
	};
}

/** bird.conf has BFD wait for the other side, or send less often than the readings of the counters are apart. */
function mayBeQuiet({ state, record }: View): boolean {
	const bfd = state.bird.configuration?.bfd ?? [];
	const options = [
		configurationOf(state, record)?.bfdOptions,
		...bfd.flatMap(({ multihop, interfaces }) => [multihop, ...interfaces.map((each) => each.options)]),
	];
	return options.some((each) => each?.passive === true || (each?.idleTransmit ?? 0) > IDLE);
}

/** The peer's BFD is heard and says that it hears nothing (RFC 5880, section 6.2: Init). */
export function diagnoseOneWay(view: View): Diagnosis | undefined {
	const { record, now, state } = view;
	const { peer, bfdSince, stateSince } = record;
	const counted = countedOfPeer(view);
	if (peer.bfd !== "init" || !counted || peer.bfdMode === undefined) return undefined;
	const since = Math.max(stateSince ?? 0, bfdSince ?? 0, state.startedAt);
	if (now - since < ONE_WAY_AFTER) return undefined;
	const key = peer.bfdMode === "multihop" ? "multihop" : "singleHop";
	if (counted[key] === 0) return undefined;
	const port = BFD_PORTS[key];
	return {
		id: "bfd-one-way",
		explanation: `the router hears BFD of ${describePeer(record)}, and the peer does not hear the router's`,
		evidence: [describeArrivals(counted), describeBird(record)],
		remedy: `look on the node and on the way to it for what drops UDP ${port} from this router, or BFD authentication on one side only`,
	};
}

/** Without numbers, which would differ each time. */
export function describeArrivals({ singleHop, multihop }: BfdPackets): string {
	const say = (packets: number) => (packets > 0 ? "packets arrive" : "no packets");
	return `UDP ${BFD_PORTS.singleHop}: ${say(singleHop)}, UDP ${BFD_PORTS.multihop}: ${say(multihop)}`;
}

/** The two sides use different kinds of BFD: `bfd-mode-mismatch`. */
export function diagnoseBfdMode(view: View): Diagnosis | undefined {
	const { record, state } = view;
	const { peer } = record;
	const counted = countedOfPeer(view);
	if (!counted) return undefined;
	// Packets of the other kind may be another peer's, if one uses that kind.
	const modes = [...state.peers.values()].flatMap((other) => other.peer.bfdMode ?? []);
	if (modes.some((mode) => mode !== peer.bfdMode)) return undefined;
	const evidence = [describeArrivals(counted), describeBird(record)];
	if (peer.bfdMode === "direct" && counted.multihop > 0 && counted.singleHop === 0) {
		return {
			id: "bfd-mode-mismatch",
			explanation: `BFD of ${describePeer(record)} cannot come up: the speaker uses multihop BFD (UDP ${BFD_PORTS.multihop}), BIRD single-hop BFD (UDP ${BFD_PORTS.singleHop})`,
			evidence,
			remedy:
				"add `multihop 2;` to BIRD's protocol, and `protocol direct`, as `bgpwarden render bird` prints them for " +
				"`option multihop '1'`; or leave out " +
				wordsOf(view).multihop,
		};
	}
	if (peer.bfdMode === "multihop" && counted.singleHop > 0 && counted.multihop === 0) {
		return {
			id: "bfd-mode-mismatch",
			explanation: `BFD of ${describePeer(record)} cannot come up: the speaker uses single-hop BFD (UDP ${BFD_PORTS.singleHop}), BIRD multihop BFD (UDP ${BFD_PORTS.multihop})`,
			evidence,
			remedy: `set ${wordsOf(view).multihop}, or remove \`multihop\` from BIRD's protocol`,
		};
	}
	return undefined;
}
