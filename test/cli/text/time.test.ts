import { expect, it } from "vitest";
import { formatAgo, formatDuration, formatSince, formatUtc, parseTime } from "../../../src/cli/text/time.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse("2026-03-01T12:00:00Z");

it.each([
	[-1, "0 s"],
	[999, "0 s"],
	[42 * SECOND, "42 s"],
	[60 * SECOND, "1 min"],
	[3 * MINUTE + 59 * SECOND, "3 min"],
	[HOUR, "1 h"],
	[2 * HOUR + 5 * MINUTE, "2 h 5 min"],
	[DAY, "1 day"],
	[3 * DAY + 4 * HOUR, "3 days 4 h"],
	[400 * DAY + 4 * HOUR, "400 days"],
])("%i ms are %s", (milliseconds, text) => {
	expect(formatDuration(milliseconds)).toBe(text);
});

it.each([
	["2026-03-01T11:57:00Z", "3 min ago"],
	["2026-03-01T11:59:59.500Z", "just now"],
	["2026-03-01T12:00:04Z", "just now"],
	["2026-03-02T12:00:00Z", "at 2026-03-02 12:00:00Z"],
	["2026-03-01T12:57:00+01:00", "3 min ago"],
	["yesterday", undefined],
	[undefined, undefined],
])("%s was %s", (iso, text) => {
	expect(formatAgo(iso, NOW)).toBe(text);
});

it("nothing has lasted since a time to come", () => {
	expect(formatSince("2026-03-01T11:57:00Z", NOW)).toBe("3 min");
	expect(formatSince("2027-03-01T11:57:00Z", NOW)).toBeUndefined();
	expect(formatSince("never", NOW)).toBeUndefined();
});

it.each(["", "2026", "2026-03-01", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z", "1 March 2026"])(
	"%j is no ISO 8601 time with a zone",
	(text) => {
		expect(parseTime(text)).toBeUndefined();
		expect(formatUtc(text)).toBeUndefined();
	},
);
