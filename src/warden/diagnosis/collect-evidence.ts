import type { Actor } from "../../model/actor.ts";
import type { Flow } from "../../model/flow.ts";
import type { Counters, Inspection } from "../../model/inspection.ts";
import type { PacketTrace } from "../../model/packet-trace.ts";
import { pollBirdAt } from "../peers/polling.ts";
import { restartAfterChange } from "../peers/restart.ts";
import { attribute } from "../services/attribution.ts";
import type { PeerRecord, WardenState } from "../state.ts";
import { isDown, isEstablished } from "../state.ts";
import type { Turn } from "../turn.ts";
import type { AddressEvidence } from "./evidence.ts";
import { ANSWER_PATIENCE, SILENCE } from "./view.ts";

/** Milliseconds between looks at the kernel about a peer that is down: at first, and after `EARLY` ms. */
const INSPECT = { first: 2000, later: 14_000, EARLY: 20_000 } as const;
/** An inspection that has not come back after this many ms never will. */
const LOST = 15_000;
/** Milliseconds between readings of the counters, at least. */
const COUNT = { first: 2000, later: 14_000 } as const;
/** Tables whose last change is remembered. */
const MOST_TABLES = 32;

/** The packets that are about a peer. Anybody can send a SYN to port 179, and looking at each costs processes. */
export function aboutPeers({ peers }: WardenState, traces: readonly PacketTrace[]): PacketTrace[] {
	const known = addressesOf(peers);
	return traces.filter(({ packet }) => known.has(packet.source) || known.has(packet.destination));
}

function addressesOf(peers: WardenState["peers"]): ReadonlySet<string | undefined> {
	return new Set(Object.values(peers).map(({ peer }) => peer.neighborAddress));
}

/** Sorts packets to the peers that they are about. */
export function packetsTraced(turn: Turn, traces: readonly PacketTrace[]): void {
	const known = addressesOf(turn.state.peers);
	for (const trace of traces) {
		const { source, destination, destinationPort, sourcePort, flags, protocol } = trace.packet;
		if (protocol !== "tcp") continue;
		const opens = flags.includes("syn") && !flags.includes("ack");
		const answers = (flags.includes("syn") && flags.includes("ack")) || flags.includes("rst");
		if (known.has(source)) {
			if (opens && destinationPort === 179) recordSyn(turn, source, trace);
		} else if (known.has(destination)) {
			if (opens && destinationPort === 179) turn.evidenceOf(destination, { dial: trace });
			if (answers && sourcePort === 179) recordAnswer(turn, destination, trace);
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

/** Somebody changed rules: what the ruleset did to packets before says little now. */
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
							: { looks: (tracked?.looks ?? 0) + 1, since: tracked?.since ?? turn.time },
				}),
		...(record && isEstablished(record) && inspection.route?.device !== undefined
			? { usualInterface: inspection.route.device }
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

/** What a flush has found, as evidence for the peers. */
export function flowsFound(turn: Turn, flows: readonly Flow[]): void {
	for (const flow of flows) {
		const { source, destination } = flow.original;
		for (const address of [source, destination]) {
			if (recordOf(turn, address)) turn.evidenceOf(address, { flushed: { flow, at: turn.time } });
		}
	}
}

/** After each reading of BIRD: what else has to be asked? Nothing, while all is well. */
export function collectMissing(turn: Turn): void {
	forgetUnknownPeers(turn);
	const early = turn.time < turn.state.bird.followUntil + INSPECT.EARLY;
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
			// Once for each session: the way to the peer may be another than the last time.
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
	// Two readings of the counters tell whether packets come.
	if (early) pollBirdAt(turn, turn.time + COUNT.first);
}

/** What is known about peers that BIRD no longer has. */
function forgetUnknownPeers(turn: Turn): void {
	const { addresses } = turn.state.evidence;
	const known = addressesOf(turn.state.peers);
	const kept = Object.entries(addresses).filter(([address]) => known.has(address));
	if (kept.length < Object.keys(addresses).length) turn.evidence({ addresses: Object.fromEntries(kept) });
}

function inspect(turn: Turn, { peer }: PeerRecord, { inspecting }: AddressEvidence): void {
	if (peer.neighborAddress === undefined) return;
	if (inspecting !== undefined && turn.time - inspecting < LOST) return;
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
	if (counting !== undefined && turn.time - counting < LOST) return;
	if (turn.time - last < (early ? COUNT.first : COUNT.later)) return;
	turn.evidence({ counting: turn.time });
	turn.do({ type: "read_counters" });
}

function recordOf(turn: Turn, address: string): PeerRecord | undefined {
	return Object.values(turn.state.peers).find(({ peer }) => peer.neighborAddress === address);
}

/** Notes that there will be something to conclude at that time. */
export function diagnoseAt(turn: Turn, time: number): void {
	const { due } = turn.state.evidence;
	if (time <= turn.time || due.some((planned) => Math.abs(planned - time) < 500)) return;
	turn.evidence({ due: [...due, time].sort((a, b) => a - b).slice(0, 64) });
}
