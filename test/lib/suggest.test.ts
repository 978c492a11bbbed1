import { expect, it } from "vitest";
import { didYouMean, nearest } from "../../src/lib/suggest.ts";

const WORDS = ["poll_interval", "port", "host", "status", "tls"];

it.each([
	["pol_interval", "poll_interval"],
	["poll-intervall", "poll_interval"],
	["prot", "port"],
	["hots", "host"],
	["Status", "status"],
	["tsl", "tls"],
	["pt", undefined],
	["anything", undefined],
	["", undefined],
	["x".repeat(1000), undefined],
])("nearest to %s is %s", (word, expected) => {
	expect(nearest(word, WORDS)).toBe(expected);
});

it("didYouMean is nothing when nothing is near", () => {
	expect(didYouMean("zzz", WORDS)).toBe("");
	expect(didYouMean("statsu", WORDS)).toBe(" (did you mean 'status'?)");
});
