import { type Backoff, retryDelay } from "../../lib/backoff.ts";
import type { BirdReading } from "../../model/bird.ts";
import type { Platform, Timer } from "../../platform/types.ts";
import { type Client, type ClientProcess, startClient } from "./client-process.ts";
import { joinReading } from "./join-reading.ts";
import { parseBfd } from "./parse-bfd.ts";
import { type ProtocolPeer, parseProtocols } from "./parse-protocols.ts";
import { parseGreeting, parseReply } from "./replies.ts";
import { type ControlSocket, findSocket, noSocket } from "./socket.ts";

export interface BirdPollerOptions {
	/** Path of the control socket; empty: the usual places. */
	readonly socket: string;
	/** BIRD answers: called once per recovery, right before the first reading. */
	readonly onUp: (version?: string) => void;
	/** BIRD cannot be asked: called once per outage and again when the reason becomes another one. */
	readonly onLost: (reason: string) => void;
	/** A whole reading; the first one comes unasked. */
	readonly onReading: (reading: BirdReading) => void;
}

/** BIRD's state, asked through one long-lived client that may only read. */
export interface BirdPoller {
	start(): void;
	stop(): void;
	/** Reads once more; calls during a reading make one more after it. Does nothing while BIRD is lost. */
	read(): void;
}

const BACKOFF: Backoff = { first: 1000, longest: 30_000 };
/** Milliseconds between looks at the socket while BIRD is lost; a look is a stat. */
const LOOK = 1000;
/** Times as seconds since 1970, whatever the configuration and the time zone say: BIRD 2.16, this session only. */
const TIME_FORMAT = 'timeformat "%s.%3f"';
const NO_PROTOCOLS = "No protocols match";
const ALL_BFD = "show bfd sessions all";
/** BIRD before 2.15, which answers `all` with a syntax error. */
const OLD_BFD = "show bfd sessions";

export function createBirdPoller(platform: Platform, options: BirdPollerOptions): BirdPoller {
	let client: Client = "birdcl";
	let conversation: ClientProcess | undefined;
	let timer: Timer | undefined;
	let running = false;
	/** Why BIRD cannot be asked; false: it answers; undefined: not known yet. */
	let lost: string | false | undefined;
	let failures = 0;
	let retryAt = 0;
	let tried: ControlSocket | undefined;
	/** Identity of the socket that the last try failed on: a new one is tried at once. */
	let failedOn: string | undefined;
	let version: string | undefined;
	let bfdCommand = ALL_BFD;
	let reading = false;
	let again = false;

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
		timer = platform.after(LOOK, checkSocket);
		if (socket) return;
		// Without a socket nothing was tried, so BIRD's next start is met at once.
		failures = 0;
		failedOn = undefined;
		reportLoss(noSocket(options.socket));
	};

	const connect = (socket: ControlSocket) => {
		tried = socket;
		version = undefined;
		bfdCommand = ALL_BFD;
		again = false;
		reading = true;
		conversation = startClient(platform, {
			client,
			socket: socket.path,
			onGreeting: (text) => {
				const greeting = parseGreeting(text);
				if (!greeting) return fail(`${client}: not BIRD's greeting: ${excerpt(text)}`);
				version = greeting.version;
				// An older BIRD refuses this, and its answer does not matter.
				ask(TIME_FORMAT, () => readProtocols());
			},
			onEnd: ({ reason, missing }) => {
				if (missing && client === "birdcl") {
					client = "birdc";
					connect(socket);
					return;
				}
				if (missing) client = "birdcl";
				fail(missing ? "neither birdcl nor birdc can be run" : reason);
			},
		});
	};

	const fail = (reason: string) => {
		conversation?.close();
		conversation = undefined;
		reading = false;
		failures++;
		failedOn = tried?.identity;
		retryAt = platform.now().monotonic + retryDelay(BACKOFF, failures, platform.random());
		timer = platform.after(LOOK, checkSocket);
		reportLoss(reason);
	};

	const ask = (command: string, onAnswer: (answer: string) => void) => conversation?.ask(command, onAnswer);

	const readProtocols = () => {
		const command = "show protocols all";
		ask(command, (answer) => {
			const reply = parseReply(answer);
			// Not the same as a BIRD without peers, whose retained messages would have to go.
			if (reply?.error === NO_PROTOCOLS) return fail("BIRD has no protocols: it is starting or stopping");
			const protocols = reply && parseProtocols(reply);
			if (!protocols) return fail(refusal(command, reply?.error, answer));
			readBfd(protocols);
		});
	};

	const readBfd = (protocols: readonly ProtocolPeer[]) => {
		const command = bfdCommand;
		ask(command, (answer) => {
			const reply = parseReply(answer);
			const sessions = reply && parseBfd(reply);
			if (reply?.error !== undefined && !sessions && command === ALL_BFD) {
				bfdCommand = OLD_BFD;
				readBfd(protocols);
				return;
			}
			// BIRD's own refusal leaves BFD unknown; anything else is no BIRD.
			if (!sessions && reply?.error === undefined) return fail(refusal(command, undefined, answer));
			deliver(joinReading(version, protocols, sessions));
		});
	};

	const deliver = (result: BirdReading) => {
		failures = 0;
		const [wasLost, wasAgain] = [lost !== false, again];
		lost = false;
		if (wasLost) options.onUp(version);
		// Whoever answers `onUp` with a wish to read is about to get what he wants.
		again = wasAgain;
		reading = false;
		if (running) options.onReading(result);
		if (again && conversation && !reading) begin();
	};

	const begin = () => {
		again = false;
		reading = true;
		readProtocols();
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
			conversation?.close();
			conversation = undefined;
			lost = undefined;
			failures = 0;
			failedOn = undefined;
		},
		read() {
			if (!conversation) return;
			if (reading) again = true;
			else begin();
		},
	};
}

function refusal(command: string, error: string | undefined, answer: string): string {
	return `BIRD: ${command}: ${error ?? `not an answer: ${excerpt(answer)}`}`;
}

/** The first line, short and printable. */
function excerpt(text: string): string {
	const line = text.split("\n", 1)[0] ?? "";
	return `"${line.replace(/[^\x20-\x7e]/g, "?").slice(0, 80)}"`;
}
