import { within } from "../../lib/number.ts";
import type { BirdPeer } from "../../model/bird.ts";
import type { Reply } from "./replies.ts";
import { SYMBOL } from "./restart.ts";

/** Imported routes of all peers above which BIRD is not asked: it walks through its tables for each answer. */
const MOST_ROUTES = 10_000;
/** Milliseconds after which it is asked again in any case. */
const AGAIN = 600_000;

/** Questions of one reading; what is left waits for the next. */
const MOST_QUESTIONS = 16;

/** What the answer depended on, and the answer. */
interface Known {
	readonly peer: Sample;
	readonly configured: string | undefined;
	readonly period: number;
	readonly count?: number;
}

/** What is looked at of a peer. */
type Sample = Pick<BirdPeer, "name" | "state" | "imported" | "updates"> & { readonly sinceText?: string };

/**
 * The question how many of each peer's routes lead nowhere: `preferred` counts them too. It is asked once for a session, again
 * when something has changed, and with each reading for as long as there are any.
 */
export class UnreachableRoutes {
	private readonly known = new Map<string, Known>();

	/** The answers, by peer's name. */
	get counts(): ReadonlyMap<string, number> {
		const found = [...this.known].flatMap(([name, { count }]) =>
			count === undefined ? [] : [[name, count] as const],
		);
		return new Map(found);
	}

	/**
	 * @param now milliseconds
	 * @returns the questions to ask because of this reading, by peer's name
	 */
	questions(peers: readonly Sample[], configured: string | undefined, now: number): Map<string, string> {
		const asked = new Map<string, string>();
		const holders = peers.filter(holdsRoutes);
		const names = new Set(holders.map(({ name }) => name));
		for (const name of [...this.known.keys()]) if (!names.has(name)) this.known.delete(name);
		if (peers.reduce((sum, { imported = 0 }) => sum + imported, 0) > MOST_ROUTES) {
			this.known.clear();
			return asked;
		}
		const period = Math.floor(now / AGAIN);
		for (const peer of holders) {
			if (asked.size === MOST_QUESTIONS) break;
			const last = this.known.get(peer.name);
			if (last && !last.count && isSame(last, { peer, configured, period })) continue;
			this.known.set(peer.name, { peer, configured, period });
			asked.set(peer.name, `show route where dest = RTD_UNREACHABLE protocol '${peer.name}' count`);
		}
		return asked;
	}

	answered(name: string, reply: Reply): void {
		const known = this.known.get(name);
		const count = countOf(reply);
		if (known && count !== undefined) this.known.set(name, { ...known, count });
	}
}

function isSame(one: Known, other: Known): boolean {
	if (one.configured !== other.configured || one.period !== other.period) return false;
	if (one.peer === other.peer) return true;
	const sample = ({ sinceText, imported, updates }: Sample) => JSON.stringify([sinceText, imported, updates]);
	return sample(one.peer) === sample(other.peer);
}

function holdsRoutes({ name, state, imported = 0 }: Sample): boolean {
	return state === "Established" && imported > 0 && SYMBOL.test(name);
}

/** `1 of 3 routes for 3 networks in table master4`, a line for each of the peer's tables (nest/rt-show.c). */
function countOf({ lines, error }: Reply): number | undefined {
	const counts = lines.flatMap(({ code, text }) => {
		const [, count] = (code === 1007 && /^(\d+) of \d+ routes /.exec(text)) || [];
		return count === undefined ? [] : Number(count);
	});
	if (error !== undefined || counts.length === 0) return undefined;
	return within(counts.reduce((one, other) => one + other));
}
