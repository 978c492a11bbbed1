import type { Platform, Timer } from "../types.ts";

/**
 * The timers and the `process` that npm's stream and MQTT packages expect as globals, made from a Platform. The build
 * binds these names inside those packages only (`inject`), so nothing is ever put on `globalThis` and the same code
 * runs under QuickJS and Node.
 */

let platform: Platform | undefined;
let failed: (error: unknown) => void = () => {};

/**
 * Lends a platform's clock to the packages; to be called before any of them is used.
 *
 * @param onError gets whatever a deferred callback of theirs throws: as an unhandled rejection it would end qjs
 */
export function attachPlatform(host: Platform, onError: (error: unknown) => void): void {
	platform = host;
	failed = onError;
}

/** A timer as these packages hold it: opaque, and good for nothing but clearing. */
interface Handle {
	timer: Timer | undefined;
}

export function setTimeout<Args extends unknown[]>(
	callback: (...args: Args) => void,
	milliseconds = 0,
	...args: Args
): Handle {
	return { timer: later(milliseconds, () => callback(...args)) };
}

export function setInterval(callback: () => void, milliseconds: number): Handle {
	const handle: Handle = { timer: undefined };
	const next = () => {
		handle.timer = later(milliseconds, () => {
			next();
			callback();
		});
	};
	next();
	return handle;
}

export function clearTimeout(handle: Handle | null | undefined): void {
	handle?.timer?.cancel();
}

export const clearInterval = clearTimeout;

/** Runs after the code that is running now and before any timer or input. */
export function nextTick<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): void {
	Promise.resolve()
		.then(() => callback(...args))
		.catch(failed);
}

function later(milliseconds: number, callback: () => void): Timer {
	if (!platform) throw new Error("attachPlatform was not called");
	return platform.after(milliseconds, () => {
		try {
			callback();
		} catch (error) {
			failed(error);
		}
	});
}
