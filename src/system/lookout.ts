import type { Platform, Timer } from "../platform/types.ts";
import type { Monitor } from "./nft/monitor.ts";

/**
 * Milliseconds between looks. Without an owner, a change that the monitor does not show stays until the monitor's silence is
 * noticed.
 */
const LOOK = { usual: 5000, installed: 750 } as const;

export interface LookoutOptions {
	readonly monitor: () => Monitor;
	/** Nobody but the daemon can change the table, or it is to be left alone. */
	readonly isSafe: () => boolean;
	/** Time to look at the files in the run directory. */
	readonly onLook: () => void;
}

/**
 * Looks at what nobody tells: whether the monitor was stopped, and whether somebody has removed what the daemon keeps in the run
 * directory. Starts no process.
 */
export function startLookout(platform: Platform, options: LookoutOptions): Timer {
	let timer: Timer;
	let filesAt = 0;
	const look = () => {
		options.monitor().check();
		const now = platform.now().monotonic;
		if (now >= filesAt) {
			filesAt = now + LOOK.usual;
			options.onLook();
		}
		timer = platform.after(options.isSafe() ? LOOK.usual : LOOK.installed, look);
	};
	timer = platform.after(LOOK.installed, look);
	return { cancel: () => timer.cancel() };
}
