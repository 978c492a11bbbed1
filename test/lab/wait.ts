import { inspect } from "node:util";

export interface UntilOptions<T> {
	/** When the probe's value is what was waited for; default: when it is truthy. */
	readonly holds?: (value: T) => boolean;
	/** Milliseconds before giving up, default 10,000. */
	readonly timeout?: number;
	/** Milliseconds between probes, default 50. */
	readonly every?: number;
}

/** Thrown by a probe when what is waited for can no longer come: `until` fails at once with it. */
export class Hopeless extends Error {}

/** Resolves after `milliseconds`. Only for pacing probes, never instead of one. */
export function pause(milliseconds: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function shown(value: unknown): string {
	const text = typeof value === "string" ? value : inspect(value, { depth: 6, breakLength: 110 });
	return text.length > 2000 ? `${text.slice(0, 2000)} …` : text;
}

/**
 * Asks `probe` again and again until its value holds, and returns that value. A probe that throws has not held
 * (see `Hopeless`).
 * @param what completes the sentence "waited for …"
 * @throws Error that says how long was waited, for what, and what was seen last
 */
export async function until<T>(
	what: string,
	probe: () => T | Promise<T>,
	options: UntilOptions<T> = {},
): Promise<T> {
	const { holds = Boolean, timeout = 10_000, every = 50 } = options;
	const start = performance.now();
	let last = "nothing";
	do {
		try {
			const value = await probe();
			if (holds(value)) return value;
			last = shown(value);
		} catch (error) {
			if (error instanceof Hopeless) throw new Error(`waited for ${what}; ${error.message}`);
			last = error instanceof Error ? error.message : String(error);
		}
		await pause(every);
	} while (performance.now() - start < timeout);
	throw new Error(`waited ${timeout} ms for ${what}; last seen: ${last}`);
}
