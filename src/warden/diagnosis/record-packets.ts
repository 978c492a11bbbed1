import { withZone } from "../../lib/address.ts";
import { parsePrefix, prefixContains } from "../../lib/prefix.ts";
import type { PacketTrace, TracedPacket } from "../../model/packet-trace.ts";
import { pollBirdAt } from "../peers/polling.ts";
import type { WardenState } from "../state.ts";
import { evidenceKey, isEstablished, recordOf } from "../state.ts";
import type { Turn } from "../turn.ts";
import { type AddressEvidence, type Dial, lastDial } from "./evidence.ts";
import { diagnoseAt } from "./plan-diagnoses.ts";
import { ANSWER_PATIENCE, READ_AFTER, SILENCE } from "./view.ts";

/** Tries to connect that are kept of each peer. */
const MOST_DIALS = 6;
/** Addresses inside ranges, besides those of peers, of which packets are kept. */
const MOST_DIALERS = 16;
/** A SYN that comes within this many ms after a session's start may be the one that brought it. */
const OWN_DIAL = 3000;
/** An answer takes less than this many ms to arrive: a SYN that comes later than that after it has not seen it. */
const HEARD_WITHIN = 700;

/**
 * The packets that may tell something about a peer. Anybody can send a SYN to port 179, and each one to be looked up costs
 * processes: those of peers, of hosts in ranges, and, while a peer is down, of hosts in its own network are taken.
 */
export function aboutPeers(state: WardenState, traces: readonly PacketTrace[]): PacketTrace[] {
	const isAbout = judgePackets(state);
	return traces.filter(({ packet }) => isAbout(packet));
}

/** Whether a packet may tell something about a peer. */
export function isAboutPeers(state: WardenState, packet: TracedPacket): boolean {
	return judgePackets(state)(packet);
}

function judgePackets(state: WardenState): (packet: TracedPacket) => boolean {
	const known = knownAddresses(state);
	const networks = networksOfDown(state);
	const isNeighborly = (address: string) =>
		rangeOf(state, address) !== undefined || strangersTo(networks, address).length > 0;
	return ({ source, destination, iif, oif }) =>
		known.has(keyOf(known, source, iif)) ||
		known.has(keyOf(known, destination, oif)) ||
		isNeighborly(source) ||
		isNeighborly(destination);
}

function knownAddresses({ peers }: WardenState): ReadonlySet<string | undefined> {
	return new Set(
		[...peers.values()].map((record) =>
			record.peer.neighborAddress === undefined ? undefined : evidenceKey(record),
		),
	);
}

/** What is known of an address is filed under this. @param device the interface that the packet came or went by */
function keyOf(known: ReadonlySet<string | undefined>, address: string, device: string | undefined): string {
	const key = withZone(address, device);
	if (known.has(key) || key === address) return key;
	// BIRD may name a link that is a part of another one.
	return [...known].find((each) => each?.startsWith(`${address}%`)) ?? address;
}

/** The smallest range that an address is in, as BIRD writes it. */
export function rangeOf({ peers }: WardenState, address: string): string | undefined {
	const ranges: string[] = [];
	for (const { peer } of peers.values())
		if (peer.neighborRange !== undefined) ranges.push(peer.neighborRange);
	return ranges
		.filter((range) => prefixContains(range, address))
		.sort((one, other) => (parsePrefix(other)?.length ?? 0) - (parsePrefix(one)?.length ?? 0))[0];
}

/** The networks of peers that are down, each with the keys of those peers' evidence. */
type Networks = ReadonlyMap<string, readonly string[]>;

function networksOfDown(state: WardenState): Networks {
	const networks = new Map<string, string[]>();
	for (const record of state.peers.values()) {
		const { neighborAddress } = record.peer;
		const key = evidenceKey(record);
		if (neighborAddress === undefined || key === undefined || isEstablished(record)) continue;
		const network = state.evidence.addresses.get(key)?.inspection?.network;
		if (network === undefined || network === "none") continue;
		const known = networks.get(network.prefix);
		if (known) known.push(key);
		else networks.set(network.prefix, [key]);
	}
	return networks;
}

/** Peers that are down and in one network with an address: it may be theirs. */
function strangersTo(networks: Networks, address: string): readonly string[] {
	return [...networks].flatMap(([prefix, keys]) => (prefixContains(prefix, address) ? keys : []));
}

/** Files packets under the peers that sent or get them. */
export function packetsTraced(turn: Turn, traces: readonly PacketTrace[]): void {
	const known = knownAddresses(turn.state);
	const ports = new Set(turn.state.table.ports);
	const networks = networksOfDown(turn.state);
	for (const trace of traces) {
		const { destinationPort, sourcePort, flags, protocol, iif, oif } = trace.packet;
		if (protocol !== "tcp") continue;
		const source = keyOf(known, trace.packet.source, iif);
		const destination = keyOf(known, trace.packet.destination, oif);
		const opens = flags.includes("syn") && !flags.includes("ack");
		const answers = (flags.includes("syn") && flags.includes("ack")) || flags.includes("rst");
		const ends = flags.includes("fin") || flags.includes("rst");
		if (opens && ports.has(destinationPort)) {
			if (known.has(destination)) turn.evidenceOf(destination, { dial: trace });
			else if (known.has(source) || rangeOf(turn.state, source) !== undefined) recordSyn(turn, source, trace);
			else recordStranger(turn, strangersTo(networks, source), source, trace);
		} else if (answers && ports.has(sourcePort)) recordAnswer(turn, destination, trace);
		else if (ends && ports.has(sourcePort)) changeDial(turn, destination, destinationPort, CLOSED);
		else if (ends && ports.has(destinationPort)) changeDial(turn, source, sourcePort, hangUp(trace));
	}
	forgetOldDialers(turn);
}

function recordSyn(turn: Turn, address: string, trace: PacketTrace): void {
	const { dials = [] } = turn.state.evidence.addresses.get(address) ?? {};
	const port = trace.packet.sourcePort;
	const known = dials.find((dial) => dial.port === port);
	// Long after the last one it is another try, from a port that has come round again.
	const same = known && !known.closed && trace.at - known.syn.at < SILENCE ? known : undefined;
	const dial: Dial = same
		? {
				...same,
				syn: trace,
				syns: same.syns + 1,
				unheard:
					same.unheard + (same.answeredAt !== undefined && trace.at - same.answeredAt > HEARD_WITHIN ? 1 : 0),
			}
		: { port, since: trace.at, syn: trace, syns: 1, unheard: 0 };
	turn.evidenceOf(address, { dials: [...dials.filter((each) => each !== known), dial].slice(-MOST_DIALS) });
	const record = recordOf(turn.state, address);
	if (!same && record && isEstablished(record)) recordBesides(turn, address, trace.at, record.stateSince);
	// BIRD is read a moment after the SYN that has brought the session.
	if (record && !(isEstablished(record) && trace.at - (record.stateSince ?? 0) < HEARD_WITHIN))
		turn.peer(record.peer.name, { ...record, dialedAt: trace.at });
	diagnoseAt(turn, trace.at + ANSWER_PATIENCE.again);
	diagnoseAt(turn, trace.at + ANSWER_PATIENCE.once);
	diagnoseAt(turn, trace.at + SILENCE);
}

/** Counts the tries that are made while a session is up, without a longer break. */
function recordBesides(turn: Turn, address: string, at: number, began = 0): void {
	if (at <= began + OWN_DIAL) return;
	const { besides } = turn.state.evidence.addresses.get(address) ?? {};
	const goesOn = besides !== undefined && besides.since > began && at - besides.at < SILENCE;
	const { since, dials } = goesOn ? besides : { since: at, dials: 0 };
	turn.evidenceOf(address, { besides: { since, at, dials: dials + 1 } });
}

/** Whoever is in a range can send SYNs from any address of it: the latest few are kept. */
export function forgetOldDialers(turn: Turn): void {
	const known = knownAddresses(turn.state);
	const others = [...turn.state.evidence.addresses].filter(
		([address]) => !known.has(address) && !address.includes("/"),
	);
	if (others.length <= MOST_DIALERS) return;
	const age = ([, evidence]: [string, AddressEvidence]) => lastDial(evidence)?.syn.at ?? 0;
	const gone = new Set(
		others
			.sort((one, other) => age(other) - age(one))
			.slice(MOST_DIALERS)
			.map(([address]) => address),
	);
	const { addresses } = turn.state.evidence;
	turn.evidence({
		addresses: new Map([...addresses].filter(([address]) => !gone.has(address))),
	});
}

const CLOSED = () => ({ closed: true }) as const;

/** Whoever does not like an OPEN hangs up within this many ms. A handshake that is given up later was stuck. */
const HANGS_UP_WITHIN = 5000;

/** The peer closes the connection. Where the router has closed it first, the peer only follows. */
const hangUp =
	({ at }: PacketTrace) =>
	({ closed, answer, answeredAt = 0 }: Dial): Partial<Dial> => {
		const isConnected = !closed && answer?.packet.flags.includes("syn") === true;
		return isConnected && at - answeredAt < HANGS_UP_WITHIN ? { closed: true, hungUpAt: at } : CLOSED();
	};

function changeDial(turn: Turn, address: string, port: number, change: (dial: Dial) => Partial<Dial>): void {
	const { dials } = turn.state.evidence.addresses.get(address) ?? {};
	if (!dials?.some((dial) => dial.port === port)) return;
	turn.evidenceOf(address, {
		dials: dials.map((dial) => (dial.port === port ? { ...dial, ...change(dial) } : dial)),
	});
}

/** The end of a session that was up is no answer to a SYN, nor is an RST that comes long after it: the kernel's comes at once. */
function recordAnswer(turn: Turn, address: string, trace: PacketTrace): void {
	const { flags, destinationPort } = trace.packet;
	changeDial(turn, address, destinationPort, ({ answer, answeredAt, syn }) => {
		const late = answer?.packet.flags.includes("syn") || trace.at - syn.at > HEARD_WITHIN;
		if (flags.includes("rst") && late) return CLOSED();
		if (flags.includes("rst")) pollBirdAt(turn, turn.time + READ_AFTER);
		return { answer: trace, answeredAt: answeredAt ?? trace.at };
	});
}

/** @param peers the keys of their evidence */
function recordStranger(turn: Turn, peers: readonly string[], address: string, trace: PacketTrace): void {
	const { at, packet } = trace;
	for (const peer of peers) {
		const before = turn.state.evidence.addresses.get(peer)?.stranger;
		const same = before?.address === address ? before : undefined;
		const again = same?.port === packet.sourcePort;
		// The one that dials again and again is the one that is looked for; another takes its place once it is quiet.
		if (before && !same && at - before.at < SILENCE) continue;
		turn.evidenceOf(peer, {
			stranger: { address, at, port: packet.sourcePort, dials: (same?.dials ?? 0) + (again ? 0 : 1) },
		});
	}
}
