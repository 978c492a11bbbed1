import { configFile, runDirectory } from "../../daemon.ts";
import type { Cell, LeftOut } from "../cell.ts";
import { GARBAGE } from "../parts.ts";
import type { World } from "../world.ts";
import { disk, fill, shell, unfill } from "./disk.ts";

const control = `${runDirectory}/control`;

/** Has the daemon read its configuration, as procd does after a change. */
async function reload(world: World): Promise<void> {
	world.daemon.reload();
}
async function write(world: World): Promise<void> {
	await world.shell(`rm -rf ${configFile}`);
	world.warden.configure(world.config);
	await reload(world);
}

/** The file is spoiled, and the daemon told to read it; the last good configuration goes on. */
function spoiled(script: string) {
	return {
		dependency: "configuration",
		async begin(world: World) {
			await world.shell(script);
			await reload(world);
		},
		end: write,
	} as const;
}
const said = { says: /\/etc\/config\/bgpwarden/ };
const configuration: readonly Cell[] = [
	{
		...spoiled(""),
		fault: "missing at start",
		what: "no file, and a last good one",
		atStart: true,
		prepare: shell(
			`mkdir -p /etc/bgpwarden; cp ${configFile} /etc/bgpwarden/last-good; cp ${configFile} /tmp/good`,
		),
		begin: shell(`rm -f ${configFile}`),
		...said,
	},
	{ ...spoiled(`rm ${configFile}`), fault: "dies", what: "the file is deleted", ...said },
	{
		...spoiled(""),
		fault: "dies in a loop",
		what: "good and bad by turns, thirty times",
		async begin(world) {
			for (let round = 0; round < 15; round++) {
				await world.shell(`echo 'config nonsense' >${configFile}`);
				await reload(world);
				await write(world);
			}
			await world.shell(`echo 'config nonsense' >${configFile}`);
			await reload(world);
		},
		...said,
	},
	{
		...spoiled(`rm ${configFile}; mkfifo ${configFile}`),
		fault: "hangs",
		what: "a FIFO that nobody writes is in its place",
		...said,
		async end(world) {
			// Whoever waits for a writer is let go.
			await world.shell(`[ ! -p ${configFile} ] || timeout 1 sh -c ': 1<>${configFile}'`);
			await write(world);
		},
	},
	{
		...spoiled(`head -c 20000 ${GARBAGE} >${configFile}`),
		fault: "garbage",
		what: "random bytes",
		...said,
	},
	{
		...spoiled(`head -c 60 ${configFile} >/tmp/half; cat /tmp/half >${configFile}`),
		fault: "half",
		what: "it ends in the middle of a line",
		...said,
	},
	{
		...spoiled(`yes "config peer" | head -c 10000000 >${configFile}`),
		fault: "10 MB",
		what: "10 MB of sections",
		...said,
	},
	{
		...spoiled(`: >${configFile}`),
		fault: "full",
		what: "empty, as uci commit leaves it on a full disk",
		...said,
	},
	{
		...spoiled(`mount --bind ${configFile} ${configFile}; mount -o remount,ro,bind ${configFile}`),
		fault: "read-only",
		what: "the file cannot be written",
		async end(world) {
			await world.shell(`! grep -q ' ${configFile} ' /proc/mounts || umount ${configFile}`);
			await write(world);
		},
	},
];

const flash = "/etc/bgpwarden";
/** Another table and another configuration are to be saved. */
async function change(world: World): Promise<void> {
	const { main, ...rest } = world.config;
	world.warden.configure({ ...rest, main: { ...main, forwarded: true } });
	await reload(world);
}
/** @param command prints what is in each of its files before the daemon has ever run */
const inAll = (command: string, files = "table.nft last-good router_id") =>
	shell(
		`[ -e ${control} ] || { mkdir -p ${flash}; cd ${flash}; : >router_id; for file in ${files}; do ${command} >$file; done; }`,
	);
const disks: readonly Cell[] = [
	{
		dependency: "disk",
		fault: "missing at start",
		what: "a file is in the place of /etc/bgpwarden",
		atStart: true,
		begin: shell(`[ -e ${flash} ] || touch ${flash}`),
		end: shell(`[ -d ${flash} ] || rm -f ${flash}`),
		says: /cannot save/,
	},
	{
		dependency: "disk",
		fault: "dies",
		what: "/etc/bgpwarden is deleted",
		begin: shell(`rm -rf ${flash}`),
		end: async () => {},
		says: /table\.nft was missing; written again/,
		async restored(world) {
			return world.router.read(`${flash}/table.nft`) ? undefined : "table.nft is not there";
		},
	},
	{
		dependency: "disk",
		fault: "garbage",
		what: "random bytes in all of its files at the start",
		atStart: true,
		begin: inAll(`head -c 5000 ${GARBAGE}`),
		end: async () => {},
	},
	{
		dependency: "disk",
		fault: "half",
		what: "half a table, half a configuration, an empty id at the start",
		atStart: true,
		begin: inAll("printf 'table inet custom_bgp {\\n\\tchain'", "table.nft last-good"),
		end: async () => {},
	},
	{
		dependency: "disk",
		fault: "10 MB",
		what: "10 MB in all of its files at the start",
		atStart: true,
		begin: inAll("yes rubbish | head -c 10000000"),
		end: async () => {},
	},
	{
		dependency: "disk",
		fault: "full",
		what: "no room for another table and configuration",
		...disk(flash),
		async begin(world) {
			await fill(flash)(world);
			await change(world);
		},
		end: unfill(flash),
		says: /cannot save/,
	},
	{
		dependency: "disk",
		fault: "read-only",
		what: "another table and configuration cannot be saved",
		...disk(flash),
		async begin(world) {
			await world.shell(`mount -o remount,ro ${flash}`);
			await change(world);
		},
		end: shell(`mount -o remount,rw ${flash}`),
		says: /cannot save/,
	},
];

export const flashCells: readonly Cell[] = [...configuration, ...disks];
const slow = "files on flash are not waited for: a slow one is a busy processor";
export const flashLeftOut: readonly LeftOut[] = [
	{ dependency: "configuration", faults: ["stopped", "slow"], why: slow },
	{ dependency: "configuration", faults: ["exit 127"], why: "it is no program" },
	{ dependency: "disk", faults: ["dies in a loop", "hangs", "stopped", "slow"], why: slow },
	{ dependency: "disk", faults: ["exit 127"], why: "it is no program" },
];
