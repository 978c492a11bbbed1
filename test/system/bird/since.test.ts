import { describe, expect, it } from "vitest";
import { parseSince } from "../../../src/system/bird/since.ts";

/** In the local zone, as BIRD prints times. */
const now = new Date(2026, 10, 24, 12, 0, 0, 500).getTime();
const local = (day: number, hour: number, minute: number, second = 0, ms = 0) =>
	new Date(2026, 10, day, hour, minute, second, ms).getTime();

describe("parseSince", () => {
	it.each([
		["1795490142.503", 1_795_490_142_503],
		["1494926415", 1_494_926_415_000],
		["2026-11-23 11:02:03", local(23, 11, 2, 3)],
		["2026-11-24 03:00:11.123", local(24, 3, 0, 11, 123)],
		["2026-11-24 03:00:11.123456", local(24, 3, 0, 11, 123)],
		["03:00:11.123", local(24, 3, 0, 11, 123)],
		["03:00:11", local(24, 3, 0, 11)],
		["03:00", local(24, 3, 0)],
		["12:00:01", local(24, 12, 0, 1)],
		["13:00:00", local(23, 13, 0)],
		["23:59:59.999", local(23, 23, 59, 59, 999)],
	])("%s", (text, expected) => {
		expect(parseSince(text, now)).toBe(expected);
	});

	it.each(["2026-11-24", "Nov24", "", "25:00:00", "2026-13-01 00:00:00", "a long time ago", "<error>", "12"])(
		"%j does not tell the moment",
		(text) => {
			expect(parseSince(text, now)).toBeUndefined();
		},
	);
});
