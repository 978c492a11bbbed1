import type { BirdReading } from "../../model/bird.ts";
import type { Platform } from "../../platform/types.ts";
import { type Client, startClient } from "./client-process.ts";
import { joinReading } from "./join-reading.ts";
import { type BfdSession, parseBfd } from "./parse-bfd.ts";
import { parseProtocols } from "./parse-protocols.ts";
import { parseGreeting, parseReply, type Reply } from "./replies.ts";
import { findSocket, noSocket } from "./socket.ts";

/** One look at a running BIRD. */
export interface BirdSnapshot {
	readonly reading: BirdReading;
	/** Every protocol, BGP or not. */
	readonly protocols: readonly BirdProtocol[];
}

export interface BirdProtocol {
	readonly name: string;
	/** As BIRD writes it: `BGP`, `Direct`, `BFD`, `Device`, `Kernel`. */
	readonly kind: string;
	/** `up`, `start`, `down`, `stop`. */
	readonly state: string;
}

type Failure = { readonly reason: string; readonly missing: boolean };

/**
 * Asks BIRD once for its protocols and BFD sessions.
 * @param configured path of the control socket; empty: the usual places
 * @returns or why it cannot be asked, in one line; `missing`: there is no client
 */
export function readBirdOnce(platform: Platform, configured: string): Promise<BirdSnapshot | Failure> {
	const socket = findSocket(platform, configured);
	if (!socket) return Promise.resolve({ reason: noSocket(configured), missing: false });
	return readWith(platform, socket.path, "birdcl");
}

async function readWith(platform: Platform, socket: string, client: Client): Promise<BirdSnapshot | Failure> {
	const found = await new Promise<BirdSnapshot | Failure>((resolve) => {
		const conversation = startClient(platform, {
			client,
			socket,
			onEnd: resolve,
			onGreeting: (text) => {
				const greeting = parseGreeting(text);
				if (greeting) askProtocols(greeting.version);
				else finish({ reason: `${client}: not BIRD's greeting`, missing: false });
			},
		});
		const finish = (result: BirdSnapshot | Failure) => {
			conversation.close();
			resolve(result);
		};
		const askProtocols = (version: string | undefined) => {
			conversation.ask("show protocols all", (answer) => {
				const reply = parseReply(answer);
				const peers = reply && parseProtocols(reply);
				if (!reply || !peers)
					return finish({
						reason: `BIRD: show protocols all: ${reply?.error ?? "not understood"}`,
						missing: false,
					});
				askBfd("show bfd sessions all", (sessions) =>
					finish({ reading: joinReading(version, peers, sessions), protocols: parseKinds(reply) }),
				);
			});
		};
		const askBfd = (command: string, done: (sessions: BfdSession[] | undefined) => void) => {
			conversation.ask(command, (answer) => {
				const reply = parseReply(answer);
				const sessions = reply && parseBfd(reply);
				// BIRD before 2.15 answers `all` with a syntax error.
				if (!sessions && command.endsWith(" all")) askBfd("show bfd sessions", done);
				else done(sessions);
			});
		};
	});
	if (!("missing" in found) || !found.missing) return found;
	return client === "birdcl"
		? readWith(platform, socket, "birdc")
		: { reason: "neither birdcl nor birdc can be run", missing: true };
}

const ENTRY = 1002;

/** Name, kind and state of each protocol in an answer to `show protocols` (nest/proto.c, proto_cmd_show). */
export function parseKinds(reply: Reply): BirdProtocol[] {
	return reply.lines.flatMap(({ code, text }) => {
		const [, name, kind, state] = /^(\S+)\s+(\S+)\s+\S+\s+(\S+)/.exec(code === ENTRY ? text : "") ?? [];
		return name === undefined || kind === undefined || state === undefined ? [] : [{ name, kind, state }];
	});
}
