import { describe, expect, test } from "vitest";
import { slowestOf } from "./growth.ts";
import type { Parser } from "./parser.ts";
import { play } from "./play.ts";

/** The same inputs each time; `make fuzz` takes others. */
const SEED = 20_261_129;
const INPUTS = 20_000;

/** 20,000 inputs for each of these parsers, and long ones. */
export function fuzz(parsers: readonly Parser[]): void {
	describe.each(parsers.map((parser) => [parser.name, parser] as const))("%s", (_, parser) => {
		test("throws for no input, takes no long time, and says nothing that its type forbids", () => {
			const { failures, kept } = play(parser, INPUTS, SEED);
			expect(failures).toEqual([]);
			// Not everything may be refused, or nothing was tried.
			expect(kept).toBeGreaterThan(0);
			expect({}).not.toHaveProperty("polluted");
		}, 300_000);

		test("takes time in proportion to what it gets", () => {
			expect(slowestOf(parser, parser.shapes).complaints).toEqual([]);
		}, 300_000);
	});
}
