/** Milliseconds a time of day may lie ahead: BIRD answered a moment before `now` was read, or after. */
const AHEAD = 1000;

/**
 * When a state began, by BIRD's `since` column.
 *
 * BIRD 2.16 and later print seconds since 1970 for a session that asked for them; older ones what their configuration
 * says: by default the time of day within 20 hours, then the date (lib/timer.h, TM_ISO_SHORT_MS), in the router's own
 * time zone.
 * @param now milliseconds since 1970
 * @returns milliseconds since 1970; undefined for a form that does not tell the moment, a bare date among them
 */
export function parseSince(text: string, now: number): number | undefined {
	if (/^\d{9,11}(\.\d{1,6})?$/.test(text)) return Math.round(Number(text) * 1000);
	const [, date, hour = "", minute = "", second = "0", fraction = ""] =
		/^(?:(\d{4}-\d{2}-\d{2})[ T])?(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?$/.exec(text) ?? [];
	if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60 || minute === "") return undefined;
	const at = (year: number, month: number, day: number) =>
		new Date(year, month, day, Number(hour), Number(minute), Number(second)).getTime() +
		Math.round(Number(`0${fraction}`) * 1000);
	if (date !== undefined) {
		const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
		return month >= 1 && month <= 12 && day >= 1 && day <= 31 ? at(year, month - 1, day) : undefined;
	}
	const today = new Date(now);
	const [year, month, day] = [today.getFullYear(), today.getMonth(), today.getDate()];
	const thisDay = at(year, month, day);
	return thisDay <= now + AHEAD ? thisDay : at(year, month, day - 1);
}
