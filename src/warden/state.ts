import { withZone } from "../lib/address.ts";
import { Memo } from "../lib/memo.ts";
import type { BirdPeer } from "../model/bird.ts";
import type { BgpConfiguration, BirdConfiguration } from "../model/bird-configuration.ts";
import { BGP_PORT } from "../model/ports.ts";
import type { ProblemKind } from "../model/problem.ts";
import type { ServiceEvent, ServiceProcess } from "../model/service.ts";
import type { Settings } from "../model/settings.ts";
import { type EarlierOpens, type Speaker, type SpeakerWords, speakerWords } from "../model/speaker.ts";
import { type EvidenceState, NO_EVIDENCE } from "./diagnosis/evidence.ts";
import type { WardenEvent } from "./events.ts";
import type { PeerRecord } from "./peer-record.ts";
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
	/** When the log has named it. */
	readonly toldAt?: number;
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
	/** Time of the last reading. */
	readonly readAt?: number;
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
