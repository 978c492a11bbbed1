import type { ServiceFacts } from "../../model/service-path.ts";
import type { Platform } from "../../platform/types.ts";
import { type Client, type ClientProcess, startClient } from "./client-process.ts";
import type { BirdSnapshot } from "./reader.ts";
import { type Reply, type ReplyLine, ReplyParser } from "./replies.ts";
import { SYMBOL } from "./restart.ts";
import { parseBirdRoutes } from "./routes-text.ts";

/** Imported routes above which BIRD is asked for the longest prefix alone: else it walks through its tables. */
const MOST_ROUTES = 100_000;
/** Kernel protocols that are asked about. */
const MOST = 16;
/** Lines of an answer that are kept. */
const LINES = 5000;

/**
 * Asks BIRD for its routes to a service's address, those that an import filter has left out, and those that its kernel
 * protocols take.
 * @param socket path of the control socket
 * @returns undefined when it does not answer
 */
export async function askServiceRoutes(
	platform: Platform,
	socket: string,
	address: string,
	{ reading, protocols }: BirdSnapshot,
): Promise<ServiceFacts["bird"]> {
	const imported = reading.peers.reduce((sum, peer) => sum + (peer.imported ?? 0), 0);
	const which = imported > MOST_ROUTES ? `for ${address}` : `where ${address} ~ net`;
	const kernels = protocols.filter(
		({ kind, state, name }) => kind === "Kernel" && state === "up" && SYMBOL.test(name),
	);
	const [routes, filtered, ...exported] =
		(await askAll(platform, socket, [
			`show route table all ${which} all`,
			`show route filtered table all ${which} all`,
			...kernels.slice(0, MOST).map(({ name }) => `show route export '${name}' ${which} all`),
		])) ?? [];
	if (!routes || routes.error !== undefined) return undefined;
	return {
		routes: parseBirdRoutes(routes.lines),
		filtered: parseBirdRoutes(filtered?.lines ?? []),
		...(exported.length > 0 ? { exported: exported.flatMap(({ lines }) => parseBirdRoutes(lines)) } : {}),
	};
}

/** Asks one client process, restricted to reading, one command after the other. */
async function askAll(
	platform: Platform,
	socket: string,
	commands: readonly string[],
): Promise<readonly Reply[] | undefined> {
	return (
		(await askClient(platform, "birdcl", socket, commands)) ?? askClient(platform, "birdc", socket, commands)
	);
}

function askClient(
	platform: Platform,
	client: Client,
	socket: string,
	commands: readonly string[],
): Promise<readonly Reply[] | undefined> {
	return new Promise((resolve) => {
		const replies: Reply[] = [];
		const next = (process: ClientProcess) => {
			const command = commands[replies.length];
			if (command === undefined) {
				process.close();
				return resolve(replies);
			}
			const parser = new ReplyParser();
			const lines: ReplyLine[] = [];
			process.ask(command, {
				line(text) {
					const says = parser.take(text);
					if (says === undefined) return "not an answer of BIRD's";
					if (says && lines.length < LINES) lines.push({ code: parser.code, text: parser.text });
					return undefined;
				},
				end() {
					replies.push(parser.error === undefined ? { lines } : { lines, error: parser.error });
					next(process);
				},
			});
		};
		const process = startClient(platform, {
			client,
			socket,
			onGreeting: () => next(process),
			onEnd: () => resolve(undefined),
		});
	});
}
