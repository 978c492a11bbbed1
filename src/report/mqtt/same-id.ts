import type { Platform, Timer } from "../../platform/types.ts";

/**
 * When a connection has held for this many milliseconds since the last sign, no other router takes it away (MQTT 3.1.1, section
 * 3.1.4): two of them wait for each other no longer than this.
 */
const ALONE_AFTER = 30_000;
/** Signs of such a router before it is reported: a broker that crashed may hold a state of our own from before. */
const SIGNS = 2;

/** Judges signs of another router that uses this one's id. */
export class SameIdWatch {
	private signs = 0;
	private timer: Timer | undefined;

	/** @param onProblem undefined: there is none any more */
	constructor(
		private readonly platform: Platform,
		private readonly id: string,
		private readonly onProblem: (text: string | undefined) => void,
	) {}

	connected(): void {
		this.stop();
		this.timer = this.platform.after(ALONE_AFTER, () => {
			this.signs = 0;
			this.onProblem(undefined);
		});
	}

	/** A state under this id was published by another daemon. @param started when that daemon started, as it says */
	foreign(started: string): void {
		this.connected();
		this.signs++;
		if (this.signs < SIGNS) return;
		const text = `another router, whose bgpwarden has started at ${started}, is '${this.id}' as well.`;
		this.onProblem(`${text} Give each router its own 'option router_id' in /etc/config/bgpwarden`);
	}

	/** The connection is lost. */
	stop(): void {
		this.timer?.cancel();
	}
}
