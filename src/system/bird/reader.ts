import { type BirdReading, tooOld } from "../../model/bird.ts";
import type { Platform } from "../../platform/types.ts";
import { type Client, type ClientProcess, startClient } from "./client-process.ts";
import { joinReading } from "./join-reading.ts";
import { parseBfd } from "./parse-bfd.ts";
import { type BirdProtocol, type ProtocolPeer, parseKinds, parseProtocols } from "./parse-protocols.ts";
import { parseConfigured, parseGreeting, parseReply, type Reply } from "./replies.ts";
import { UnreachableRoutes } from "./unreachable-routes.ts";

/** Everything that one reading tells. */
export interface BirdSnapshot {
	readonly reading: BirdReading;
	/** Every protocol, BGP or not. */
	readonly protocols: readonly BirdProtocol[];
}

/** Why BIRD cannot be read, as one line. @property missing there is neither birdcl nor birdc */
export interface ReaderFailure {
	readonly reason: string;
	readonly missing: boolean;
}

export interface ReaderOptions {
	/** Path of the control socket. */
	readonly socket: string;
	/** BIRD has answered: `read` may be called. */
	readonly onReady: (version: string | undefined) => void;
	/** Called once, when nothing can be read any more; not after `close`. */
	readonly onFailure: (failure: ReaderFailure) => void;
}

/** One client process, restricted to reading, that can be asked again and again. */
export interface BirdReader {
	/** Only when the reading before is complete. */
	read(onSnapshot: (snapshot: BirdSnapshot) => void): void;
	close(): void;
}

/** Times as seconds since 1970, whatever the configuration and the time zone say: BIRD 2.16, this session only. */
const TIME_FORMAT = 'timeformat "%s.%3f"';
const STATUS = "show status";
const PROTOCOLS = "show protocols all";
const NO_PROTOCOLS = "No protocols match";
const ALL_BFD = "show bfd sessions all";
/** BIRD before 2.15, which answers `all` with a syntax error. */
const OLD_BFD = "show bfd sessions";

/** Starts birdcl, or birdc where only that is installed. Nothing is called back before this has returned. */
export function openReader(platform: Platform, options: ReaderOptions): BirdReader {
	let process: ClientProcess | undefined;
	let version: string | undefined;
	let bfdCommand = ALL_BFD;
	const routes = new UnreachableRoutes();

	const connect = (client: Client) => {
		process = startClient(platform, {
			client,
			socket: options.socket,
			onGreeting: (text) => {
				const greeting = parseGreeting(text);
				if (!greeting) return fail(`${client}: not BIRD's greeting: ${excerpt(text)}`);
				version = greeting.version;
				// BIRD 1 knows no channels, and speaks one address family: half of its answers would be misread.
				const old = tooOld(version);
				if (old !== undefined) return fail(old);
				// An older BIRD refuses this, and its answer does not matter.
				process?.ask(TIME_FORMAT, () => options.onReady(version));
			},
			onEnd: ({ reason, missing }) => {
				if (missing && client === "birdcl") connect("birdc");
				else fail(missing ? "neither birdcl nor birdc can be run" : reason, missing);
			},
		});
	};

	const fail = (reason: string, missing = false) => {
		process?.close();
		process = undefined;
		options.onFailure({ reason, missing });
	};

	const readBfd = (
		configured: string | undefined,
		reply: Reply,
		peers: readonly ProtocolPeer[],
		done: (snapshot: BirdSnapshot) => void,
	) => {
		const command = bfdCommand;
		process?.ask(command, (answer) => {
			const bfd = parseReply(answer);
			const sessions = bfd && parseBfd(bfd);
			if (bfd?.error !== undefined && !sessions && command === ALL_BFD) {
				bfdCommand = OLD_BFD;
				readBfd(configured, reply, peers, done);
				return;
			}
			// BIRD's own refusal leaves BFD unknown; anything else is no BIRD.
			if (!sessions && bfd?.error === undefined) return fail(refusal(command, undefined, answer));
			const about = { version, configured };
			const reading = joinReading(about, peers, sessions, platform.now().wall);
			const questions = [...routes.questions(reading, platform.now().monotonic)];
			readRoutes(questions, () => done({ reading: routes.added(reading), protocols: parseKinds(reply) }));
		});
	};

	const readRoutes = ([first, ...rest]: readonly (readonly [string, string])[], done: () => void) => {
		if (!first) return done();
		const [name, question] = first;
		process?.ask(question, (answer) => {
			const reply = parseReply(answer);
			if (!reply) return fail(refusal(question, undefined, answer));
			routes.answered(name, reply);
			readRoutes(rest, done);
		});
	};

	const readProtocols = (configured: string | undefined, done: (snapshot: BirdSnapshot) => void) =>
		process?.ask(PROTOCOLS, (answer) => {
			const reply = parseReply(answer);
			// Not the same as a BIRD without peers, whose retained messages would have to go.
			if (reply?.error === NO_PROTOCOLS) return fail("BIRD has no protocols: it is starting or stopping");
			const peers = reply && parseProtocols(reply);
			if (!reply || !peers) return fail(refusal(PROTOCOLS, reply?.error, answer));
			readBfd(configured, reply, peers, done);
		});

	connect("birdcl");
	return {
		read(onSnapshot) {
			process?.ask(STATUS, (answer) => {
				const reply = parseReply(answer);
				if (!reply) return fail(refusal(STATUS, undefined, answer));
				readProtocols(parseConfigured(reply), onSnapshot);
			});
		},
		close() {
			process?.close();
			process = undefined;
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
