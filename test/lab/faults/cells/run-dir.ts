import { runDirectory } from "../../daemon.ts";
import type { Cell, LeftOut } from "../cell.ts";
import { GARBAGE } from "../parts.ts";
import { commands, toldToBroker } from "../probes.ts";
import type { World } from "../world.ts";
import { disk, fill, shell, unfill } from "./disk.ts";
import { resting } from "./programs.ts";

const control = `${runDirectory}/control`;
/** Neither status nor replies can be written. The broker is told all the same. */
const mute = { ...resting("peers", "status", "commands", "mqtt"), also: toldToBroker } as const;
/** The daemon makes anew what is gone, and hears again. */
const heals = { end: async () => {}, restored: (world: World) => commands(world, []) };

const cells: readonly Cell[] = [
	{
		dependency: "run dir",
		fault: "missing at start",
		what: "a file is in its place",
		atStart: true,
		...mute,
		begin: shell(`touch ${runDirectory}`),
		end: shell(`[ -d ${runDirectory} ] || rm -f ${runDirectory}`),
		says: /cannot (write the state|receive requests)/,
	},
	{
		dependency: "run dir",
		fault: "dies",
		what: "it is deleted, and nobody makes it anew",
		begin: shell(`rm -rf ${runDirectory}`),
		...heals,
		...mute,
	},
	{
		dependency: "run dir",
		fault: "dies",
		what: "the FIFO is deleted",
		begin: shell(`rm ${control}`),
		...heals,
		...resting("commands"),
	},
	{
		dependency: "run dir",
		fault: "dies",
		what: "a file is in the FIFO's place",
		begin: shell(`rm ${control}; touch ${control}`),
		...heals,
		...resting("commands"),
	},
	{
		dependency: "run dir",
		fault: "dies",
		what: "replies is a symlink to /etc",
		begin: shell(`rm -rf ${runDirectory}/replies; ln -s /etc ${runDirectory}/replies`),
		...heals,
		...resting("commands"),
		async restored(world) {
			const { stdout } = await world.shell("ls /etc | grep -E '^f[0-9]+$' || true");
			if (stdout !== "") return `replies were written to /etc: ${stdout.trim()}`;
			return heals.restored(world);
		},
		tidy: shell("rm -f /etc/f[0-9]*"),
	},
	{
		dependency: "run dir",
		fault: "dies in a loop",
		what: "it is deleted ten times",
		async begin(world) {
			for (let round = 0; round < 10; round++) await world.shell(`rm -rf ${runDirectory}; sleep 0.3`);
		},
		...heals,
		...mute,
	},
	{
		dependency: "run dir",
		fault: "garbage",
		what: "1 MB of garbage in the FIFO",
		begin: shell(`{ cat ${GARBAGE} ${GARBAGE} ${GARBAGE}; echo; } | timeout 5 sh -c 'cat 1<>${control}'`),
		end: async () => {},
	},
	{
		dependency: "run dir",
		fault: "garbage",
		what: "garbage in all of its files at the start",
		atStart: true,
		begin: shell(
			`[ -e ${control} ] || { mkdir -p ${runDirectory}/replies; cd ${runDirectory}; ` +
				`for file in status.json events.jsonl status.json.new; do head -c 10000 ${GARBAGE} >$file; done; }`,
		),
		end: async () => {},
	},
	{
		dependency: "run dir",
		fault: "half",
		what: "half a status.json and half an event at the start",
		atStart: true,
		begin: shell(
			`[ -e ${control} ] || { mkdir -p ${runDirectory}; cd ${runDirectory}; ` +
				`printf '{"router":{"pid":' >status.json; printf '{"event_type":"tab' >events.jsonl; }`,
		),
		end: async () => {},
	},
	{
		dependency: "run dir",
		fault: "10 MB",
		what: "10 MB in each of its files at the start",
		atStart: true,
		begin: shell(
			`[ -e ${control} ] || { mkdir -p ${runDirectory}; cd ${runDirectory}; ` +
				"for file in status.json events.jsonl; do yes '{}' | head -c 10000000 >$file; done; }",
		),
		end: async () => {},
	},
	{
		dependency: "run dir",
		fault: "full",
		what: "no room on its disk",
		...disk(runDirectory),
		begin: fill(runDirectory),
		end: unfill(runDirectory),
		...mute,
		says: /cannot write the state.*No space left/,
	},
	{
		dependency: "run dir",
		fault: "read-only",
		what: "its disk is read-only",
		...disk(runDirectory),
		begin: shell(`mount -o remount,ro ${runDirectory}`),
		end: shell(`mount -o remount,rw ${runDirectory}`),
		...mute,
		says: /cannot write the state.*Read-only/,
	},
];

export const runDirCells: readonly Cell[] = cells;
export const runDirLeftOut: readonly LeftOut[] = [
	{
		dependency: "run dir",
		faults: ["hangs", "stopped", "slow"],
		why: "files in memory are not waited for: a slow one is a busy processor",
	},
	{ dependency: "run dir", faults: ["exit 127"], why: "it is no program" },
];
