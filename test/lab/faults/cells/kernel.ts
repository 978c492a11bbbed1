import type { Cell, LeftOut } from "../cell.ts";
import { GARBAGE, REAL } from "../parts.ts";
import { staleEntry } from "../probes.ts";
import type { World } from "../world.ts";
import { shell } from "./disk.ts";

/**
 * Puts a directory in the place of the daemon's /proc/net, with the kernel's own files but for some. Over the files
 * themselves nothing can be mounted: the kernel makes them anew for each look.
 * @param spoil a script that leaves in `$new` what `$file` is to be; nothing: it is not there
 */
function net(spoil: string) {
	return {
		async begin(world: World) {
			const own = `/proc/${world.bird.process.pid}/net`;
			await world.shell(
				`rm -rf /tmp/net; mkdir /tmp/net; cd /tmp/net; for file in ${own}/*; do ln -s $file; done\n` +
					"for name in fib_trie if_inet6 nf_conntrack route ipv6_route tcp tcp6 arp; do\n" +
					`file=${own}/$name; new=/tmp/net/$name; rm -f $new; ${spoil}\ndone\n` +
					`mount --bind /tmp/net /proc/${world.daemon.process.pid}/net`,
			);
		},
		async end(world: World) {
			const there = `/proc/${world.daemon.process.pid}/net`;
			await world.shell(`! grep -q ' ${there} ' /proc/mounts || umount -l ${there}`);
		},
	};
}

const proc: readonly Cell[] = [
	{
		dependency: "/proc",
		fault: "missing at start",
		what: "/proc is empty",
		atStart: true,
		refuses: ["flush"],
		// Mounted once: the daemon that meets it again is another.
		begin: shell("[ ! -e /proc/self ] || mount -t tmpfs tmpfs /proc"),
		end: shell("[ -e /proc/self ] || umount /proc"),
	},
	{
		dependency: "/proc",
		fault: "dies",
		what: "routes, addresses and connections are gone from /proc/net",
		refuses: ["flush"],
		...net(":"),
	},
	{
		dependency: "/proc",
		fault: "garbage",
		what: "100 kB at random in each file of /proc/net",
		refuses: ["flush"],
		...net(`head -c 100000 ${GARBAGE} >$new`),
	},
	{
		dependency: "/proc",
		fault: "half",
		what: "half of each file of /proc/net",
		refuses: ["flush"],
		...net("cat $file >/tmp/whole; head -c $(($(wc -c </tmp/whole) / 2)) /tmp/whole >$new"),
	},
	{
		dependency: "/proc",
		fault: "10 MB",
		what: "10 MB of lines in each file of /proc/net",
		refuses: ["flush"],
		...net("yes '  +-- 10.0.0.0/8 2 0 2' | head -c 10000000 >$new"),
	},
	{
		dependency: "/proc",
		fault: "full",
		what: "60,000 routes",
		async begin(world) {
			const route = (number: number) => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}/32`;
			const stdin = Array.from({ length: 60_000 }, (_, number) => `route replace ${route(number)} dev lo\n`);
			await world.router.run([REAL.ip, "-batch", "-"], { stdin: stdin.join("") });
			await staleEntry(world);
		},
		async end(world) {
			await world.router.run([REAL.ip, "route", "flush", "root", "10.0.0.0/8"]);
		},
	},
];

/** Milliseconds between the process's start and what it tells, which is cut to seconds. */
const CLOSE = 3000;

/** Whether the status tells times that are right, however the clock has jumped. @returns what is wrong */
async function isRight(world: World): Promise<string | undefined> {
	const { started } = world.warden.status()?.router ?? {};
	const off = Math.abs(Date.parse(started ?? "") - world.startedAt);
	return off <= CLOSE ? undefined : `started is told as ${started}, ${Math.round(off / 1000)} s off`;
}

const clockFile = "/tmp/clock";
const clockProgram = `import * as std from "std";
const now = Date.now, YEAR = 31536e6, begin = now();
const tell = {
	right: () => now(),
	1970: () => now() - begin,
	ahead: () => now() + YEAR,
	back: () => now() - YEAR,
	"back and forth": () => now() + (Math.floor(now() / 200) % 2 ? YEAR : -YEAR),
	stopped: () => begin,
	slow: () => Math.floor((begin + now()) / 2),
};
Date.now = () => tell[(std.loadFile("${clockFile}") ?? "right").trim()]();
import("/usr/lib/bgpwarden/bgpwarden.js");
`;
/** The daemon asks a clock of the lab's, which can be set. */
function clock(fault: Cell["fault"], time: string, what: string): Cell {
	return {
		dependency: "clock",
		fault,
		what,
		async prepare(world) {
			world.router.write("/opt/lab/clock.js", clockProgram);
			await world.fake(
				"qjs",
				'shift 3; exec $real --strip-source -m /opt/lab/clock.js "$@"',
				"--strip-source",
			);
		},
		begin: shell(`echo '${time}' >${clockFile}`),
		end: shell(`rm -f ${clockFile}`),
		restored: isRight,
		...(fault === "missing at start" ? { atStart: true } : {}),
	};
}
const clocks: readonly Cell[] = [
	clock("missing at start", "1970", "1970, and later it is set"),
	clock("dies", "ahead", "a year ahead, and back again"),
	clock("dies", "back", "a year back, and ahead again"),
	clock("dies in a loop", "back and forth", "two years back and forth, five times a second"),
	clock("stopped", "stopped", "it stands still"),
	clock("slow", "slow", "it goes at half the speed"),
];

export const kernelCells: readonly Cell[] = [...proc, ...clocks];
export const kernelLeftOut: readonly LeftOut[] = [
	{
		dependency: "/proc",
		faults: ["dies in a loop", "hangs", "stopped", "slow", "exit 127", "read-only"],
		why: "the kernel answers or it does not, and the daemon writes nothing there",
	},
	{
		dependency: "clock",
		faults: ["hangs", "garbage", "half", "10 MB", "exit 127", "full", "read-only"],
		why: "it is a number that the kernel always has",
	},
];
