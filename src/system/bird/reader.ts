import { type BirdReading, tooOld } from "../../model/bird.ts";
import type { Platform } from "../../platform/types.ts";
import { type Client, type ClientProcess, startClient } from "./client-process.ts";
import { Joiner } from "./join-reading.ts";
import { BfdReader, type BfdSession, saysNoBfd } from "./parse-bfd.ts";
import type { BirdProtocol } from "./parse-protocols.ts";
import { ProtocolReader } from "./protocol-reader.ts";
import { parseConfigured, parseGreeting, type Reply, type ReplyLine, ReplyParser } from "./replies.ts";
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
const BFD = "show bfd sessions";
/** Lines of an answer that is no list of peers. */
const SHORT = 1000;

/** Starts birdcl, or birdc where only that is installed. Nothing is called back before this has returned. */
export function openReader(platform: Platform, options: ReaderOptions): BirdReader {
	let process: ClientProcess | undefined;
	let version: string | undefined;
	const protocols = new ProtocolReader();
	const bfd = new BfdReader();
	const routes = new UnreachableRoutes();
	const joiner = new Joiner();

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
				process?.ask(TIME_FORMAT, { line: () => undefined, end: () => options.onReady(version) });
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

	/**
	 * Asks, and has each line of the answer taken as it comes.
	 * @param take what it does not take ends the reading
	 * @param done gets BIRD's own words where it refused
	 * @param lines takes most lines before they are taken apart, which would cost more than anything else
	 */
	const ask = (
		command: string,
		take: (code: number, text: string) => boolean,
		done: (refused: string | undefined) => void,
		lines: (text: string, from: number) => number = (_, from) => from,
	) => {
		const parser = new ReplyParser();
		process?.ask(command, {
			lines,
			line(text) {
				// Without the prompts that birdc puts before it.
				if (lines(`${text}\n`, 0) > text.length) return undefined;
				const says = parser.take(text);
				const taken =
					says && parser.error === undefined ? take(parser.code, parser.text) : says !== undefined;
				return taken ? undefined : `BIRD: ${command}: not an answer: ${excerpt(text)}`;
			},
			end: () => done(parser.error),
		});
	};

	/** Asks for a short answer. */
	const askShort = (command: string, done: (reply: Reply) => void) => {
		const lines: ReplyLine[] = [];
		ask(
			command,
			(code, text) => lines.push({ code, text }) <= SHORT,
			(error) => done(error === undefined ? { lines } : { lines, error }),
		);
	};

	const read = (onSnapshot: (snapshot: BirdSnapshot) => void) =>
		askShort(STATUS, (reply) => readProtocols(parseConfigured(reply), onSnapshot));

	const readProtocols = (configured: string | undefined, done: (snapshot: BirdSnapshot) => void) => {
		protocols.begin();
		ask(
			PROTOCOLS,
			() => false,
			(error) => {
				// Not the same as a BIRD without peers, whose retained messages would have to go.
				if (error === NO_PROTOCOLS) return fail("BIRD has no protocols: it is starting or stopping");
				if (error !== undefined) return fail(`BIRD: ${PROTOCOLS}: ${error}`);
				const found = protocols.end();
				if (!found) return fail(`BIRD: ${PROTOCOLS}: not an answer: it was cut`);
				readBfd((sessions) => {
					const now = platform.now();
					const questions = routes.questions(found.peers, configured, now.monotonic);
					readRoutes([...questions], () => {
						const reading = joiner.join(
							{ version, configured },
							found.peers,
							sessions,
							routes.counts,
							now.wall,
						);
						done({ reading, protocols: found.protocols });
					});
				});
			},
			(text, from) => protocols.take(text, from),
		);
	};

	/** @param done gets no sessions where BIRD refused to tell */
	const readBfd = (done: (sessions: readonly BfdSession[] | undefined) => void) => {
		bfd.begin();
		ask(
			BFD,
			(code, text) => bfd.take(code, text),
			(error) => {
				if (error === undefined || saysNoBfd(error)) done(error === undefined ? bfd.end() : []);
				else done(undefined);
			},
		);
	};

	const readRoutes = ([first, ...rest]: readonly (readonly [string, string])[], done: () => void) => {
		if (!first) return done();
		const [name, question] = first;
		askShort(question, (reply) => {
			routes.answered(name, reply);
			readRoutes(rest, done);
		});
	};

	connect("birdcl");
	return {
		read,
		close() {
			process?.close();
			process = undefined;
		},
	};
}

/** The first line, short and printable. */
function excerpt(text: string): string {
	const line = text.split("\n", 1)[0] ?? "";
	return `"${line.slice(0, 80).replace(/[^\x20-\x7e]/g, "?")}"`;
}
