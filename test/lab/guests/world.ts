import { existsSync } from "node:fs";
import { expect } from "vitest";
import { type Daemon, startDaemon, type Warden } from "../daemon.ts";
import type { Host } from "../host.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { labDirectory } from "../paths.ts";
import { type Bird, type Frr, fw4Table, startBird, startFrr, trackedBgp } from "../programs.ts";
import { pause, until } from "../wait.ts";
import { birdConfig, frrConfig, internet, sessions } from "./addresses.ts";
import { Procd } from "./procd.ts";

export interface WorldOptions {
	readonly bird: 2 | 3;
	/** Further options of the daemon's section `main`, such as `protect`. */
	readonly main?: Readonly<Record<string, string | number | boolean>>;
	/** Whether BIRD waits for the speaker to dial, as in the article; default true. */
	readonly passive?: boolean;
}

/** What a guest's action did to the sessions. */
export interface Outcome {
	readonly action: string;
	/** Sessions that were lost and came back, by name: ms from the end of the action. */
	readonly lost: Readonly<Record<string, number>>;
}

/** Ms in which BFD (3 times 380 ms) or a reset would have ended a session that an action has hurt. */
const NOTICED = 1300;
/**
 * Ms by which BIRD's time of the same session may differ from one answer to the next. It is the time of day less the session's
 * age, and BIRD 2 reads that clock later than the other (lib/timer.c, `tm_format_time`).
 */
const SAME = 500;
/** Ms from a guest's last action in which a session must be back. */
const BACK = 3000;

const server = `
import socket
s = socket.create_server(("", ${internet.port}))
print("ready", flush=True)
while True:
    c, peer = s.accept()
    c.sendall(peer[0].encode())
    c.close()
`;

const client = `
import socket
s = socket.create_connection(("${internet.address}", ${internet.port}), 3)
print(s.recv(100).decode())
`;

/** A router with BIRD, fw4, procd and bgpwarden on it, a speaker that dials it four times, and the internet behind it. */
export class World {
	readonly outcomes: Outcome[] = [];

	private constructor(
		readonly lab: Lab,
		readonly procd: Procd,
		readonly bird: Bird,
		readonly frr: Frr,
		readonly warden: Warden,
		readonly daemon: Daemon,
	) {}

	get router(): Host {
		return this.lab.router;
	}

	/** Starts everything and waits for all sessions. */
	static async start(options: WorldOptions): Promise<World> {
		const { bird: version, main = {}, passive = true } = options;
		const lab = await startNetwork();
		try {
			await lab.router.nft(fw4Table);
			const procd = await Procd.start(lab.router);
			const { warden, daemon } = startDaemon(lab.router, { main, mqtt: { enabled: false } });
			await daemon.untilStatus("the table is in place", ({ router }) => router.protection !== "missing");
			const bird = await startBird(lab.router, birdConfig({ passive }), version);
			const frr = await startFrr(lab.speaker, { config: frrConfig({ passive: !passive }), listen: !passive });
			const world = new World(lab, procd, bird, frr, warden, daemon);
			await world.untilUp(60_000);
			return world;
		} catch (error) {
			await lab.stop();
			throw error;
		}
	}

	stop(): Promise<void> {
		return this.lab.stop();
	}

	/** Each session's state, and since when, in ms of BIRD's clock. */
	async states(): Promise<Map<string, { readonly up: boolean; readonly since: number }>> {
		return statesOf(this.bird);
	}

	async untilUp(timeout: number): Promise<void> {
		await untilUp(this.bird, timeout);
	}

	/**
	 * Lets a guest do something and holds it against what must be so afterwards: every session is Established still, or
	 * again within 3 s; nothing of BGP is tracked; the daemon has no fight and no other problem.
	 */
	async act(action: string, work: () => Promise<void>): Promise<Outcome> {
		const before = await this.states();
		expect([...before.values()].every(({ up }) => up)).toBe(true);
		await work();
		const ended = performance.now();
		await pause(NOTICED);
		const lost: Record<string, number> = {};
		await until(
			`${action}: all sessions Established`,
			async () => {
				const now = await this.states();
				for (const { name } of sessions) {
					const [old, seen] = [before.get(name), now.get(name)];
					const isNew = seen?.up && Math.abs(seen.since - (old?.since ?? 0)) > SAME;
					if (isNew) lost[name] ??= Math.round(performance.now() - ended);
				}
				return now;
			},
			{ holds: (now) => [...now.values()].every(({ up }) => up), timeout: BACK - NOTICED, every: 100 },
		);
		expect(await this.tracked(), action).toEqual([]);
		const status = this.warden.status();
		expect(status?.router.problem, action).toBeUndefined();
		const outcome = { action, lost };
		this.outcomes.push(outcome);
		return outcome;
	}

	/** Conntrack entries of BGP's port. */
	async tracked(): Promise<string[]> {
		return (await trackedBgp(this.router)).filter((entry) => /port=179\b/.test(entry));
	}
}

/** The hosts, their public addresses, and the internet's server; nothing runs on the router yet. */
export async function startNetwork(): Promise<Lab> {
	const lab = await startLab();
	try {
		const { router, speaker, broker } = lab;
		await router.configure(
			network.router.lanInterface,
			sessions.map((ends) => `${ends.router}/${ends.prefix}`),
		);
		await speaker.configure(
			"eth0",
			sessions.map((ends) => `${ends.speaker}/${ends.prefix}`),
		);
		await broker.run(["ip", "address", "add", `${internet.address}/32`, "dev", "lo"]);
		await router.run(["ip", "route", "add", "default", "via", network.broker.address]);
		for (const host of [router, broker]) await makeTun(host);
		const process = broker.start(["python3", "-c", server], { name: "internet" });
		await process.says(/^ready$/);
		return lab;
	} catch (error) {
		await lab.stop();
		throw error;
	}
}

async function makeTun(host: Host): Promise<void> {
	const script = "mkdir -p /dev/net; [ -c /dev/net/tun ] || mknod /dev/net/tun c 10 200";
	await host.run(["sh", "-c", script]);
}

/** A host asks the internet's server. @returns the address that the server saw */
export async function askInternet(host: Host): Promise<string> {
	return (await host.run(["python3", "-c", client])).stdout.trim();
}

export async function statesOf(bird: Bird) {
	const lines = (await bird.control("show protocols")).split("\n").map((line) => line.trim().split(/\s+/));
	return new Map(
		sessions.map(({ name }) => {
			const fields = lines.find(([first]) => first === name) ?? [];
			// The time of day with ms, as BIRD shows it for what is not older than a day.
			return [name, { up: fields[5] === "Established", since: Date.parse(`1970-01-01T${fields[4]}Z`) }];
		}),
	);
}

export async function untilUp(bird: Bird, timeout: number): Promise<void> {
	await until("all sessions Established", () => statesOf(bird), {
		holds: (states) => [...states.values()].every(({ up }) => up),
		timeout,
		every: 100,
	});
}

/** Where scripts/guests.sh has put a program. @throws Error that says how to get it */
export function guestProgram(name: string): string {
	const file = `${labDirectory}/guests/${name}`;
	if (!existsSync(file)) throw new Error(`there is no .lab/guests/${name}: run scripts/guests.sh`);
	return file;
}
