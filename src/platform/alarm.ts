import type { Platform, Timer } from "./types.ts";

/** A callback that is called once, at the time that was set last; never at once, so that a chain of calls lets others in. */
export class Alarm {
	private planned: { readonly timer: Timer; readonly at: number } | undefined;

	constructor(
		private readonly platform: Platform,
		private readonly ring: () => void,
	) {}

	/** @param at monotonic milliseconds; undefined: not any more */
	set(at: number | undefined): void {
		if (at === this.planned?.at) return;
		this.planned?.timer.cancel();
		this.planned = undefined;
		if (at === undefined) return;
		// Never 0: qjs serves expired timers before descriptors.
		const timer = this.platform.after(Math.max(1, at - this.platform.now().monotonic), () => {
			this.planned = undefined;
			this.ring();
		});
		this.planned = { timer, at };
	}

	/** Sets it, unless it is set for an earlier time already. @param milliseconds from now */
	within(milliseconds: number): void {
		const at = this.platform.now().monotonic + milliseconds;
		if (!this.planned || at < this.planned.at) this.set(at);
	}

	get isSet(): boolean {
		return this.planned !== undefined;
	}
}
