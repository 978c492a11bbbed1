import { judgeUse } from "../warden/peers/session-use.ts";
import type { Facts } from "./facts.ts";
import { type Finding, yellow } from "./finding.ts";
import { type Peer, wordsOf } from "./known-peers.ts";

/** Sessions that are up and of no use, by the daemon's own judgement. */
export function reviewUse({ now }: Facts, peers: readonly Peer[]): Finding[] {
	return peers.flatMap((peer) => {
		const { name, live, status } = peer;
		const since = live?.since ?? Date.parse(status?.since ?? "");
		// A session of unknown age is not taken for a new one.
		const note =
			live && judgeUse(live, Number.isNaN(since) ? Number.POSITIVE_INFINITY : now - since, wordsOf(peer));
		if (note) return [yellow(note.id, name, note.text, note.remedy)];
		// What the daemon alone has seen.
		const [, text] = /^second-speaker: (.*)$/.exec(status?.note ?? "") ?? [];
		return text === undefined ? [] : [yellow("second-speaker", name, text)];
	});
}
