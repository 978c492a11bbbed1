import { withZone } from "../lib/address.ts";
import { Memo } from "../lib/memo.ts";
import type { BirdPeer, LastError } from "../model/bird.ts";
import type { BgpConfiguration, BirdConfiguration } from "../model/bird-configuration.ts";
import type { Connection } from "../model/connection.ts";
import type { Diagnosis } from "../model/diagnosis.ts";
import { BGP_PORT } from "../model/ports.ts";
import type { ProblemKind } from "../model/problem.ts";
import type { ServiceEvent, ServiceProcess } from "../model/service.ts";
import type { Settings } from "../model/settings.ts";
import {
	type EarlierOpens,
	type PeerOpen,
	type Speaker,
	type SpeakerWords,
	speakerWords,
} from "../model/speaker.ts";
import { type EvidenceState, NO_EVIDENCE } from "./diagnosis/evidence.ts";
import type { WardenEvent } from "./events.ts";
import type { SessionNote } from "./peers/session-use.ts";
import { initialTable, type TableState } from "./table/table-state.ts";

/** All times are monotonic milliseconds. */
export interface WardenState {
	readonly settings: Settings;
	readonly startedAt: number;
	/** See `clockOffset`. */
	readonly clockOffset: number;
	readonly table: TableState;
	readonly flush: FlushState;
	readonly bird: BirdState;
	readonly services: ServicesState;
	readonly evidence: EvidenceState;
	/** By name. */
	readonly peers: ReadonlyMap<string, PeerRecord>;
	/** What the run before has learned. */
	readonly earlier: EarlierOpens;
	/** Hosts that dial and are no peers, by address, the latest last. */
	readonly unknownDialers: ReadonlyMap<string, UnknownDialer>;
	readonly problems: Readonly<Partial<Record<ProblemKind, string>>>;
	/** The latest event that could not be dealt with, until one of its kind was. */
	readonly failing?: { readonly type: WardenEvent["type"]; readonly at: number };
}

export interface UnknownDialer {
	readonly since: number;
	/** When it dialed last, to the minute. */
	readonly at: number;
	readonly interface: string;
}

export interface FlushState {
	readonly running: boolean;
	/** When the latest one began, monotonic ms. */
	readonly since?: number;
	/** Another flush is to follow the running one. */
	readonly again: boolean;
	/** Entries deleted since the start. */
	readonly deleted: number;
	/** Flushes in a row that have failed, and when the next one is due for that. */
	readonly failures?: number;
	readonly retryAt?: number;
	readonly waiting: readonly string[];
	readonly nextWaiting: readonly string[];
}

export interface BirdState {
	/** When peers were restarted in the last second. */
	readonly restartedAt?: readonly number[];
	/** As the last reading has them. */
	readonly peers: readonly BirdPeer[];
	readonly reachable: boolean;
	readonly version?: string;
	/** BIRD was read completely since the start. */
	readonly known: boolean;
	/** BIRD has come back and was not read since: it may have been restarted. */
	readonly isBack?: true | undefined;
	/** Times of planned polls, ascending. */
	readonly due: readonly number[];
	/** Time of the periodic poll. */
	readonly pollAt?: number;
	/** When something was changed after which peers may need a restart. */
	readonly restartsWantedAt?: number;
	/** Until when a peer in an intermediate state is polled each second. */
	readonly followUntil: number;
	/** bird.conf as BIRD took it last; absent where it could not be read. */
	readonly configuration?: BirdConfiguration;
	/** Why BIRD cannot be queried; logged once. */
	readonly lostReason?: string;
}

export interface PeerRecord {
	readonly peer: BirdPeer;
	/** The range, by its name, that BIRD made this peer for. */
	readonly range?: string;
	/** Of a range: nodes of it that are connected. */
	readonly connected?: number;
	/** The handshake that is under way, or the last one, where that did not get anywhere. */
	readonly handshake?: { readonly since: number; readonly ended?: number };
	/** When the present state was first seen; absent for the state at the first poll. */
	readonly stateSince?: number;
	/** When it left Established, or was first seen down; whatever BIRD has tried since. Absent for what the first poll found. */
	readonly downSince?: number;
	/** When BIRD's protocol entered its state, as BIRD says, on the monotonic clock. */
	readonly birdSince?: number;
	/** When BFD's present state was first seen; absent for the state at the first poll. */
	readonly bfdSince?: number;
	readonly flaps: number;
	/** The latest times at which it left Established, oldest first. */
	readonly flapTimes?: readonly number[];
	/** When the peer dialed last, other than for the session that is up; monotonic ms. */
	readonly dialedAt?: number;
	/** BIRD's last error when it left Established last. */
	readonly lostWith?: string | undefined;
	/** What the peer said of itself when it was up last. */
	readonly open?: PeerOpen;
	/** Connections that the peer may take for established, and this router does not have. */
	readonly halfOpen?: readonly HalfOpen[];
	/** BIRD's last error, if it was the same each time. */
	readonly flapError?: LastError | undefined;
	readonly restart: RestartState;
	readonly diagnosis?: Diagnosis;
	/** While it is up and of no use. */
	readonly note?: SessionNote;
	/** The latest remedy while it is down. */
	readonly attempt?: RemedyAttempt;
}

export interface HalfOpen {
	readonly connection: Connection;
	/** When its conntrack entry was deleted. */
	readonly seenAt: number;
	/** When the peer was told that it is over. */
	readonly resetAt?: number;
}

export interface RestartState {
	/** A repair or flush changed something and the peer has not been Established since. */
	readonly wantedSince?: number;
	/** Restarts without a lasting session between them. */
	readonly count: number;
	readonly lastAt?: number;
	/** When the last restart had to be repeated, because its own BFD flap took the session down. */
	readonly flapRestarts?: readonly number[];
	/** The last restart of this outage that should make BFD flap, and how many were repeated because it did not. */
	readonly flapExpected?: { readonly since: number; readonly repeats: number };
	readonly notBefore?: number;
	/** When the backoff was last cut short because a session came up. */
	readonly backoffCutAt?: number;
	/** When the rule that caught the peer's SYN was changed, while BIRD still said Established. */
	readonly suspectedSince?: number;
	/** When a person had it restarted. */
	readonly askedAt?: number;
	/** When what caught the peer's dial was changed: an error from before says nothing now. */
	readonly changedAt?: number;
	/** When BIRD's error waits were last ended, oldest first. */
	readonly waitsEnded?: readonly number[];
	/**
	 * What kept BIRD from listening for the peer, as it was last seen, and for what it was enabled again; and when that may be
	 * tried once more, after it failed.
	 */
	readonly listening?: {
		readonly obstacle?: string;
		readonly enabledFor?: string;
		readonly enableAt?: number;
	};
	/** The loss, by its time, after which BIRD's error wait was ended early. */
	readonly waitEndedFor?: number | undefined;
}

export function initialState(settings: Settings, now: { monotonic: number; wall: number }): WardenState {
	return {
		settings,
		startedAt: now.monotonic,
		clockOffset: now.wall - now.monotonic,
		table: initialTable(settings.addresses, portsOf(settings)),
		flush: { running: false, again: false, deleted: 0, waiting: [], nextWaiting: [] },
		bird: { peers: [], reachable: false, known: false, due: [], followUntil: 0 },
		services: { processes: [], changed: {}, bursts: {}, reported: {} },
		evidence: NO_EVIDENCE,
		peers: new Map(),
		earlier: new Map(),
		unknownDialers: new Map(),
		problems: {},
	};
}

export interface ServicesState {
	readonly processes: readonly ServiceProcess[];
	/** When each watched service last changed. */
	readonly changed: Readonly<Record<string, number>>;
	/** What is not reported yet, by service. */
	readonly bursts: Readonly<Record<string, Burst>>;
	/** What was reported last, by service. */
	readonly reported: Readonly<Record<string, Reported>>;
	readonly checkAt?: number;
	readonly checkAgainAt?: number;
}

/** Changes of one service that are reported as one. Times are monotonic milliseconds. */
export interface Burst {
	readonly last: number;
	readonly lastChange: ServiceEvent["change"];
	readonly stopped: boolean;
	readonly respawns: number;
	readonly exitCode?: number;
}

export interface Reported {
	readonly at: number;
	readonly change: string;
}

/**
 * What the daemon does by itself for a peer that is down: check the table, delete the peer's conntrack entries, reset the
 * connection that the peer takes for established (see half-open.ts), restart the peer in BIRD; in this order, and each only if
 * the one before did not help.
 */
export interface RemedyAttempt {
	/** The step that was taken last. */
	readonly step: RemedyStep;
	readonly at: number;
	readonly outcome: "pending" | "worked" | "did not help";
	/** How long it took to work, ms. */
	readonly after?: number;
}

export type RemedyStep = "table" | "conntrack" | "reset" | "restart";

/** Before bird.conf is known. */
function portsOf({ ports }: Settings): number[] {
	return [...new Set([BGP_PORT, ...ports])].sort((one, other) => one - other);
}

export function isEstablished(record: PeerRecord): boolean {
	return record.peer.state === "Established";
}

/** What bird.conf says about a peer: of one that BIRD made for a range, what it says about the range. */
export function configurationOf(
	{ bird }: WardenState,
	{ peer, range }: PeerRecord,
): BgpConfiguration | undefined {
	return bird.configuration && byName(bird.configuration).get(range ?? peer.name);
}

const named = new Memo<ReadonlyMap<string, BgpConfiguration>>();

/** A configuration's BGP protocols by name: each peer is looked up several times in each reading. */
function byName(configuration: BirdConfiguration): ReadonlyMap<string, BgpConfiguration> {
	// Of two with one name BIRD takes none; the first is as good as the other.
	const make = () => new Map([...configuration.bgp].reverse().map((protocol) => [protocol.name, protocol]));
	return named.get("", configuration, undefined, make);
}

/** Who speaks there: as the configuration says, or the peer's last OPEN; undefined: nobody knows. */
export function speakerOf({ settings }: WardenState, { peer, range, open }: PeerRecord): Speaker | undefined {
	const { speakers } = settings;
	return speakers.get(peer.name) ?? speakers.get(range ?? "") ?? open?.program;
}

/** What things are called on the peer's end. */
export function wordsFor(state: WardenState, record: PeerRecord): SpeakerWords {
	return speakerWords(speakerOf(state, record));
}

/** Under which a peer's evidence is kept: its address, or a range's prefix. */
export function evidenceKey({ peer }: PeerRecord): string | undefined {
	return keyOf(peer);
}

function keyOf({ neighborAddress, neighborInterface, neighborRange }: BirdPeer): string | undefined {
	return neighborAddress === undefined ? neighborRange : withZone(neighborAddress, neighborInterface);
}

/** Peers by what is known of them. */
interface Index {
	/** By `evidenceKey`; two protocols may have one neighbor. */
	readonly byKey: ReadonlyMap<string | undefined, readonly BirdPeer[]>;
	/** Those that are no range, and those that are. */
	readonly single: readonly BirdPeer[];
	readonly ranges: readonly BirdPeer[];
}

const indexed = new Memo<Index>();

/** The peers of the last reading: each event is about one of a thousand. */
export function indexOf({ bird }: WardenState): Index {
	return indexed.get("", bird.peers, undefined, () => makeIndex(bird.peers));
}

function makeIndex(peers: readonly BirdPeer[]): Index {
	const byKey = new Map<string | undefined, BirdPeer[]>();
	for (const peer of peers) {
		const key = keyOf(peer);
		const others = byKey.get(key);
		if (others) others.push(peer);
		else byKey.set(key, [peer]);
	}
	const isRange = ({ neighborRange }: BirdPeer) => neighborRange !== undefined;
	const ranges = peers.filter(isRange);
	const single = ranges.length === 0 ? peers : peers.filter((peer) => !isRange(peer));
	return { byKey, single, ranges };
}

const keys = new Memo<ReadonlySet<string | undefined>>();

/** `evidenceKey` of each peer. */
export function evidenceKeys({ peers }: WardenState): ReadonlySet<string | undefined> {
	return keys.get("", peers, undefined, () => new Set([...peers.values()].map(evidenceKey)));
}

/** The peer that this evidence is about. @param key from `evidenceKey` */
export function recordOf(state: WardenState, key: string): PeerRecord | undefined {
	const [peer] = indexOf(state).byKey.get(key) ?? [];
	return peer && state.peers.get(peer.name);
}

/** Since when a peer is down, as far as the daemon has seen; monotonic ms. */
export function downSince({ startedAt }: WardenState, { downSince: since = 0 }: PeerRecord): number {
	return Math.max(since, startedAt);
}

/** BIRD does not run it, for whatever reason; each restart passes through this for a moment. */
export function isDown(record: PeerRecord): boolean {
	return record.peer.state === "Down" || record.peer.protocolState === "down";
}
