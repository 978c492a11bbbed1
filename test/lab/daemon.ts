import { readFileSync } from "node:fs";
import type { StoredEvent } from "../../src/model/event.ts";
import type { Status } from "../../src/model/status.ts";
import type { Host } from "./host.ts";
import { network } from "./network.ts";
import { bundle } from "./paths.ts";
import type { Ended, Process, RunOptions, RunResult, StartOptions } from "./process.ts";
import { type UntilOptions, until } from "./wait.ts";

/** Where the package puts the program. */
export const daemonFile = "/usr/lib/bgpwarden/bgpwarden.js";
export const configFile = "/etc/config/bgpwarden";
export const runDirectory = "/var/run/bgpwarden";

/** `main` of a router whose kernel cannot own a table: what others do to it takes effect, and is repaired. */
export const repairing = { protect: false } as const;

type Options = Readonly<Record<string, string | number | boolean>>;

/** UCI options by section, named as in /etc/config/bgpwarden; booleans become 1 and 0. */
export interface UciOptions {
	readonly main?: Options;
	/** Added to the lab's broker as host; `{ enabled: false }` for none. */
	readonly mqtt?: Options;
	readonly peers?: readonly Options[];
}

function section(heading: string, options: Options): string {
	const lines = Object.entries(options).map(([name, value]) => {
		const text = typeof value === "boolean" ? String(Number(value)) : String(value);
		return `\toption ${name} '${text.replaceAll("'", "'\\''")}'\n`;
	});
	return `config ${heading}\n${lines.join("")}\n`;
}

/** The text of /etc/config/bgpwarden; what is not given is left to the daemon's defaults. */
export function uciConfig({ main = {}, mqtt = {}, peers = [] }: UciOptions = {}): string {
	return [
		section("bgpwarden 'main'", main),
		section("mqtt 'mqtt'", { host: network.broker.address, ...mqtt }),
		...peers.map((peer) => section("peer", peer)),
	].join("");
}

/** The program as it is installed on a host: its command line and the files it leaves. */
export class Warden {
	constructor(private readonly host: Host) {}

	/** Installs dist/bgpwarden.js on the host. */
	install(): void {
		this.host.write(daemonFile, readFileSync(bundle, "utf8"));
	}

	/** Writes the configuration file: from options, or a text as it is. */
	configure(config: UciOptions | string): void {
		this.host.write(configFile, typeof config === "string" ? config : uciConfig(config));
	}

	private argv(verb: readonly string[]): string[] {
		return [
			"qjs",
			"--strip-source",
			"-m",
			daemonFile,
			...verb,
			"--config",
			configFile,
			"--run-dir",
			runDirectory,
		];
	}

	/** Runs a command, e.g. `cli(["status", "--json"])`. Failure is returned, not thrown, unless told otherwise. */
	cli(verb: readonly string[], options: RunOptions = {}): Promise<RunResult> {
		return this.host.run(this.argv(verb), { allowFailure: true, ...options });
	}

	/** Starts the daemon and returns at once. */
	start(options: Omit<StartOptions, "name"> = {}): Daemon {
		return new Daemon(this, this.host.start(this.argv(["run"]), { ...options, name: "bgpwarden" }));
	}

	/** What status.json says, or undefined when it is not there. @throws SyntaxError when it is not JSON */
	status(): Status | undefined {
		const text = this.host.read(`${runDirectory}/status.json`);
		return text === undefined ? undefined : JSON.parse(text);
	}

	/** What events.jsonl holds, oldest first. */
	events(): StoredEvent[] {
		const text = this.host.read(`${runDirectory}/events.jsonl`) ?? "";
		return text
			.split("\n")
			.filter((line) => line !== "")
			.map((line) => JSON.parse(line));
	}
}

/** The daemon running on a host under qjs. */
export class Daemon {
	constructor(
		private readonly warden: Warden,
		readonly process: Process,
	) {}

	/** Waits until this daemon's own status.json holds something; an older daemon's file does not count. */
	async untilStatus(
		what: string,
		holds: (status: Status) => boolean,
		options: Omit<UntilOptions<unknown>, "holds"> = {},
	): Promise<Status> {
		const status = await until(`status.json to say: ${what}`, () => this.ownStatus(), {
			...options,
			holds: (seen) => typeof seen === "object" && holds(seen),
		});
		if (typeof status !== "object") throw new Error(status);
		return status;
	}

	/** The status, or what there is to say when it is not there. */
	private ownStatus(): Status | string {
		this.process.mustRun();
		const status = this.warden.status();
		if (status?.router.pid === this.process.pid) return status;
		return `no status yet; the daemon said:\n${this.process.tail()}`;
	}

	/** SIGTERM, and waits for the end. */
	stop(): Promise<Ended> {
		return this.process.end("SIGTERM");
	}

	/** SIGKILL, and waits for the end. */
	crash(): Promise<Ended> {
		return this.process.end("SIGKILL");
	}

	/** SIGHUP: read the configuration again. */
	reload(): void {
		this.process.kill("SIGHUP");
	}
}

/** Installs and configures the daemon on a host and starts it. */
export function startDaemon(host: Host, config: UciOptions = {}): { warden: Warden; daemon: Daemon } {
	const warden = new Warden(host);
	warden.install();
	warden.configure(config);
	return { warden, daemon: warden.start() };
}
