import { isDeepStrictEqual } from "node:util";
import type { Status } from "../../../src/model/status.ts";
import { runDirectory } from "../daemon.ts";
import { network } from "../network.ts";
import { pause, until } from "../wait.ts";
import { REAL } from "./parts.ts";
import type { World } from "./world.ts";

/** Milliseconds in which a table that was taken away is back. */
const REPAIRED_WITHIN = 1000;
/** How much longer is waited, to tell late from never. */
const LATE = 6000;
/** Milliseconds in which a change is to be in status.json, and then at the broker. */
const TOLD_WITHIN = 10_000;
/** Milliseconds that the command line waits for an answer. */
const ANSWERED_WITHIN = 10_000;

const table = ["table", "inet", "custom_bgp"];
const router = "bgpwarden/router";
const nft = (world: World, ...argv: string[]) =>
	world.router.run([REAL.nft, ...argv], { allowFailure: true });

/** Whether the kernel has the table. */
export async function hasTable(world: World): Promise<boolean> {
	return (await nft(world, "list", ...table)).code === 0;
}

/** Takes the table away. @returns milliseconds until it was back; undefined: the kernel did not let it go */
async function wipe(world: World, patience: number): Promise<number | undefined> {
	const { code, stderr } = await nft(world, "delete", ...table);
	if (code !== 0 && /Operation not permitted/.test(stderr)) return undefined;
	if (code !== 0) throw new Error(`the table was not there: ${stderr.split("\n")[0]}`);
	const start = performance.now();
	await until("the table", () => hasTable(world), { timeout: patience, every: 5 });
	return performance.now() - start;
}

/** @returns what is wrong, and how long it took */
export async function repair(world: World): Promise<{ seen?: string; took?: number }> {
	await until("the table to be there", () => hasTable(world), { timeout: LATE });
	const took = await wipe(world, REPAIRED_WITHIN + LATE).catch((error: Error) => error);
	if (took instanceof Error) return { seen: took.message.replace(/; last seen.*/s, "") };
	if (took === undefined) return {};
	return took <= REPAIRED_WITHIN ? { took } : { took, seen: `the table was back after ${seconds(took)}` };
}

/** Takes the table away where that can be done: so that the daemon needs what is broken. */
export async function disturb(world: World): Promise<void> {
	await nft(world, "delete", ...table);
}

/** Sends a request as a script does. @returns its reply */
async function request(world: World, verb: string): Promise<{ ok: boolean; text: string }> {
	const id = `f${++world.requests}`;
	const line = `${verb} #${id}`;
	// A FIFO that nobody reads may be full.
	await world.router.run(["timeout", "2", "sh", "-c", `echo '${line}' 1<>${runDirectory}/control`]);
	const path = `${runDirectory}/replies/${id}`;
	const text = await until(`the reply to ${verb}`, () => world.router.read(path), {
		timeout: ANSWERED_WITHIN,
		every: 20,
	});
	return JSON.parse(text ?? "");
}

/** @param refusable requests that may be answered with no */
export async function commands(world: World, refusable: readonly string[]): Promise<string | undefined> {
	for (const verb of ["ensure", "flush"]) {
		const may = refusable.includes(verb);
		const reply = await request(world, verb).catch((error) => error);
		if (reply instanceof Error) return reply.message;
		if (!reply.ok && !may) return `${verb}: ${reply.text}`;
	}
	return undefined;
}

/** The speaker announces one more route, or one less: BIRD knows at once, and the status is to know soon. */
export async function peers(world: World): Promise<string | undefined> {
	await announce(world);
	return untilStatus(
		world,
		`imported ${world.routes}`,
		({ peers: [peer] }) => peer?.imported === world.routes,
	);
}

/** The same change is soon known to the broker, where status.json cannot be written. */
export async function toldToBroker(world: World): Promise<string | undefined> {
	await announce(world);
	const imported = async () =>
		JSON.parse((await world.broker.retained()).get(`${router}/peer/${network.peer}/state`) ?? "{}").imported;
	return until("the broker to know", imported, {
		holds: (count) => count === world.routes,
		timeout: TOLD_WITHIN,
	})
		.then(() => undefined)
		.catch(() => `the broker does not know in ${TOLD_WITHIN / 1000} s: imported ${world.routes}`);
}

async function announce(world: World): Promise<void> {
	const more = world.routes === 1;
	await world.speaker.control(`${more ? "enable" : "disable"} extra`);
	world.routes = more ? 2 : 1;
}

/** A stale conntrack entry is deleted on request, and the status counts it. */
export async function status(world: World): Promise<string | undefined> {
	const flushed = world.warden.status()?.router.flushed ?? 0;
	await staleEntry(world);
	await request(world, "flush");
	return untilStatus(world, "one more entry flushed", ({ router }) => router.flushed > flushed);
}

export async function staleEntry(world: World): Promise<void> {
	const port = 40_000 + ++world.requests;
	const ends = `-s ${network.speaker.address} -d ${network.router.lan} --sport ${port} --dport 179`;
	await world.shell(`${REAL.conntrack} -I -p tcp ${ends} --state ESTABLISHED -t 300`);
}

async function untilStatus(world: World, what: string, holds: (status: Status) => boolean) {
	return world.daemon
		.untilStatus(what, holds, { timeout: TOLD_WITHIN })
		.then(() => undefined)
		.catch((error: Error) => `not in ${TOLD_WITHIN / 1000} s: ${what}${briefly(error, world)}`);
}

function briefly(error: Error, world: World): string {
	return error.message.includes("has ended") ? `; the daemon has ended: ${world.daemon.process.tail(3)}` : "";
}

/** The broker holds what status.json says, within a while. */
export async function mqtt(world: World): Promise<string | undefined> {
	let last: string | undefined;
	for (const start = performance.now(); performance.now() - start < TOLD_WITHIN; await pause(100)) {
		last = await differs(world).catch((error: Error) => error.message.split("\n")[0]);
		if (last === undefined) return undefined;
	}
	return `after ${TOLD_WITHIN / 1000} s: ${last}`;
}

/** How status.json and the broker's retained messages differ. */
export async function differs(world: World): Promise<string | undefined> {
	const told = await world.broker.retained();
	const status = world.warden.status();
	if (!status?.mqtt?.connected) return `MQTT is not connected: ${status?.mqtt?.reason ?? "no reason given"}`;
	if (told.get(`${router}/availability`) !== "online") return "the broker's availability is not online";
	const lists: [string, object][] = [
		[`${router}/state`, status.router],
		...status.peers.map(({ name, ...peer }): [string, object] => [
			`${router}/peer/${name}/state`,
			{ name, ...peer },
		]),
	];
	for (const [topic, known] of lists) {
		const text = told.get(topic);
		if (text === undefined) return `the broker has no ${topic}`;
		const { instance: _, ...published } = JSON.parse(text);
		const keys = topic.endsWith("/router/state")
			? Object.keys(published)
			: Object.keys({ ...published, ...known });
		const other = keys.find((key) => !isDeepStrictEqual(published[key], (known as never)[key]));
		if (other !== undefined)
			return `${topic}: ${other} is ${JSON.stringify(published[other])}, in status.json ${JSON.stringify((known as never)[other])}`;
	}
	const { problem } = status.router;
	const state = JSON.parse(told.get(`${router}/state`) ?? "{}");
	return state.problem === problem ? undefined : `the broker does not know the problem: ${problem}`;
}

/** What keeps the daemon from being as before all faults; undefined: nothing. */
export async function lacks(world: World): Promise<string | undefined> {
	const { daemon, mode } = world;
	daemon.process.mustRun();
	const status = world.warden.status();
	if (status?.router.pid !== daemon.process.pid) return "no status.json of this daemon";
	const { protection, level, problem, bird, explanation } = status.router;
	const [peer] = status.peers;
	if (protection !== mode) return `protection is ${protection}`;
	if (!bird.reachable) return "BIRD is not reachable";
	if (peer?.state !== "Established") return `the peer is ${peer?.state ?? "not there"}`;
	if (problem !== undefined) return `problem: ${problem}`;
	if (level !== "green") return `level is ${level}: ${explanation}`;
	if (peer.imported !== world.routes) return `imported is ${peer.imported}, not ${world.routes}`;
	return differs(world);
}

export function seconds(milliseconds: number): string {
	return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
