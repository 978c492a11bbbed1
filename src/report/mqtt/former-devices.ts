import type { Platform } from "../../platform/types.ts";
import type { Topics } from "../topics.ts";
import type { RetainedTopics } from "./retained-topics.ts";

/** Milliseconds in which Home Assistant forgets what is taken back. */
const FORGOTTEN = 2000;

export interface FormerDevicesHandlers {
	/** Removes a retained message, and calls back when the broker has done so; false: there is no room for it now. */
	remove(topic: string, done: () => void): boolean;
	/** There is more to do in this many milliseconds. */
	onLater(milliseconds: number): void;
}

/**
 * Takes back what was published under this router's ids of version 0.1.0: a moment later Home Assistant has forgotten those
 * entities, and gives the new ones their entity ids, by which it knows their history. So it is looked for before anything is
 * published under the new ones, and it stays where these cannot take its place.
 */
export class FormerDevices {
	/** Topics that were emptied on this connection. */
	private readonly emptied = new Set<string>();
	/** When Home Assistant has forgotten what was taken back; monotonic ms. */
	private freeAt = Number.NEGATIVE_INFINITY;

	/** @param discovery whether devices are published, which take the place of those */
	constructor(
		private readonly platform: Platform,
		private readonly topics: Topics,
		private readonly discovery: boolean,
		private readonly held: RetainedTopics,
		private readonly handlers: FormerDevicesHandlers,
	) {}

	connected(): void {
		this.emptied.clear();
	}

	/** Why they stay, as one line; undefined: they do not. */
	get problem(): string | undefined {
		const { former, searching, writable } = this.held;
		if (former.size === 0 || searching || writable || !this.discovery) return undefined;
		const where = this.topics.discovery.replace(/[^/]+\/config$/, "");
		return `the broker drops what is published below ${where}, or does not let it be read: see its access list; Home Assistant keeps the devices of version 0.1.0`;
	}

	/** @returns whether everything else has to wait for that */
	takeBack(): boolean {
		if (!this.topics.former) return false;
		const { former, searching } = this.held;
		if (searching) return true;
		const stays = this.problem !== undefined;
		for (const topic of stays ? [] : former) {
			if (this.emptied.has(topic)) continue;
			const done = () => {
				former.delete(topic);
				this.freeAt = this.platform.now().monotonic + FORGOTTEN;
				this.handlers.onLater(FORGOTTEN);
			};
			if (!this.handlers.remove(topic, done)) return true;
			this.emptied.add(topic);
		}
		const wait = this.freeAt - this.platform.now().monotonic;
		if (wait > 0) this.handlers.onLater(wait);
		return wait > 0 || (former.size > 0 && !stays);
	}
}
