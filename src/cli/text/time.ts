/** Times as a person reads them. All instants are milliseconds since 1970. */

/** An ISO 8601 time in milliseconds, or undefined when it is none. */
export function parseTime(iso: string | undefined): number | undefined {
	// Date.parse takes much more than ISO 8601, and not the same in every engine.
	const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;
	const time = iso !== undefined && form.test(iso) ? Date.parse(iso) : Number.NaN;
	return Number.isNaN(time) ? undefined : time;
}

/** `42 s`, `3 min`, `2 h 5 min`, `3 days 4 h`; two units at most. Negative counts as none: `0 s`. */
export function formatDuration(milliseconds: number): string {
	const seconds = Math.max(0, Math.floor(milliseconds / 1000));
	if (seconds < 60) return `${seconds} s`;
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return `${minutes} min`;
	const hours = Math.floor(minutes / 60);
	if (hours < 24) return join(`${hours} h`, minutes % 60, "min");
	const days = Math.floor(hours / 24);
	return join(days === 1 ? "1 day" : `${days} days`, days < 30 ? hours % 24 : 0, "h");
}

/**
 * `3 min ago`; undefined for a text that is no time. A time that is still to come (the router's clock was wrong
 * before NTP answered) is shown as it is.
 */
export function formatAgo(iso: string | undefined, now: number): string | undefined {
	const time = parseTime(iso);
	if (time === undefined) return undefined;
	const age = now - time;
	if (age < -5000) return `at ${formatUtc(iso) ?? ""}`;
	return age < 1000 ? "just now" : `${formatDuration(age)} ago`;
}

/** How long something has lasted: `3 min`; undefined for a text that is no time, or one to come. */
export function formatSince(iso: string | undefined, now: number): string | undefined {
	const time = parseTime(iso);
	return time === undefined || now - time < -5000 ? undefined : formatDuration(now - time);
}

/** `2026-03-01 09:05:07Z`, in UTC whatever zone the text has; undefined for a text that is no time. */
export function formatUtc(iso: string | undefined): string | undefined {
	const time = parseTime(iso);
	return time === undefined ? undefined : `${new Date(time).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

function join(large: string, small: number, unit: string): string {
	return small === 0 ? large : `${large} ${small} ${unit}`;
}
