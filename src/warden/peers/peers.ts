import { type BirdPeer, type BirdReading, describeUnknownPeers } from "../../model/bird.ts";
import type { BirdConfiguration } from "../../model/bird-configuration.ts";
import { collectMissing } from "../diagnosis/collect-evidence.ts";
import { STUCK_AFTER } from "../diagnosis/stuck-handshake.ts";
import type { PeerRecord } from "../peer-record.ts";
import { updatePorts } from "../ports.ts";
import { isDown, isEstablished } from "../state.ts";
import { reinstall, tableAddresses } from "../table/table.ts";
import type { Turn } from "../turn.ts";
import { considerResets } from "./half-open.ts";
import { pollBirdAt, pollBirdNow, pollSoon, schedulePolls } from "./polling.ts";
import { nodesOfRanges, summarizeRange } from "./ranges.ts";
import { remediatePeers } from "./remediation.ts";
import { awaitsRestart, considerRestarts } from "./restart.ts";

/** Milliseconds that BIRD's account of when a session began may differ between readings: clocks are rounded. */
const SINCE_DOUBT = 3000;

export function birdUp(turn: Turn, version: string | undefined): void {
	const { bird } = turn.state;
	turn.bird({ reachable: true, version, lostReason: undefined, isBack: true });
	const named = version === undefined ? "BIRD" : `BIRD ${version}`;
	turn.log("info", `${named} answers`);
	if (bird.lostReason !== undefined && bird.known)
		turn.do({ type: "report", event: "bird_back", details: { version } });
	pollSoon(turn);
	pollBirdNow(turn);
}

export function birdLost(turn: Turn, reason: string): void {
	const { bird } = turn.state;
	if (bird.lostReason !== reason) turn.log(bird.reachable ? "warn" : "info", `cannot query BIRD: ${reason}`);
	if (bird.reachable) turn.do({ type: "report", event: "bird_lost", details: { reason } });
	turn.bird({ reachable: false, lostReason: reason, pollAt: undefined, due: [] });
}

export function birdRead(turn: Turn, reading: BirdReading): void {
	const before = turn.state.peers;
	const peers = new Map<string, PeerRecord>();
	const first = !turn.state.bird.known;
	const nodes = nodesOfRanges(reading.peers, turn.state.bird.configuration);
	const nodesByRange = groupNodes(reading.peers, nodes);
	for (const each of reading.peers) {
		const own = nodesByRange.get(each.name) ?? [];
		const peer =
			each.neighborRange === undefined ? each : sameOr(before.get(each.name), summarizeRange(each, own));
		const record = withOpen(updatePeer(turn, before.get(peer.name), peer, first), turn.time);
		peers.set(peer.name, withRange(record, nodes.get(peer.name), own));
	}
	for (const [name, record] of before) if (!peers.has(name)) peerRemoved(turn, record);
	// Where nothing has changed, nothing is told.
	if (peers.size !== before.size || [...peers].some(([name, record]) => before.get(name) !== record))
		turn.peers(peers);
	turn.bird({
		peers: reading.peers,
		known: true,
		readAt: turn.time,
		isBack: undefined,
		...(reading.version === undefined ? {} : { version: reading.version }),
	});
	tellUnknownPeers(turn);
	considerRestarts(turn);
	considerResets(turn);
	remediatePeers(turn);
	collectMissing(turn);
	const records = [...turn.state.peers.values()];
	schedulePolls(turn, {
		unsettled: records.some((record) => !isDown(record) && !isSettled(record)),
		awaited: records.some((record) => awaitsRestart(turn, record)),
	});
	updateTableAddresses(turn);
}

/** What was known of a peer, where it is the same. */
function sameOr(known: PeerRecord | undefined, peer: BirdPeer): BirdPeer {
	return known && JSON.stringify(known.peer) === JSON.stringify(peer) ? known.peer : peer;
}

/** @param ranges by a node's name, its range's. @returns by a range's name, its nodes */
function groupNodes(
	peers: readonly BirdPeer[],
	ranges: ReadonlyMap<string, string>,
): ReadonlyMap<string, readonly BirdPeer[]> {
	const groups = new Map<string, BirdPeer[]>();
	for (const peer of peers) {
		const range = ranges.get(peer.name);
		if (range === undefined) continue;
		const group = groups.get(range);
		if (group) group.push(peer);
		else groups.set(range, [peer]);
	}
	return groups;
}

/** Once BIRD has been read: peers of the configuration that it does not run. */
export function tellUnknownPeers(turn: Turn): void {
	const { settings, peers, bird } = turn.state;
	if (!bird.known) return;
	const known = [...peers.values()].map(({ peer }) => peer);
	turn.problem("peer", describeUnknownPeers(settings.peers, known), "warn");
}

/** @param nodes of a range, those that BIRD has made for it */
function withRange(record: PeerRecord, range: string | undefined, nodes: readonly BirdPeer[]): PeerRecord {
	const connected =
		record.peer.neighborRange === undefined
			? undefined
			: nodes.filter(({ state }) => state === "Established").length;
	const wanted = connected === undefined ? range : undefined;
	if (record.range === wanted && record.connected === connected) return record;
	const { range: _, connected: __, ...rest } = record;
	if (connected !== undefined) return { ...rest, connected };
	return range === undefined ? rest : { ...rest, range };
}

/** BIRD tells what the peer said of itself as long as the session is up. */
function withOpen(record: PeerRecord, now: number): PeerRecord {
	const { open } = record.peer;
	const { open: before, speakerChanges = [] } = record;
	if (open === undefined || JSON.stringify(open) === JSON.stringify(before)) return record;
	if (before?.program === undefined || before.program === open.program) return { ...record, open };
	return { ...record, open, speakerChanges: [...speakerChanges, now].slice(-MOST_FLAPS) };
}

/** bird.conf was read: what the peers are asked and told about depends on it. */
export function birdConfigured(turn: Turn, configuration: BirdConfiguration | undefined): void {
	turn.bird({ configuration });
	updatePorts(turn);
}

/** Up, with its BFD. */
function isSettled(record: PeerRecord): boolean {
	return isEstablished(record) && record.peer.bfd !== "down" && record.peer.bfd !== "init";
}

/** Milliseconds after which a peer that could not be enabled is enabled once more. */
const ENABLE_AGAIN = 60_000;

export function peerRestarted(
	turn: Turn,
	peer: string,
	verb: "restart" | "enable",
	id: string | undefined,
	failure: string | undefined,
): void {
	const done = verb === "enable" ? "enabled" : "restarted";
	if (failure !== undefined) turn.log("warn", `peer ${peer} could not be ${done}: ${failure}`);
	const record = turn.state.peers.get(peer);
	if (failure !== undefined && verb === "enable" && record?.restart.listening) {
		const { enabledFor: _, ...listening } = record.restart.listening;
		const enableAt = turn.time + ENABLE_AGAIN;
		turn.peer(peer, { ...record, restart: { ...record.restart, listening: { ...listening, enableAt } } });
		pollBirdAt(turn, enableAt);
	}
	if (id !== undefined) turn.reply([id], failure === undefined, failure ?? `peer ${peer} ${done} in BIRD`);
	pollSoon(turn);
}

/** @param first this is the first reading: what it shows may have been so for long */
function updatePeer(turn: Turn, before: PeerRecord | undefined, peer: BirdPeer, first: boolean): PeerRecord {
	// On the monotonic clock, so that setting the clock, which moves BIRD's times too, is not taken for a change.
	const birdSince = peer.since === undefined ? undefined : peer.since - turn.state.clockOffset;
	const known = birdSince === undefined ? {} : { birdSince };
	if (!before) {
		turn.log("info", `peer ${peer.name} found: ${peer.state ?? peer.protocolState}`);
		// A peer that BIRD has got meanwhile has been so since now, and has the time that others get.
		const now = first ? {} : { stateSince: turn.time, bfdSince: turn.time, downSince: turn.time };
		const earlier = turn.state.earlier.get(peer.name);
		const open = earlier?.address === peer.neighborAddress ? earlier?.open : undefined;
		return { peer, flaps: 0, restart: { count: 0 }, ...known, ...now, ...(open ? { open } : {}) };
	}
	// BIRD says the same as before.
	if (before.peer === peer && !before.handshake) return before;
	const bfdSince = before.peer.bfd === peer.bfd ? before.bfdSince : turn.time;
	const bfd = {
		...(bfdSince === undefined ? {} : { bfdSince }),
		...handshake(turn, before, peer),
	};
	if (before.peer.state !== peer.state) {
		const left = before.peer.state === "Established";
		if (left) reportDown(turn, peer, peer.state);
		if (peer.state === "Established") reportUp(turn, peer);
		const { bfdSince: _, birdSince: __, handshake: ___, dialedAt, ...rest } = before;
		return {
			...rest,
			peer,
			...(dialedAt === undefined || peer.state === "Established" ? {} : { dialedAt }),
			stateSince: turn.time,
			...(left || isDown(before) ? { downSince: turn.time } : {}),
			...bfd,
			...known,
			...(left ? countFlap(turn, before, peer) : {}),
		};
	}
	if (!isNewSession(before, peer, birdSince)) {
		const { handshake: _, ...rest } = before;
		return { ...rest, peer, ...bfd };
	}
	reportDown(turn, peer, undefined);
	reportUp(turn, peer);
	const { stateSince: _, bfdSince: __, dialedAt: ___, ...rest } = before;
	return { ...rest, peer, ...bfd, ...known, ...countFlap(turn, before, peer) };
}

/** A side that gives up a handshake tries again within this many ms. */
const HANDSHAKE_AGAIN = 60_000;

/** BGP's messages are exchanged, or were a moment ago: what was stuck then is tried again, and is one fault. */
function handshake(
	{ time }: Turn,
	{ handshake: known }: PeerRecord,
	{ state }: BirdPeer,
): Pick<PeerRecord, "handshake"> {
	const { since = time, ended = time } = known ?? {};
	const again = time - ended < HANDSHAKE_AGAIN;
	if (state === "OpenSent" || state === "OpenConfirm") return { handshake: { since: again ? since : time } };
	const stuck = state !== "Established" && ended - since >= STUCK_AFTER;
	return known && stuck && again ? { handshake: { since, ended } } : {};
}

/** Losses of the session that are remembered. */
const MOST_FLAPS = 10;
/** A session that is lost within this many ms of a person's restart was lost to it. */
const ASKED_FOR = 10_000;

function countFlap(
	turn: Turn,
	before: PeerRecord,
	{ lastError }: BirdPeer,
): Pick<PeerRecord, "flaps" | "flapTimes" | "flapError" | "lostWith"> {
	const { flaps, flapTimes = [], flapError, restart } = before;
	const counted = { flaps: flaps + 1, lostWith: lastError?.text };
	// BIRD's own restart, or a person's, is no fault of the peer's.
	const asked = restart.askedAt !== undefined && turn.time - restart.askedAt < ASKED_FOR;
	if (turn.state.bird.isBack || asked) return counted;
	const same = flapTimes.length === 0 || flapError?.text === lastError?.text;
	return {
		...counted,
		flapTimes: [...flapTimes, turn.time].slice(-MOST_FLAPS),
		flapError: same ? lastError : undefined,
	};
}

/** Whether an Established peer is so for a shorter time than the last reading knew: it was down in between. */
function isNewSession(before: PeerRecord, peer: BirdPeer, birdSince: number | undefined): boolean {
	const { birdSince: knownSince, stateSince } = before;
	const began = knownSince ?? stateSince;
	if (peer.state !== "Established" || birdSince === undefined || began === undefined) return false;
	return birdSince - began > SINCE_DOUBT;
}

function peerRemoved(turn: Turn, record: PeerRecord): void {
	turn.log("info", `peer ${record.peer.name} is no longer configured in BIRD`);
	if (isEstablished(record)) reportDown(turn, record.peer, "removed");
}

/** @param state absent: it was down for a moment that no reading has seen */
function reportDown(turn: Turn, peer: BirdPeer, state: string | undefined): void {
	const why = peer.lastError === undefined ? "" : ` (${peer.lastError.text})`;
	const how = state === undefined ? "was down between two polls" : `is down: ${state}`;
	turn.log("warn", `peer ${peer.name} ${how}${why}`);
	turn.do({
		type: "report",
		event: "peer_down",
		details: { peer: peer.name, state, last_error: peer.lastError?.text },
	});
}

function reportUp(turn: Turn, peer: BirdPeer): void {
	turn.log("info", `peer ${peer.name} is up`);
	turn.do({ type: "report", event: "peer_up", details: { peer: peer.name } });
}

/** With scope `peers` the table names BIRD's neighbors. */
function updateTableAddresses(turn: Turn): void {
	const { settings, table } = turn.state;
	if (settings.scope !== "peers") return;
	const addresses = tableAddresses(turn);
	if (addresses.join() === [...table.addresses].sort().join()) return;
	turn.table({ addresses });
	turn.log("info", `table inet ${settings.table}; peers in it: ${addresses.join(", ") || "none"}`);
	reinstall(turn);
}
