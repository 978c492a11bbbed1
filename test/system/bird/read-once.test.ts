import { beforeEach, expect, test } from "vitest";
import { readBirdOnce } from "../../../src/system/bird/read-once.ts";
import { FakePlatform } from "../../fakes/platform.ts";
import { captured, client, expected, instead, SOCKET, without } from "./fake-birdcl.ts";
import { withoutTimes } from "./transcript.ts";

let platform: FakePlatform;
beforeEach(() => {
	platform = new FakePlatform();
	platform.files.setSocket(SOCKET);
	platform.program("birdcl", client());
});

function look(milliseconds = 0) {
	const looking = readBirdOnce(platform, "");
	// The second client, if the first one is missing, is started a turn later.
	return Promise.race([
		looking,
		(async () => {
			for (let turn = 0; turn < 5; turn++) {
				platform.advance(milliseconds);
				await undefined;
				await undefined;
			}
			return looking;
		})(),
	]);
}

test("one look is one process that may only read, and ends it", async () => {
	const seen = await look();
	if (!("reading" in seen)) throw new Error(seen.reason);
	expect(withoutTimes(seen.reading)).toEqual(expected);
	expect(seen.protocols).toContainEqual({ name: "device1", kind: "Device", state: "up" });
	expect(seen.protocols.filter(({ kind }) => kind === "BGP").length).toBeGreaterThan(1);
	expect(platform.children.map(({ argv }) => argv)).toEqual([["birdcl", "-v", "-r", "-s", SOCKET]]);
	expect(platform.children[0]?.ended).toBe(true);
	expect(platform.pendingTimers).toBe(0);
});

test.each([
	["no socket", () => platform.files.remove(SOCKET), /^BIRD does not run: no socket at /],
	["no answer", () => platform.program("birdcl", client(without("show protocols all"))), /no answer in 3 s$/],
	[
		"BIRD 1",
		() => platform.program("birdcl", client(captured.answers, "0001 BIRD 1.6.8 ready.\n")),
		/^BIRD 1\.6\.8 is too old: BIRD 2\.0 or later is needed$/,
	],
	[
		"another program",
		() => platform.program("birdcl", client(captured.answers, "hello\n")),
		/not BIRD's greeting: "hello"$/,
	],
	[
		"a refusal",
		() => platform.program("birdcl", client(instead("show protocols all", "8003 No protocols match\n"))),
		/^BIRD has no protocols/,
	],
])("%s is told in one line", async (_, prepare, reason) => {
	prepare();
	expect(await look(1000)).toEqual({ reason: expect.stringMatching(reason), missing: false });
});

test("birdc does where birdcl is not; without either that is told", async () => {
	platform.program("birdcl", undefined);
	expect(await look()).toEqual({ reason: "neither birdcl nor birdc can be run", missing: true });
	expect(platform.children.map(({ argv }) => argv[0])).toEqual(["birdcl", "birdc"]);
});
