import { expect, test } from "vitest";
import { Strangers } from "../../../src/system/nft/strangers.ts";

const told = (strangers: Strangers, every: number, packets: number, from = 0) =>
	Array.from({ length: packets }, (_, index) => strangers.packet(from + index * every)).filter(Boolean)
		.length;

test("a few strangers are nothing to speak of", () => {
	expect(told(new Strangers(), 1000, 100)).toBe(0);
	expect(told(new Strangers(), 10, 10)).toBe(0);
});

test("as many as are traced at all are told, once in ten seconds", () => {
	expect(told(new Strangers(), 100, 50)).toBe(1);
	expect(told(new Strangers(), 100, 300)).toBe(3);
});

test("they are told of again after a pause", () => {
	const strangers = new Strangers();
	expect(told(strangers, 50, 30)).toBe(1);
	expect(told(strangers, 50, 10, 100_000)).toBe(0);
	expect(told(strangers, 50, 10, 100_500)).toBe(1);
});
