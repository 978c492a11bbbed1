import { isoSeconds } from "../lib/clock.ts";
import { Memo } from "../lib/memo.ts";
import { peerLevel, routerLevel } from "../model/peer-level.ts";
import { PROBLEMS } from "../model/problem.ts";
import type { PeerStatus, RouterStatus, Status } from "../model/status.ts";
import { gravest as gravestDiagnosis } from "./diagnosis/update-diagnoses.ts";
import type { PeerRecord, RemedyAttempt } from "./peer-record.ts";
import { describeStep } from "./peers/remedy-step.ts";
import { speakerOf, type WardenState } from "./state.ts";

/** What the state cannot know about the process. */
export type Identity = Pick<RouterStatus, "version" | "router" | "pid" | "table_file">;

/** The state as it is shown. Pure. */
export function statusOf(state: WardenState, identity: Identity): Status {
	const { table, bird } = state;
	const diagnosis = gravestDiagnosis(state);
	const gravest = PROBLEMS.find((kind) => state.problems[kind] !== undefined);
	const peers = peerStatuses(state);
	const dialers = unknownDialers(state);
	const router: Omit<RouterStatus, "level"> = {
		...identity,
		started: isoSeconds(state.clockOffset, state.startedAt),
		// What was there at the start, and cannot be replaced, may be anybody's.
		protection:
			table.present && (table.phase === "kept" || !state.problems.install)
				? table.owned
					? "owned"
					: "installed"
				: "missing",
		table: state.settings.table,
		ports: table.ports,
		repairs: table.repairs,
		...(table.lastRepair ? { last_repair: table.lastRepair } : {}),
		flushed: state.flush.deleted,
		bird: {
			reachable: bird.reachable,
			...(bird.version === undefined ? {} : { version: bird.version }),
		},
		...(dialers.length > 0 ? { unknown_dialers: dialers } : {}),
		...(table.released ? { released: true as const } : {}),
		...(gravest ? { problem: state.problems[gravest] ?? "", problem_kind: gravest } : {}),
		...(diagnosis ? { diagnosis: diagnosis.id, explanation: diagnosis.explanation } : {}),
	};
	return { router: { ...router, level: routerLevel(router, peers) }, peers };
}

function unknownDialers({ unknownDialers: dialers, clockOffset }: WardenState) {
	return [...dialers]
		.filter(([, { toldAt }]) => toldAt !== undefined)
		.map(([address, { interface: device, since, at }]) => ({
			address,
			interface: device,
			since: isoSeconds(clockOffset, since),
			last: isoSeconds(clockOffset, at),
		}));
}

/** Whether the status may be another after a change: evidence comes in for a thousand peers, and most of it changes nothing. */
export function mayShow(one: WardenState, other: WardenState): boolean {
	return (
		one.peers !== other.peers ||
		one.table !== other.table ||
		one.flush !== other.flush ||
		one.problems !== other.problems ||
		one.settings !== other.settings ||
		one.unknownDialers !== other.unknownDialers ||
		one.clockOffset !== other.clockOffset ||
		one.bird.reachable !== other.bird.reachable ||
		one.bird.lostReason !== other.bird.lostReason ||
		one.bird.version !== other.bird.version
	);
}

/** A peer of which nothing has changed is the same object: of a thousand most are. */
const known = new Memo<PeerStatus>();

function peerStatuses(state: WardenState): PeerStatus[] {
	known.limit(state.peers.size);
	const peers = [...state.peers.values()].map((record) =>
		known.get(record.peer.name, record, state.clockOffset, (before) => {
			const status = makePeerStatus(state, record);
			// Most of what is remembered of a peer is not shown.
			return before && JSON.stringify(before) === JSON.stringify(status) ? before : status;
		}),
	);
	const isSorted = peers.every(({ name }, index) => index === 0 || (peers[index - 1]?.name ?? "") < name);
	return isSorted ? peers : peers.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function makePeerStatus(state: WardenState, record: PeerRecord): PeerStatus {
	const { peer, stateSince, diagnosis, note } = record;
	const began = stateSince ?? record.birdSince;
	const since = began === undefined ? undefined : isoSeconds(state.clockOffset, began);
	const values: { [Key in keyof PeerStatus]: PeerStatus[Key] | undefined } = {
		name: peer.name,
		level: peerLevel({
			...(peer.state === undefined ? {} : { state: peer.state }),
			...(diagnosis ? { diagnosis: diagnosis.id } : {}),
		}),
		neighbor_address: peer.neighborAddress,
		neighbor_range: peer.neighborRange,
		connected: record.connected,
		range: record.range,
		node: record.open?.hostname,
		speaker: speakerOf(state, record),
		neighbor_as: peer.neighborAs,
		local_as: peer.localAs,
		state: peer.state,
		since,
		bfd: peer.bfd,
		imported: peer.imported,
		exported: peer.exported,
		preferred: peer.preferred,
		flaps: record.flaps,
		last_error: peer.lastError?.text,
		diagnosis: diagnosis?.id,
		explanation: diagnosis?.explanation,
		evidence: diagnosis && diagnosis.id !== "healthy" ? diagnosis.evidence : undefined,
		remedy: diagnosis?.remedy,
		tried: record.attempt && describeTried(state, record.attempt),
		note: note && `${note.id}: ${note.text}; ${note.remedy}`,
	};
	return Object.fromEntries(
		Object.entries(values).filter(([, value]) => value !== undefined),
	) as unknown as PeerStatus;
}

/** `its restart in BIRD, 2026-11-24T13:00:00Z: it came up 2.1 s later`. */
function describeTried(state: WardenState, { step, at, outcome, after }: RemedyAttempt): string {
	const when = isoSeconds(state.clockOffset, at);
	const how =
		outcome === "worked"
			? `it came up ${Math.round((after ?? 0) / 100) / 10} s later`
			: outcome === "pending"
				? "waiting for its effect"
				: outcome;
	return `${describeStep(step)}, ${when}: ${how}`;
}
