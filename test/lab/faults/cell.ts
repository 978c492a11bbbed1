import type { World } from "./world.ts";

/** What the daemon depends on. */
export const DEPENDENCIES = [
	...["nft", "monitor", "owner", "conntrack", "birdcl", "BIRD", "nc", "openssl", "broker", "ip"],
	...["ubus", "ubusd", "procd", "rpcd plugin", "run dir", "configuration", "/proc", "clock"],
	...["descriptors", "memory", "disk"],
] as const;
export type Dependency = (typeof DEPENDENCIES)[number];

/** What can be wrong with it. */
export const FAULTS = [
	...["missing at start", "dies", "dies in a loop", "hangs", "stopped", "garbage", "half", "10 MB"],
	...["slow", "exit 127", "full", "read-only"],
] as const;
export type Fault = (typeof FAULTS)[number];

/** How the table is protected: owned by a process of the daemon's, or repaired. */
export type Mode = "installed" | "owned";

/** What goes on while something else is broken, and is as before within 10 s of its end. */
export type Aspect =
	/** A table that is taken away is back within 1 s, or cannot be taken away. */
	| "repair"
	/** What changes in BIRD is soon in status.json. */
	| "peers"
	/** So is what the daemon has done itself. */
	| "status"
	/** A request in the FIFO is answered. */
	| "commands"
	/** The broker holds what status.json says. */
	| "mqtt";
export const EVERYTHING: readonly Aspect[] = ["repair", "peers", "status", "commands", "mqtt"];

/** One fault of one dependency, as it is played. */
export interface Cell {
	readonly dependency: Dependency;
	readonly fault: Fault;
	/** How it is brought about, in a few words. */
	readonly what: string;
	/** Default: installed, where others can do harm. */
	readonly modes?: readonly Mode[];
	/** The way to the broker in this cell; default: plain, to mosquitto itself. */
	readonly way?: "tls" | "relay";
	/** OpenWrt's bus is there. */
	readonly bus?: true;
	/** The fault is there before the daemon. */
	readonly atStart?: true;
	/** Milliseconds that the fault lasts at least: long enough for waits between tries to grow. */
	readonly lasts?: number;
	/** Before the daemon starts, and after its end: what makes the fault possible. */
	prepare?(world: World): Promise<void>;
	tidy?(world: World): Promise<void>;
	/** Breaks the part, and returns when the daemon has met that, where this can be told. */
	begin(world: World): Promise<void>;
	/** The part is back. Also called when `begin` has failed. */
	end(world: World): Promise<void>;
	/** What needs the part, and may rest meanwhile. */
	readonly rests?: readonly Aspect[];
	/** Requests that need the part: they are answered, with whatever answer. */
	readonly refuses?: readonly ("ensure" | "flush")[];
	/** Something of this kind must be said: as a problem, a diagnosis, the reason why there is no MQTT, or in the log. */
	readonly says?: RegExp;
	/** What else must hold meanwhile. @returns what does not */
	also?(world: World): Promise<string | undefined>;
	/** What else must be as before after the part's return. @returns what is not */
	restored?(world: World): Promise<string | undefined>;
	/** Whether a daemon that meets the fault again is told to end; default true. */
	readonly term?: false;
	/** With a daemon that cannot repair it: the table is left alone, and stays. */
	readonly keepsTable?: true;
	/** In place of the usual bounds. */
	readonly bounds?: Partial<Bounds>;
}

export interface Bounds {
	/** Of one core, while the fault lasts. */
	readonly processor: number;
	/** Lines of the log, while the fault lasts. */
	readonly lines: number;
	/** Megabytes, from the daemon's start to the fault's end. */
	readonly memory: number;
	readonly children: number;
}

/** Why faults of a dependency are not played. */
export interface LeftOut {
	readonly dependency: Dependency;
	readonly faults: readonly Fault[];
	readonly why: string;
}
