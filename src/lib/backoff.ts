/** How waiting times grow while something keeps failing. */
export interface Backoff {
	/** Milliseconds before the first retry. */
	readonly first: number;
	/** Milliseconds that no delay exceeds, jitter aside. */
	readonly longest: number;
	/**
	 * Milliseconds from the 13th retry on, where trying costs something: what is broken for a minute is back within `longest` of its
	 * return, what is broken for days is not tried every few seconds.
	 */
	readonly lasting?: number;
	/** Part of a delay that chance may add, so that what failed together is not tried again together; if absent, a quarter. */
	readonly jitter?: number;
}

const JITTER = 0.25;
/** Failures from which on something is broken for good. */
const LASTING = 13;

/**
 * The delay before a retry: doubling from `first` to `longest`, and `lasting` in the end.
 * @param failures how many tries have failed in a row, 1 or more
 * @param random uniform in [0, 1); 0 gives the delay without jitter
 * @returns milliseconds
 */
export function retryDelay(backoff: Backoff, failures: number, random = 0): number {
	const { first, longest, lasting = longest, jitter = JITTER } = backoff;
	const doubled = first * 2 ** Math.min(Math.max(failures, 1) - 1, 30);
	const delay = failures >= LASTING ? lasting : Math.min(doubled, longest);
	return Math.round(delay * (1 + random * jitter));
}
