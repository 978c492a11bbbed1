import { readFileSync } from "node:fs";
import { repairing, startDaemon } from "../daemon.ts";
import type { Lab } from "../lab.ts";
import { startManyPeers } from "../many-peers.ts";
import { Meter } from "../meter.ts";
import { pause, until } from "../wait.ts";
import { type Figure, quantile } from "./figures.ts";
import { onCpu } from "./owner.ts";
import { wipeTimes } from "./wipes.ts";

const PEERS = 1000;
/** Seconds between two readings: while the peers are up, as often as makes many of them; while they are down, the default. */
const POLL = { up: 5, down: 15 } as const;
/** How long it takes. */
export interface ManySize {
	/** Seconds for the first reading and the first look at each peer. */
	readonly warmUp: number;
	/** Seconds over which is measured. */
	readonly seconds: number;
	/** How often the table is taken away. */
	readonly wipes: number;
}

const round = (value: number, digits = 1) => value.toFixed(digits);

/** What a router with 1,000 peers costs that are all up. */
export async function manyUp(lab: Lab, { warmUp, seconds }: ManySize): Promise<Figure[]> {
	const bird = await startManyPeers(lab, PEERS, () => true);
	const established = async () =>
		(await bird.control("show protocols")).match(/\bEstablished\b/g)?.length ?? 0;
	await until("all sessions", established, {
		holds: (count) => count === PEERS,
		timeout: 180_000,
		every: 1000,
	});
	const main = { poll_interval: POLL.up, ...repairing };
	const { daemon } = startDaemon(lab.router, { main, mqtt: { enabled: false } });
	const { pid } = daemon.process;
	const status = await daemon.untilStatus(
		"every peer",
		({ peers }) => peers.length === PEERS && peers.every(({ state }) => state === "Established"),
		{ timeout: 60_000 },
	);
	const right = status.peers.filter(({ level }) => level === "green").length;
	await pause(warmUp * 1000);
	const before = onCpu(pid);
	await pause(seconds * 1000);
	const reading = (onCpu(pid) - before) / 1e6 / (seconds / POLL.up);
	const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
	return [
		{
			what: `${PEERS} peers up: told green`,
			measured: String(right),
			goal: "all",
			reached: right === PEERS,
		},
		{
			what: `${PEERS} peers up: resident memory at any moment`,
			measured: `${round(peak)} MB`,
			goal: "at most 16 MB",
			reached: peak <= 16,
		},
		{
			what: `${PEERS} peers up: processor time of a reading, mean of ${Math.round(seconds / POLL.up)}`,
			measured: `${round(reading, 0)} ms`,
			goal: "at most 60 ms",
			reached: reading <= 60,
		},
	];
}

/** The same with all of them down. */
export async function manyDown(lab: Lab, { warmUp, seconds, wipes }: ManySize): Promise<Figure[]> {
	await startManyPeers(lab, PEERS, () => false);
	const main = { poll_interval: POLL.down, ...repairing };
	const { daemon } = startDaemon(lab.router, { main, mqtt: { enabled: false } });
	// From the start on: all of them are looked at for the first time.
	const first = new Meter(daemon.process.pid);
	await daemon.untilStatus("every peer", ({ peers }) => peers.length === PEERS, { timeout: 60_000 });
	await pause(warmUp * 1000);
	const { processes, descriptors } = first.read();
	first.stop();
	const meter = new Meter(daemon.process.pid);
	await pause(seconds * 1000);
	const cost = meter.read();
	meter.stop();
	const share = (cost.own + cost.children) * 100;
	const { restored } = await wipeTimes(lab, wipes);
	const [median, longest] = [quantile(restored, 0.5), Math.max(...restored)];
	const children = Math.max(processes, cost.processes);
	const files = Math.max(descriptors, cost.descriptors);
	return [
		{
			what: `${PEERS} peers down: processor time in ${seconds} s, children included`,
			measured: `${round(share)} % of a core`,
			goal: "at most 10 %",
			reached: share <= 10,
		},
		{
			what: `${PEERS} peers down: delete to restored, of ${restored.length}`,
			measured: `median ${round(median)} ms, ${round(longest)} ms at most`,
			goal: "at most 100 ms",
			reached: longest <= 100,
		},
		{
			what: `${PEERS} peers down: children and descriptors at any moment`,
			measured: `${children} and ${files}`,
			goal: "at most 8 and 64",
			reached: children <= 8 && files <= 64,
		},
	];
}
