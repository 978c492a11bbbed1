/** How waiting times grow while something keeps failing. */
export interface Backoff {
	/** Milliseconds before the first retry. */
	readonly first: number;
	/** Milliseconds that no delay exceeds, jitter aside. */
	readonly longest: number;
	/** Part of a delay that chance may add, so that what failed together is not tried again together; if absent, a quarter. */
	readonly jitter?: number;
}

const JITTER = 0.25;

/**
 * The delay before a retry: doubling from `first` to `longest`.
 * @param failures how many tries have failed in a row, 1 or more
 * @param random uniform in [0, 1); 0 gives the delay without jitter
 * @returns milliseconds
 */
export function retryDelay(backoff: Backoff, failures: number, random = 0): number {
	const doubled = backoff.first * 2 ** Math.min(Math.max(failures, 1) - 1, 30);
	return Math.round(Math.min(doubled, backoff.longest) * (1 + random * (backoff.jitter ?? JITTER)));
}
