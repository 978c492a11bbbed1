import { nft, peer, reading, Story } from "../story.ts";

export const identity = { version: "1", router: "r", pid: 1 };
export const deleted = { type: "table_touched", touch: "deleted", actor: nft } as const;
export const passive = peer({ state: "Passive", protocolState: "start" });
/** BIRD has just restarted it. */
export const flapping = { ...passive, bfd: "down" } as const;

/** A warden that has read BIRD. */
export function read(...peers: ReturnType<typeof peer>[]): Story {
	const story = Story.kept();
	story.happens({ type: "bird_up", version: "3.1.8" }, reading(...peers));
	story.passes(20_000);
	return story;
}

/** A loss and its repair. @returns the actions */
export function repair(story: Story) {
	return story.happens(deleted, { type: "own_transaction" }, { type: "installed" });
}
