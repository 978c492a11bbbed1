import { readdirSync } from "node:fs";
import { type Cell, EVERYTHING, type LeftOut } from "../cell.ts";
import { WAYS } from "../mangle.ts";
import { hasTable, toldToBroker } from "../probes.ts";
import type { World } from "../world.ts";
import { RELAY, resting } from "./programs.ts";

/** Lets the daemon have this many descriptors more than it has. */
async function leave(world: World, free: number): Promise<void> {
	const { pid } = world.daemon.process;
	const taken = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
	let limit = 0;
	// The limit is a number that no descriptor may reach: those in between count too.
	for (let left = free; left > 0 || taken.has(limit); limit++) if (!taken.has(limit)) left--;
	await world.shell(`prlimit --pid ${pid} --nofile=${limit}:`);
}
async function free(world: World): Promise<void> {
	if (world.daemon.process.running)
		await world.shell(`prlimit --pid ${world.daemon.process.pid} --nofile=1024:`);
}
const none = /descriptor|Too many open files/i;
const descriptors: readonly Cell[] = [
	{
		dependency: "descriptors",
		fault: "missing at start",
		what: "ten in all, and later 1,024",
		atStart: true,
		...resting(...EVERYTHING),
		says: none,
		async begin(world) {
			await world.fake("qjs", 'ulimit -S -n 10; exec $real "$@"', "--strip-source");
		},
		async end(world) {
			await world.unfake("qjs");
			await free(world);
		},
	},
	{
		dependency: "descriptors",
		fault: "full",
		what: "none is left",
		modes: ["installed", "owned"],
		// The table first: what it needs is kept free for it.
		...resting("peers", "status", "commands", "mqtt"),
		also: toldToBroker,
		says: none,
		begin: (world) => leave(world, 0),
		end: free,
	},
	{
		dependency: "descriptors",
		fault: "half",
		what: "sixteen are left",
		begin: (world) => leave(world, 16),
		end: free,
	},
];

async function respawn(world: World): Promise<void> {
	await world.unfake("qjs");
	world.respawn();
}
async function tableStays(world: World): Promise<string | undefined> {
	return (await hasTable(world)) ? undefined : "the table is gone";
}
const limited = (limit: string) => (world: World) =>
	world.fake("qjs", `exec $real --memory-limit ${limit} "$@"`, "--strip-source");
/** Nobody is there; and who is not there does not end either. */
const dead = { ...resting(...EVERYTHING), term: false } as const;
const memory: readonly Cell[] = [
	{
		...dead,
		dependency: "memory",
		fault: "missing at start",
		what: "3 MB: it ends, and not as if all were well",
		atStart: true,
		begin: limited("3000000"),
		async also(world) {
			const { code } = await world.daemon.process.ended;
			return code === 0 ? "it ended as if all were well" : undefined;
		},
		end: respawn,
	},
	{
		...dead,
		dependency: "memory",
		fault: "dies",
		what: "the kernel kills the daemon, procd starts it",
		modes: ["installed", "owned"],
		rests: EVERYTHING,
		keepsTable: true,
		begin: async (world) => void (await world.daemon.crash()),
		also: tableStays,
		end: respawn,
	},
	{
		...dead,
		dependency: "memory",
		fault: "dies in a loop",
		what: "killed and started six times",
		modes: ["installed", "owned"],
		keepsTable: true,
		async begin(world) {
			for (let round = 0; round < 6; round++) {
				await world.daemon.crash();
				world.startDaemon();
				await world.daemon.process.says(/is starting/);
			}
			await world.daemon.crash();
		},
		also: tableStays,
		end: respawn,
	},
	{
		dependency: "memory",
		fault: "10 MB",
		what: "10 MB and no more",
		prepare: limited("10000000"),
		begin: async () => {},
		end: async () => {},
	},
	{
		dependency: "memory",
		fault: "full",
		what: "not a page more than it has",
		// A limit goes over to the children, whose memory is not the question.
		async prepare(world) {
			for (const program of ["nft", "conntrack"] as const)
				await world.fake(program, 'ulimit -S -v unlimited; exec $real "$@"');
		},
		async begin(world) {
			const { pid } = world.daemon.process;
			const size = /VmSize:\s+(\d+) kB/.exec(world.router.read(`/proc/${pid}/status`) ?? "")?.[1];
			await world.shell(`prlimit --pid ${pid} --as=${Number(size) * 1024}:`);
		},
		async end(world) {
			const { pid, running } = world.daemon.process;
			if (running) await world.shell(`prlimit --pid ${pid} --as=unlimited:`);
		},
	},
	{
		dependency: "memory",
		fault: "full",
		what: "5 MB, and BIRD's client answers 10 MB each time",
		...resting("peers"),
		async prepare(world) {
			await limited("5000000")(world);
			await world.fake("birdcl", RELAY, "-v");
		},
		begin: (world) => world.spoil(WAYS["10 MB"]),
		end: (world) => world.spoil(undefined),
	},
];

export const limitCells: readonly Cell[] = [...descriptors, ...memory];
export const limitLeftOut: readonly LeftOut[] = [
	{
		dependency: "descriptors",
		faults: [
			"dies",
			"dies in a loop",
			"hangs",
			"stopped",
			"garbage",
			"10 MB",
			"slow",
			"exit 127",
			"read-only",
		],
		why: "there are some or there are none",
	},
	{
		dependency: "memory",
		faults: ["hangs", "stopped", "garbage", "half", "slow", "exit 127", "read-only"],
		why: "there is some or there is none",
	},
];
