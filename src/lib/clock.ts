/** What the pure core needs of a moment; `Instant` of the platform is one. */
export interface Moment {
	/** Milliseconds on a clock that never jumps. */
	readonly monotonic: number;
	/** Milliseconds since 1970-01-01T00:00Z. */
	readonly wall: number;
}

/** A drift up to this many milliseconds between the clocks is rounding, more is the clock being set. */
const JUMP = 2000;

/**
 * Wall time of monotonic 0. Kept until the clock is set (a router has no battery: it boots in the past and NTP
 * moves it), so that one moment is told in the same words each time.
 */
export function clockOffset(known: number | undefined, now: Moment): number {
	const offset = now.wall - now.monotonic;
	return known !== undefined && Math.abs(offset - known) < JUMP ? known : offset;
}

/** ISO 8601 in UTC, whole seconds. @param offset from `clockOffset`; @param moment monotonic milliseconds */
export function isoSeconds(offset: number, moment: number): string {
	return `${new Date(offset + moment).toISOString().slice(0, 19)}Z`;
}
