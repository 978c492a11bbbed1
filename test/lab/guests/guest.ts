/** A program that shares the router with BIRD, as its OpenWrt package runs it. */
export interface Guest {
	/** For messages, e.g. `Mihomo (auto-redirect)`. */
	readonly name: string;
	/** Its script in /etc/init.d. */
	readonly service: string;
	/** START of that script: where it comes in the order of a boot. */
	readonly order: number;
	/** `service NAME start`, until the guest is ready. */
	start(): Promise<void>;
	stop(): Promise<void>;
	/** SIGKILL; procd sees it and starts it again. */
	kill(): Promise<void>;
	/** It gets another configuration while it runs, in the way that it offers. */
	reconfigure(): Promise<void>;
	/** What is left after a stop is cleaned up, as by a package's upgrade. */
	cleanup(): Promise<void>;
	/** @throws Error when what the guest is there for does not work */
	works(): Promise<void>;
}

/** Everything that may happen to a guest that runs, by name; each leaves it running. */
export const incidents: Readonly<Record<string, (guest: Guest) => Promise<void>>> = {
	async restarted(guest) {
		await guest.stop();
		await guest.start();
	},
	async upgraded(guest) {
		await guest.stop();
		await guest.cleanup();
		await guest.start();
	},
	killed: (guest) => guest.kill(),
	reconfigured: (guest) => guest.reconfigure(),
};
