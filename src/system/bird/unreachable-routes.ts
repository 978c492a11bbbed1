import type { BirdPeer, BirdReading } from "../../model/bird.ts";
import type { Reply } from "./replies.ts";
import { SYMBOL } from "./restart.ts";

/** Imported routes of all peers above which BIRD is not asked: it walks through its tables for each answer. */
const MOST_ROUTES = 10_000;
/** Milliseconds after which it is asked again in any case. */
const AGAIN = 600_000;

/**
 * The question how many of each peer's routes lead nowhere: `preferred` counts them too. It is asked once for a session, again
 * when something has changed, and with each reading for as long as there are any.
 */
export class UnreachableRoutes {
	/** By peer's name: what the answer depended on, and the answer. */
	private readonly known = new Map<string, { readonly key: string; readonly count: number | undefined }>();

	/** @returns the questions to ask because of this reading, by peer's name. @param now milliseconds */
	questions({ configured, peers }: BirdReading, now: number): Map<string, string> {
		const asked = new Map<string, string>();
		const keys = new Map(peers.filter(holdsRoutes).map((peer) => [peer.name, keyOf(peer, configured, now)]));
		for (const name of [...this.known.keys()]) if (!keys.has(name)) this.known.delete(name);
		if (peers.reduce((sum, { imported = 0 }) => sum + imported, 0) > MOST_ROUTES) {
			this.known.clear();
			return asked;
		}
		for (const [name, key] of keys) {
			const last = this.known.get(name);
			if (last?.key === key && !last.count) continue;
			this.known.set(name, { key, count: undefined });
			asked.set(name, `show route where dest = RTD_UNREACHABLE protocol '${name}' count`);
		}
		return asked;
	}

	answered(name: string, reply: Reply): void {
		this.known.set(name, { key: "", ...this.known.get(name), count: countOf(reply) });
	}

	/** The reading with all that is known. */
	added(reading: BirdReading): BirdReading {
		const peers = reading.peers.map((peer) => {
			const count = this.known.get(peer.name)?.count;
			return count === undefined ? peer : { ...peer, unreachable: count };
		});
		return { ...reading, peers };
	}
}

function holdsRoutes({ name, state, imported = 0 }: BirdPeer): boolean {
	return state === "Established" && imported > 0 && SYMBOL.test(name);
}

function keyOf({ since, imported, updates }: BirdPeer, configured: string | undefined, now: number): string {
	return JSON.stringify([since, imported, updates, configured, Math.floor(now / AGAIN)]);
}

/** `1 of 3 routes for 3 networks in table master4`, a line for each of the peer's tables (nest/rt-show.c). */
function countOf({ lines, error }: Reply): number | undefined {
	const counts = lines.flatMap(({ code, text }) => {
		const [, count] = (code === 1007 && /^(\d+) of \d+ routes /.exec(text)) || [];
		return count === undefined ? [] : Number(count);
	});
	return error !== undefined || counts.length === 0 ? undefined : counts.reduce((one, other) => one + other);
}
