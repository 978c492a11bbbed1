import { type Backoff, retryDelay } from "../../lib/backoff.ts";
import type { BirdReading } from "../../model/bird.ts";
import type { Platform, Timer } from "../../platform/types.ts";
import { type BirdReader, openReader } from "./reader.ts";
import { type ControlSocket, findSocket, noSocket } from "./socket.ts";

export interface BirdPollerOptions {
	/** Path of the control socket; empty: the usual places. */
	readonly socket: string;
	/** BIRD answers: called once per recovery, right before the first reading. */
	readonly onUp: (version?: string) => void;
	/** BIRD cannot be read: called once per outage and again when the reason becomes another one. */
	readonly onLost: (reason: string) => void;
	/** BIRD has been connected to, or has taken another configuration; comes before the reading. @property socket its control socket */
	readonly onConfigured: (socket: string) => void;
	/** A whole reading; the first one comes unasked. */
	readonly onReading: (reading: BirdReading) => void;
}

/** BIRD's state, read through one long-lived client. */
export interface BirdPoller {
	start(): void;
	stop(): void;
	/** Reads once more; calls during a reading make one more after it. Does nothing while BIRD is lost. */
	read(): void;
}

const BACKOFF: Backoff = { first: 1000, longest: 4000 };
/**
 * The pause between two readings: this many times as long as the first one took, or this many milliseconds for each peer beyond
 * the first 20, whichever is longer. With 1,000 peers a reading is hard work for BIRD and for the daemon.
 */
const PAUSE = { times: 8, each: 2, beyond: 20 } as const;
/** Milliseconds that this pause lasts at most, since it may be BIRD that is slow. */
const LONGEST_PAUSE = 2000;
/** Milliseconds between checks of the socket while BIRD is lost; a check is a stat. */
const CHECK = 1000;

export function createBirdPoller(platform: Platform, options: BirdPollerOptions): BirdPoller {
	let reader: BirdReader | undefined;
	let timer: Timer | undefined;
	let running = false;
	/** Why BIRD cannot be read; false: it answers; undefined: not known yet. */
	let lost: string | false | undefined;
	let failures = 0;
	let retryAt = 0;
	/** Identity of the socket that the last try failed on: a new one is tried at once. */
	let failedOn: string | undefined;
	let version: string | undefined;
	let reading = false;
	let again = false;
	/** When the reading began that is under way, and when the next may begin, monotonic ms. */
	let began = 0;
	let notBefore = 0;
	let pause: Timer | undefined;
	let path = "";
	/** What BIRD said about its configuration; undefined: this BIRD has not been asked yet. */
	let configured: { readonly since: string | undefined } | undefined;

	const reportLoss = (reason: string) => {
		if (lost === reason) return;
		lost = reason;
		options.onLost(reason);
	};

	const checkSocket = () => {
		const socket = findSocket(platform, options.socket);
		if (socket && (socket.identity !== failedOn || platform.now().monotonic >= retryAt)) {
			connect(socket);
			return;
		}
		timer = platform.after(CHECK, checkSocket);
		if (socket) return;
		// Without a socket nothing was tried, so BIRD's next start is met at once.
		failures = 0;
		failedOn = undefined;
		reportLoss(noSocket(options.socket));
	};

	const connect = (socket: ControlSocket) => {
		again = false;
		reading = true;
		path = socket.path;
		configured = undefined;
		reader = openReader(platform, {
			socket: socket.path,
			onReady: (known) => {
				version = known;
				begin();
			},
			onFailure: ({ reason }) => {
				reader = undefined;
				reading = false;
				failures++;
				failedOn = socket.identity;
				retryAt = platform.now().monotonic + retryDelay(BACKOFF, failures, platform.random());
				timer = platform.after(CHECK, checkSocket);
				reportLoss(reason);
			},
		});
	};

	const begin = () => {
		again = false;
		reading = true;
		began = platform.now().monotonic;
		reader?.read((snapshot) => deliver(snapshot.reading));
	};

	const deliver = (result: BirdReading) => {
		failures = 0;
		const [wasLost, wasAgain] = [lost !== false, again];
		lost = false;
		if (wasLost) options.onUp(version);
		// Whoever answers `onUp` with a wish to read is about to get it.
		again = wasAgain;
		reading = false;
		// A BIRD that does not say it this time has no other configuration.
		const since = result.configured ?? configured?.since;
		if (running && (!configured || configured.since !== since)) options.onConfigured(path);
		configured = { since };
		if (running) options.onReading(result);
		const now = platform.now().monotonic;
		const wanted = Math.max((now - began) * PAUSE.times, (result.peers.length - PAUSE.beyond) * PAUSE.each);
		notBefore = now + Math.min(wanted, LONGEST_PAUSE);
		if (again && reader && !reading) soon();
	};

	/** Reads as soon as there has been a pause. */
	const soon = () => {
		const wait = notBefore - platform.now().monotonic;
		if (wait <= 0) return begin();
		pause ??= platform.after(wait, () => {
			pause = undefined;
			if (reader && !reading) begin();
		});
	};

	return {
		start() {
			if (running) return;
			running = true;
			checkSocket();
		},
		stop() {
			running = false;
			timer?.cancel();
			pause?.cancel();
			pause = undefined;
			reader?.close();
			reader = undefined;
			lost = undefined;
			failures = 0;
			failedOn = undefined;
		},
		read() {
			if (!reader) return;
			if (reading) again = true;
			else soon();
		},
	};
}
