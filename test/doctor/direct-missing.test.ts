import { describe, expect, test } from "vitest";
import type { Facts } from "../../src/doctor/facts.ts";
import { judge } from "../../src/doctor/judge.ts";
import type { BirdPeer } from "../../src/model/bird.ts";
import { BIRD_CONF, birdFile, HEALTHY } from "./sample-facts.ts";

/** The levels of `direct-missing`. @param changes what BIRD says of its peer @param text bird.conf; absent: there is none */
function found(changes: Partial<BirdPeer>, text?: string, kinds: readonly string[] = []): string[] {
	const { bird } = HEALTHY;
	if (!("reading" in bird)) throw new Error("no reading");
	const peers = bird.reading.peers.map((each) => ({ ...each, ...changes }));
	const facts: Facts = {
		...HEALTHY,
		bird: {
			reading: { ...bird.reading, peers },
			protocols: kinds.map((kind) => ({ name: kind.toLowerCase(), kind, state: "up" })),
		},
		birdFile: text === undefined ? { error: "no file" } : birdFile(text),
	};
	const { causes, review } = judge(facts);
	return [...causes, ...review].filter(({ id }) => id === "direct-missing").map(({ level }) => level);
}

const bare = BIRD_CONF.replace(/protocol direct .*/, "");
const imports = (words: string) => bare.replace("import all;", words);

describe("protocol direct, by bird.conf alone", () => {
	test.each<[string, string, string[]]>([
		["nothing else leads there", bare, ["red"]],
		["a condition on the routes", imports("import where net ~ [ 192.168.20.0/24+ ];"), ["red"]],
		["a condition that calls a function", imports("import where good(net);"), ["yellow"]],
		["a filter, which may set gw", imports("import filter { gw = from; accept; };"), ["yellow"]],
		[
			"a filter of its own",
			`filter mine { gw = from; accept; }${imports("import filter mine;")}`,
			["yellow"],
		],
		["import none", imports("import none;"), []],
		["gateway direct", imports("import all; gateway direct;"), []],
		["a direct session", bare.replace("multihop 2;", ""), []],
		[
			"a direct session that looks next hops up",
			imports("import all; gateway recursive;").replace("multihop 2;", ""),
			["red"],
		],
		[
			"internal BGP",
			bare.replace("neighbor 192.168.1.2 as 65009", "neighbor 192.168.1.2 as 65001"),
			["yellow"],
		],
		["OSPF", `${bare}protocol ospf { area 0 { interface "*"; }; }`, ["yellow"]],
		["static routes", `${bare}protocol static { ipv4; route 192.168.1.0/24 via "br-lan"; }`, ["yellow"]],
		["the kernel's routes", bare.replace("kernel {", "kernel { learn;"), ["yellow"]],
		["not the kernel's routes", bare.replace("kernel {", "kernel { learn off;"), ["red"]],
		["protocol direct on every interface", `${bare}protocol direct { ipv4; }`, []],
		["protocol direct on other networks", `${bare}protocol direct { ipv4; interface "wg*"; }`, []],
		["protocol direct of the other family", `${bare}protocol direct { ipv6; }`, ["red"]],
	])("%s", (_, text, levels) => {
		expect(found({ state: "Passive" }, text)).toEqual(levels);
		// A session without a route tells nothing.
		expect(found({ imported: 0 }, text)).toEqual(levels);
		expect(found({ imported: 3, unreachable: 0 }, text)).toEqual([]);
	});

	test("a part of the file that could not be read may bring routes", () => {
		const file = birdFile(bare);
		const { causes, review } = judge({
			...HEALTHY,
			birdFile: { ...file, problems: ["no such file"] } as Facts["birdFile"],
		});
		const levels = [...causes, ...review]
			.filter(({ id }) => id === "direct-missing")
			.map(({ level }) => level);
		expect(levels).toEqual(["yellow"]);
	});

	test("BIRD's own word that next hops are unreachable makes it certain", () => {
		const ospf = `${bare}protocol ospf { area 0 { interface "*"; }; }`;
		expect(found({ imported: 3, unreachable: 3 }, ospf)).toEqual(["red"]);
	});
});

test.each<[string, Partial<BirdPeer>, string[], string[]]>([
	["nobody knows", {}, [], ["yellow"]],
	["next hops are reached", { imported: 1, unreachable: 0 }, [], []],
	["next hops are not reached", { imported: 1, unreachable: 1 }, [], ["red"]],
	["protocol direct runs", {}, ["Direct"], []],
])("without bird.conf: %s", (_, changes, kinds, levels) => {
	expect(found(changes, undefined, kinds)).toEqual(levels);
});
