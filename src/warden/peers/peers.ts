import type { BirdPeer, BirdReading } from "../../model/bird.ts";
import { collectMissing } from "../diagnosis/collect-evidence.ts";
import type { PeerRecord } from "../state.ts";
import { isDown, isEstablished } from "../state.ts";
import { reinstall, tableAddresses } from "../table/table.ts";
import type { Turn } from "../turn.ts";
import { pollBirdNow, pollSoon, schedulePolls } from "./polling.ts";
import { remediatePeers } from "./remediation.ts";
import { awaitsRestart, considerRestarts } from "./restart.ts";

/** Milliseconds that BIRD's account of when a session began may differ between readings: clocks are rounded. */
const SINCE_DOUBT = 3000;

export function birdUp(turn: Turn, version: string | undefined): void {
	const { bird } = turn.state;
	turn.bird({ reachable: true, version, lostReason: undefined });
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
	const named = new Set(reading.peers.map((peer) => peer.name));
	turn.state = { ...turn.state, peers: {} };
	for (const peer of reading.peers) turn.peer(peer.name, updatePeer(turn, before[peer.name], peer));
	for (const record of Object.values(before)) if (!named.has(record.peer.name)) peerRemoved(turn, record);
	turn.bird({ known: true, ...(reading.version === undefined ? {} : { version: reading.version }) });
	considerRestarts(turn);
	remediatePeers(turn);
	collectMissing(turn);
	const records = Object.values(turn.state.peers);
	schedulePolls(turn, {
		unsettled: records.some((record) => !isDown(record) && !isSettled(record)),
		awaited: records.some((record) => awaitsRestart(turn, record)),
	});
	updateTableAddresses(turn, reading);
}

/** Up, with its BFD. */
function isSettled(record: PeerRecord): boolean {
	return isEstablished(record) && record.peer.bfd !== "down" && record.peer.bfd !== "init";
}

export function peerRestarted(
	turn: Turn,
	peer: string,
	id: string | undefined,
	failure: string | undefined,
): void {
	if (failure !== undefined) turn.log("warn", `peer ${peer} could not be restarted: ${failure}`);
	if (id !== undefined) turn.reply([id], failure === undefined, failure ?? `peer ${peer} restarted in BIRD`);
	pollSoon(turn);
}

function updatePeer(turn: Turn, before: PeerRecord | undefined, peer: BirdPeer): PeerRecord {
	// On the monotonic clock, so that setting the clock, which moves BIRD's times too, is not taken for a change.
	const birdSince = peer.since === undefined ? undefined : peer.since - turn.state.clockOffset;
	const known = birdSince === undefined ? {} : { birdSince };
	if (!before) {
		turn.log("info", `peer ${peer.name} found: ${peer.state ?? peer.protocolState}`);
		return { peer, flaps: 0, restart: { count: 0 }, ...known };
	}
	const bfdSince = before.peer.bfd === peer.bfd ? before.bfdSince : turn.time;
	const bfd = bfdSince === undefined ? {} : { bfdSince };
	if (before.peer.state !== peer.state) {
		const left = before.peer.state === "Established";
		if (left) reportDown(turn, peer, peer.state);
		if (peer.state === "Established") reportUp(turn, peer);
		const { bfdSince: _, birdSince: __, ...rest } = before;
		return {
			...rest,
			peer,
			stateSince: turn.time,
			...bfd,
			...known,
			...(left ? countFlap(turn, before, peer) : {}),
		};
	}
	if (!isNewSession(before, peer, birdSince)) return { ...before, peer, ...bfd };
	reportDown(turn, peer, undefined);
	reportUp(turn, peer);
	const { stateSince: _, bfdSince: __, ...rest } = before;
	return { ...rest, peer, ...bfd, ...known, ...countFlap(turn, before, peer) };
}

/** Losses of the session that are remembered. */
const MOST_FLAPS = 10;

function countFlap(
	turn: Turn,
	before: PeerRecord,
	{ lastError }: BirdPeer,
): Pick<PeerRecord, "flaps" | "flapTimes" | "flapError"> {
	const { flaps, flapTimes = [], flapError } = before;
	const same = flapTimes.length === 0 || flapError?.text === lastError?.text;
	return {
		flaps: flaps + 1,
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
function updateTableAddresses(turn: Turn, reading: BirdReading): void {
	const { settings, table } = turn.state;
	if (settings.scope !== "peers") return;
	const neighbors = reading.peers.flatMap((peer) => peer.neighborAddress ?? []);
	const addresses = tableAddresses(turn, neighbors);
	if (addresses.join() === [...table.addresses].sort().join()) return;
	turn.table({ addresses });
	turn.log("info", `table inet ${settings.table}; peers in it: ${addresses.join(", ") || "none"}`);
	reinstall(turn);
}
