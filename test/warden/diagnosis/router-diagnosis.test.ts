import { expect, test } from "vitest";
import { statusOf } from "../../../src/warden/status.ts";
import { peer, reading, Story } from "../story.ts";

const identity = { version: "0", router: "gw", pid: 1 };

test("one healthy peer does not make the router healthy while another has no diagnosis yet", () => {
	const story = Story.kept();
	story.happens({ type: "bird_up", version: "3.1.8" });
	story.happens(reading(peer(), peer({ name: "drizzt", state: "Active", bfd: "down" })));
	const { router, peers } = statusOf(story.state, identity);
	expect(peers.map(({ name, diagnosis }) => [name, diagnosis])).toEqual([
		["drizzt", undefined],
		["waukeen", "healthy"],
	]);
	expect(router.diagnosis).toBeUndefined();
	story.happens(reading(peer(), peer({ name: "drizzt" })));
	expect(statusOf(story.state, identity).router.diagnosis).toBe("healthy");
});
