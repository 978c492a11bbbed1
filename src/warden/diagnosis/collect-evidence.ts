import type { Actor } from "../../model/actor.ts";
import type { Counters, Inspection } from "../../model/inspection.ts";
import type { PacketTrace } from "../../model/packet-trace.ts";
import { BGP_PORT } from "../../model/ports.ts";
import { pollBirdAt } from "../peers/polling.ts";
import { restartAfterChange } from "../peers/restart.ts";
import { attribute } from "../services/attribution.ts";
import type { PeerRecord, WardenState } from "../state.ts";
import { isDown, isEstablished } from "../state.ts";
import type { Turn } from "../turn.ts";
import type { AddressEvidence } from "./evidence.ts";
import { ANSWER_PATIENCE, SILENCE } from "./view.ts";

/** Milliseconds between inspections of a peer that is down: during the first `early` ms, and later. */
const INSPECT = { first: 2000, later: 14_000, early: 20_000 } as const;
/** A request that was not answered after this many ms never will be. */
const UNANSWERED = 15_000;
/** Milliseconds between readings of the counters, at least. */
const COUNT = { first: 2000, later: 14_000 } as const;
/** Tables whose last change is remembered. */
const MOST_TABLES = 32;

/** The packets from and to peers. Anybody can send a SYN to port 179, and each one to be looked up costs processes. */
export function aboutPeers({ peers }: WardenState, traces: readonly PacketTrace[]): PacketTrace[] {
	const known = addressesOf(peers);
	return traces.filter(({ packet }) => known.has(packet.source) || known.has(packet.destination));
}

function addressesOf(peers: WardenState["peers"]): ReadonlySet<string | undefined> {
	return new Set(Object.values(peers).map(({ peer }) => peer.neighborAddress));
}

/** Files packets under the peers that sent or get them. */
export function packetsTraced(turn: Turn, traces: readonly PacketTrace[]): void {
	const known = addressesOf(turn.state.peers);
	for (const trace of traces) {
		const { source, destination, destinationPort, sourcePort, flags, protocol } = trace.packet;
		if (protocol !== "tcp") continue;
		const opens = flags.includes("syn") && !flags.includes("ack");
		const answers = (flags.includes("syn") && flags.includes("ack")) || flags.includes("rst");
		if (known.has(source)) {
			if (opens && destinationPort === BGP_PORT) recordSyn(turn, source, trace);
		} else if (known.has(destination)) {
			if (opens && destinationPort === BGP_PORT) turn.evidenceOf(destination, { dial: trace });
			if (answers && sourcePort === BGP_PORT) recordAnswer(turn, destination, trace);
		}
	}
}

function recordSyn(turn: Turn, address: string, trace: PacketTrace): void {
	const { syn, syns = 0 } = turn.state.evidence.addresses[address] ?? {};
	const again = syn?.packet.sourcePort === trace.packet.sourcePort;
	turn.evidenceOf(address, { syn: trace, syns: again ? syns + 1 : 1 });
	diagnoseAt(turn, trace.at + ANSWER_PATIENCE.again);
	diagnoseAt(turn, trace.at + ANSWER_PATIENCE.once);
	diagnoseAt(turn, trace.at + SILENCE);
}

/** The end of a session that was up is no answer to a SYN. */
function recordAnswer(turn: Turn, address: string, trace: PacketTrace): void {
	const { syn, answer } = turn.state.evidence.addresses[address] ?? {};
	const port = trace.packet.destinationPort;
	if (trace.packet.flags.includes("rst")) {
		const answered = answer?.packet.destinationPort === port && answer.packet.flags.includes("syn");
		if (answered || syn?.packet.sourcePort !== port) return;
	}
	turn.evidenceOf(address, { answer: trace });
}

/** Somebody changed rules: what the ruleset did to earlier packets says little now. */
export function rulesetChanged(turn: Turn, names: readonly string[], actor: Actor): void {
	const by = attribute(actor, turn.time, turn.state.services) ?? actor.process;
	const { tables } = turn.state.evidence;
	const changed = Object.entries({
		...tables,
		...Object.fromEntries(names.map((name) => [name, { at: turn.time, by }])),
	});
	turn.evidence({
		tables: Object.fromEntries(changed.sort(([, a], [, b]) => b.at - a.at).slice(0, MOST_TABLES)),
	});
	for (const record of Object.values(turn.state.peers)) {
		const { neighborAddress } = record.peer;
		const table = record.diagnosis?.table;
		if (neighborAddress === undefined || table === undefined || !names.includes(table)) continue;
		turn.evidenceOf(neighborAddress, {
			syn: undefined,
			answer: undefined,
			dial: undefined,
		});
		turn.log("info", `table ${table}, which kept peer ${record.peer.name} down, was changed by ${by}`);
		restartAfterChange(turn, record.peer.name);
	}
}

export function peerInspected(turn: Turn, address: string, inspection: Inspection): void {
	const known = turn.state.evidence.addresses[address];
	const record = recordOf(turn, address);
	const { flows } = inspection;
	const { tracked } = known ?? {};
	turn.evidenceOf(address, {
		inspection: { ...inspection, at: turn.time },
		inspecting: undefined,
		...(flows === undefined
			? {}
			: {
					tracked:
						flows.length === 0
							? undefined
							: { inspections: (tracked?.inspections ?? 0) + 1, since: tracked?.since ?? turn.time },
				}),
		...(record && isEstablished(record) && inspection.route
			? { usualInterface: inspection.route.interface }
			: {}),
	});
}

export function countersRead(turn: Turn, counters: Counters | undefined): void {
	const { counters: known } = turn.state.evidence;
	turn.evidence({
		counting: undefined,
		...(counters ? { counters: [...known, { ...counters, at: turn.time }].slice(-2) } : {}),
	});
}

/** After each poll of BIRD: requests what is missing to diagnose a peer. Nothing, while all is well. */
export function collectMissing(turn: Turn): void {
	forgetUnknownPeers(turn);
	const early = turn.time < turn.state.bird.followUntil + INSPECT.early;
	let count = false;
	for (const record of Object.values(turn.state.peers)) {
		const { peer } = record;
		if (peer.neighborAddress === undefined || isDown(record)) continue;
		const evidence = turn.state.evidence.addresses[peer.neighborAddress] ?? {};
		if (peer.bfd === "down" || peer.bfd === "init") count = true;
		if (isEstablished(record)) {
			const began =
				Math.max(record.stateSince ?? 0, record.birdSince ?? 0) || (evidence.established ?? turn.time);
			if (evidence.established === undefined || began > evidence.established || evidence.tracked)
				turn.evidenceOf(peer.neighborAddress, { established: began, tracked: undefined });
			// Once for each session: the route to the peer may have changed since the last one.
			if (evidence.routeAskedFor !== began) {
				turn.evidenceOf(peer.neighborAddress, { routeAskedFor: began });
				inspect(turn, record, evidence);
			}
			continue;
		}
		const last = evidence.inspection?.at ?? Number.NEGATIVE_INFINITY;
		if (turn.time - last >= (early ? INSPECT.first : INSPECT.later)) inspect(turn, record, evidence);
		diagnoseAt(turn, (record.stateSince ?? turn.time) + SILENCE);
	}
	if (!count) return;
	readCounters(turn, early);
	// Two readings of the counters show whether packets arrive.
	if (early) pollBirdAt(turn, turn.time + COUNT.first);
}

/** Drops what is known about peers that BIRD no longer has. */
function forgetUnknownPeers(turn: Turn): void {
	const { addresses } = turn.state.evidence;
	const known = addressesOf(turn.state.peers);
	const kept = Object.entries(addresses).filter(([address]) => known.has(address));
	if (kept.length < Object.keys(addresses).length) turn.evidence({ addresses: Object.fromEntries(kept) });
}

function inspect(turn: Turn, { peer }: PeerRecord, { inspecting }: AddressEvidence): void {
	if (peer.neighborAddress === undefined) return;
	if (inspecting !== undefined && turn.time - inspecting < UNANSWERED) return;
	turn.evidenceOf(peer.neighborAddress, { inspecting: turn.time });
	turn.do({
		type: "inspect_peer",
		address: peer.neighborAddress,
		...(peer.neighborInterface === undefined ? {} : { zone: peer.neighborInterface }),
	});
}

function readCounters(turn: Turn, early: boolean): void {
	const { counters, counting } = turn.state.evidence;
	const last = counters.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
	if (counting !== undefined && turn.time - counting < UNANSWERED) return;
	if (turn.time - last < (early ? COUNT.first : COUNT.later)) return;
	turn.evidence({ counting: turn.time });
	turn.do({ type: "read_counters" });
}

function recordOf(turn: Turn, address: string): PeerRecord | undefined {
	return Object.values(turn.state.peers).find(({ peer }) => peer.neighborAddress === address);
}

/** Has the peers diagnosed again at that time. */
export function diagnoseAt(turn: Turn, time: number): void {
	const { due } = turn.state.evidence;
	if (time <= turn.time || due.some((planned) => Math.abs(planned - time) < 500)) return;
	turn.evidence({ due: [...due, time].sort((a, b) => a - b).slice(0, 64) });
}
