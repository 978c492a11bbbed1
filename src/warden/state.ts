import type { BirdPeer, LastError } from "../model/bird.ts";
import type { Diagnosis } from "../model/diagnosis.ts";
import type { ProblemKind } from "../model/problem.ts";
import type { ServiceEvent, ServiceProcess } from "../model/service.ts";
import type { Settings } from "../model/settings.ts";
import { type EvidenceState, NO_EVIDENCE } from "./diagnosis/evidence.ts";
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
	readonly peers: Readonly<Record<string, PeerRecord>>;
	readonly problems: Readonly<Partial<Record<ProblemKind, string>>>;
}

export interface FlushState {
	readonly running: boolean;
	/** Another flush is to follow the running one. */
	readonly again: boolean;
	/** Entries deleted since the start. */
	readonly deleted: number;
	readonly waiting: readonly string[];
	readonly nextWaiting: readonly string[];
}

export interface BirdState {
	readonly reachable: boolean;
	readonly version?: string;
	/** BIRD was read completely since the start. */
	readonly known: boolean;
	/** Times of planned polls, ascending. */
	readonly due: readonly number[];
	/** Time of the periodic poll. */
	readonly pollAt?: number;
	/** When something was changed after which peers may need a restart. */
	readonly restartsWantedAt?: number;
	/** Until when a peer in an intermediate state is polled each second. */
	readonly followUntil: number;
	/** Why BIRD cannot be queried; logged once. */
	readonly lostReason?: string;
}

export interface PeerRecord {
	readonly peer: BirdPeer;
	/** When the present state was first seen; absent for the state at the first poll. */
	readonly stateSince?: number;
	/** When BIRD's protocol entered its state, as BIRD says, on the monotonic clock. */
	readonly birdSince?: number;
	/** When BFD's present state was first seen; absent for the state at the first poll. */
	readonly bfdSince?: number;
	readonly flaps: number;
	/** The latest times at which it left Established, oldest first. */
	readonly flapTimes?: readonly number[];
	/** BIRD's last error, if it was the same each time. */
	readonly flapError?: LastError | undefined;
	readonly restart: RestartState;
	readonly diagnosis?: Diagnosis;
	/** The latest remedy while it is down. */
	readonly attempt?: RemedyAttempt;
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
	/** When BIRD's error wait after a peer that connected too early was last ended. */
	readonly errorWaitEndedAt?: number;
	/** The loss, by its time, after which BIRD's error wait was ended early. */
	readonly waitEndedFor?: number | undefined;
}

export function initialState(settings: Settings, now: { monotonic: number; wall: number }): WardenState {
	return {
		settings,
		startedAt: now.monotonic,
		clockOffset: now.wall - now.monotonic,
		table: initialTable(settings.addresses),
		flush: { running: false, again: false, deleted: 0, waiting: [], nextWaiting: [] },
		bird: { reachable: false, known: false, due: [], followUntil: 0 },
		services: { processes: [], changed: {}, bursts: {}, reported: {} },
		evidence: NO_EVIDENCE,
		peers: {},
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
 * What the daemon does by itself for a peer that is down: check the table, delete the peer's conntrack entries, restart the
 * peer in BIRD; in this order, and each only if the one before did not help.
 */
export interface RemedyAttempt {
	/** The step that was taken last. */
	readonly step: RemedyStep;
	readonly at: number;
	readonly outcome: "pending" | "worked" | "did not help";
	/** How long it took to work, ms. */
	readonly after?: number;
}

export type RemedyStep = "table" | "conntrack" | "restart";

export function isEstablished(record: PeerRecord): boolean {
	return record.peer.state === "Established";
}

/** Disabled by hand or by configuration: it is meant to be down. */
export function isDown(record: PeerRecord): boolean {
	return record.peer.state === "Down" || record.peer.protocolState === "down";
}
