import { expect, test } from "vitest";
import { judge } from "../../src/doctor/judge.ts";
import type { BirdPeer } from "../../src/model/bird.ts";
import { BIRD_CONF, birdFile, HEALTHY, NOW, PEER, STATUS } from "./sample-facts.ts";

const none = { received: 0, rejected: 0, filtered: 0, withdrawn: 0 };
const ids = (change: object) => {
	const { level, causes, review } = judge({ ...HEALTHY, ...change });
	const wrong = [...causes, ...review].filter((finding) => finding.level !== "green");
	return [level, ...wrong.map((finding) => `${finding.level} ${finding.id} ${finding.subject}`)];
};

function live(changes: { [Key in keyof BirdPeer]?: BirdPeer[Key] | undefined }) {
	const { bird } = HEALTHY;
	if (!("reading" in bird)) throw new Error("no reading");
	const peers = bird.reading.peers.map((each) => ({ ...each, since: NOW - 60_000, imported: 0, ...changes }));
	return { bird: { ...bird, reading: { ...bird.reading, peers } } };
}

test.each<[string, Partial<BirdPeer>, string]>([
	["nothing announced", { updates: none }, "nothing-announced"],
	["all filtered", { updates: { ...none, received: 2, filtered: 2 } }, "all-filtered"],
	["all rejected", { updates: { ...none, received: 2, rejected: 2 } }, "all-rejected"],
	["unreachable next hops", { imported: 2, unreachable: 2 }, "next-hops-unreachable"],
])("%s is one warning, and no error", (_, changes, id) => {
	expect(ids(live(changes))).toEqual(["yellow", `yellow ${id} waukeen`]);
});

test("a session that has just come up, and one with import none, are green", () => {
	expect(ids(live({ updates: none, since: NOW - 29_000 }))).toEqual(["green"]);
	expect(ids(live({}))).toEqual(["green"]);
});

test("where BIRD does not tell since when, the daemon does", () => {
	const { since: _, ...rest } = { ...PEER, since: "" };
	const peers = (ago: number) => [{ ...rest, since: new Date(NOW - ago).toISOString() }];
	const told = live({ updates: none, since: undefined });
	expect(ids({ ...told, status: { ...STATUS, peers: peers(10_000) } })).toEqual(["green"]);
	expect(ids({ ...told, status: { ...STATUS, peers: peers(60_000) } })).toHaveLength(2);
	expect(ids(told)).toHaveLength(2);
});

test("next hops that protocol direct would lead to are one fault", () => {
	const change = {
		...live({ imported: 2, unreachable: 2 }),
		birdFile: birdFile(BIRD_CONF.replace(/protocol direct .*/, "")),
	};
	expect(ids(change)).toEqual(["red", "red direct-missing waukeen"]);
});
