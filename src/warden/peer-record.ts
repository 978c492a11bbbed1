/** What is known of a peer of BIRD's. All times are monotonic milliseconds. */

import type { BirdPeer, LastError } from "../model/bird.ts";
import type { Connection } from "../model/connection.ts";
import type { Diagnosis } from "../model/diagnosis.ts";
import type { PeerOpen } from "../model/speaker.ts";
import type { SessionNote } from "./peers/session-use.ts";

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
	/** The latest times at which another program had the session than before, oldest first. */
	readonly speakerChanges?: readonly number[];
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
