import { expect, test } from "vitest";
import { CAUSES, type Cause } from "../diagnosis/causes.ts";
import { play } from "../diagnosis/run.ts";
import { birdVersions, newestBird } from "../world.ts";

/** A few causes of each kind; `make test-diagnosis` plays them all, on both BIRDs and address families. */
const SOME = [
	{ name: "a tproxy in a mangle chain", family: 4, version: 3 },
	{ name: "a reject in a zone of fw4", family: 6, version: 2 },
	{ name: "a drop in postrouting", family: 6, version: 3 },
	{ name: "a wrong AS number in BIRD", family: 4, version: 2 },
	{ name: "a pulled cable", family: 4, version: 3 },
	{ name: "single-hop BFD in BIRD, multihop in the speaker", family: 6, version: 3 },
] as const;

test.concurrent.each(SOME)("$name is named (IPv$family)", async ({ name, family, version }) => {
	const cause = CAUSES.find((each): each is Cause => each.name === name);
	if (!cause) throw new Error(`no cause ${name}`);
	const outcome = await play(cause, {
		family,
		version: birdVersions.includes(version) ? version : newestBird,
	});
	expect(outcome).toMatchObject({ first: cause.id, others: [], healedAfter: expect.any(Number) });
});
