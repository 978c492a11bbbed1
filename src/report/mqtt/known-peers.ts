import type { PeerStatus, Status } from "../../model/status.ts";
import { peerId } from "../topics.ts";

/** The peers that are published: as BIRD listed them last, also while it cannot be queried. */
export class KnownPeers {
	all: readonly PeerStatus[] = [];
	/** Their names by their ids. */
	private names: ReadonlyMap<string, string> = new Map();
	private nameSet: ReadonlySet<string> = new Set();

	update({ router, peers }: Status): void {
		this.all = router.bird.reachable ? peers : merged(this.all, peers);
		if (this.names.size === this.all.length && this.all.every(({ name }) => this.nameSet.has(name))) return;
		this.names = new Map(this.all.map(({ name }) => [peerId(name), name]));
		this.nameSet = new Set(this.names.values());
	}

	/** @param id from `peerId`; undefined: no peer has it */
	nameOf(id: string): string | undefined {
		return this.names.get(id);
	}
}

/** The peers known so far with what is new about them, sorted by name. */
function merged(known: readonly PeerStatus[], news: readonly PeerStatus[]): PeerStatus[] {
	const all = new Map([...known, ...news].map((peer) => [peer.name, peer]));
	return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
