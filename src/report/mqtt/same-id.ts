import type { Platform, Timer } from "../../platform/types.ts";

/** After this many milliseconds of a connection without a sign of another router with this id, the problem is over. */
const ALONE_AFTER = 600_000;
/** Signs of such a router before it is reported: one may be a message that the broker kept from an earlier run. */
const SIGNS = 2;
/**
 * A broker disconnects a client when another one connects with the same id (MQTT 3.1.1, section 3.1.4). This many connections
 * in a row, each shorter than this many milliseconds, make that likely.
 */
const SHORT_CONNECTIONS = 3;
const SHORT = 30_000;
const ADVICE = "Give each router its own 'option router_id' in /etc/config/bgpwarden";

/** Notices another router that uses this one's id. */
export class SameIdWatch {
	private signs = 0;
	private connectedAt = 0;
	private shortConnections = 0;
	private timer: Timer | undefined;

	/** @param onProblem undefined: there is none any more */
	constructor(
		private readonly platform: Platform,
		private readonly id: string,
		private readonly onProblem: (text: string | undefined) => void,
	) {}

	connected(): void {
		this.connectedAt = this.platform.now().monotonic;
		this.timer = this.platform.after(ALONE_AFTER, () => {
			this.signs = 0;
			this.onProblem(undefined);
		});
	}

	/** The connection was lost. */
	lost(): void {
		this.stop();
		const lasted = this.platform.now().monotonic - this.connectedAt;
		this.shortConnections = lasted < SHORT ? this.shortConnections + 1 : 0;
		if (this.shortConnections !== SHORT_CONNECTIONS || this.signs >= SIGNS) return;
		const text = `the broker ends every connection after seconds: is another router '${this.id}' as well?`;
		this.onProblem(`${text} ${ADVICE}`);
	}

	/** A state under this id was published by another daemon. @param started when that daemon started, as it says */
	foreign(started: string): void {
		this.signs++;
		if (this.signs < SIGNS) return;
		const text = `another router, whose bgpwarden has started at ${started}, is '${this.id}' as well.`;
		this.onProblem(`${text} ${ADVICE}`);
	}

	stop(): void {
		this.timer?.cancel();
	}
}
