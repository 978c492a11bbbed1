import { fileURLToPath } from "node:url";
import { runDirectory } from "../../daemon.ts";
import { type Cell, EVERYTHING, type LeftOut } from "../cell.ts";
import { GARBAGE, REAL } from "../parts.ts";
import type { World } from "../world.ts";
import { resting } from "./programs.ts";

const plugin = "/usr/libexec/rpcd/bgpwarden";
const packageFiles = fileURLToPath(new URL("../../../../openwrt-package/bgpwarden/files", import.meta.url));

/** jsonfilter -e '$.NAME', as far as the plugin uses it. */
const jsonfilter = `#!${REAL.qjs} --std
let value;
try { value = JSON.parse(std.in.readAsString())[scriptArgs[2].slice(2)]; } catch { std.exit(126); }
if (value === undefined) std.exit(1);
print(typeof value === "string" ? value : JSON.stringify(value));
`;

async function install(world: World): Promise<void> {
	for (const file of [plugin, "/usr/lib/bgpwarden/check.sh", "/usr/sbin/bgpwarden"])
		world.router.install(`${packageFiles}${file}`, file);
	world.router.write("/usr/bin/jsonfilter", jsonfilter, 0o755);
}

/** Seconds that a method may take: what only reads, and what waits for the daemon's answer, 10 s at most. */
const METHODS: readonly (readonly [string, string, number])[] = [
	["list", "", 2],
	["call status", "{}", 2],
	["call peers", "{}", 2],
	["call events", '{"count":500}', 2],
	["call ensure", "{}", 12],
	["call flush", "{}", 12],
	["call restart", '{"peer":"nobody"}', 12],
];

/** Whatever is broken, each method answers in JSON, and soon. */
async function answers(world: World): Promise<string | undefined> {
	const asked = METHODS.map(async ([method, input, limit]) => {
		const start = performance.now();
		const argv = ["timeout", "20", "busybox", "ash", plugin, ...method.split(" ")];
		const { stdout } = await world.router.run(argv, { stdin: input, allowFailure: true });
		const took = (performance.now() - start) / 1000;
		if (took > limit) return `${method} took ${took.toFixed(1)} s`;
		try {
			JSON.parse(stdout);
			return undefined;
		} catch {
			return `${method} is no JSON: ${JSON.stringify(stdout.slice(0, 80))}`;
		}
	});
	const wrong = (await Promise.all(asked)).filter((what) => what !== undefined);
	return wrong.length === 0 ? undefined : wrong.join("; ");
}

/** procd has written down who runs. */
async function known(world: World): Promise<void> {
	world.router.write("/var/run/bgpwarden.pid", `${world.daemon.process.pid}\n`);
}
async function startAgain(world: World): Promise<void> {
	world.respawn();
	await known(world);
}
const base = {
	dependency: "rpcd plugin",
	prepare: install,
	also: answers,
	restored: answers,
	tidy: async (world: World) => void (await world.shell("rm -f /var/run/bgpwarden.pid")),
} as const;
const gone = { ...base, ...resting(...EVERYTHING), term: false } as const;

/** The daemon is stopped, and its files are not what it has written. */
function stoppedWith(script: string) {
	return {
		...gone,
		async begin(world: World) {
			await known(world);
			world.daemon.process.kill("SIGSTOP");
			await world.shell(
				`cd ${runDirectory}; touch events.jsonl; cp status.json events.jsonl /tmp/; ${script}`,
			);
		},
		async end(world: World) {
			await world.shell(`cd ${runDirectory}; cp /tmp/status.json /tmp/events.jsonl .`);
			world.daemon.process.kill("SIGCONT");
		},
	};
}
const each = (command: string) => `for file in status.json events.jsonl; do ${command}; done`;

export const pluginCells: readonly Cell[] = [
	{
		...gone,
		fault: "missing at start",
		what: "no daemon has ever run",
		async begin(world) {
			await world.daemon.crash();
			await world.shell(`rm -rf ${runDirectory} /var/run/bgpwarden.pid`);
		},
		end: startAgain,
	},
	{
		...gone,
		fault: "dies",
		what: "the daemon is killed, its files are there",
		async begin(world) {
			await known(world);
			await world.daemon.crash();
		},
		end: startAgain,
	},
	{ ...stoppedWith(":"), fault: "stopped", what: "SIGSTOP of the daemon" },
	{
		...stoppedWith(each(`head -c 100000 ${GARBAGE} >$file`)),
		fault: "garbage",
		what: "the daemon is stopped, its files are random bytes",
	},
	{
		...stoppedWith(each("head -c $(($(wc -c </tmp/$file) / 2)) /tmp/$file >$file")),
		fault: "half",
		what: "the daemon is stopped, its files are half there",
	},
	{
		...stoppedWith(each("yes '{\"a\":1}' | head -c 10000000 >$file")),
		fault: "10 MB",
		what: "the daemon is stopped, its files have 10 MB",
	},
	{
		...stoppedWith("yes '' | timeout 1 sh -c 'cat 1<>control' || true"),
		fault: "full",
		what: "the daemon is stopped, its FIFO is full",
	},
	{
		...base,
		fault: "exit 127",
		what: "no qjs in PATH",
		async begin(world) {
			await known(world);
			await world.uninstall("qjs");
		},
		end: (world) => world.reinstall("qjs"),
	},
	{
		...base,
		...resting("peers", "status", "commands", "mqtt"),
		fault: "read-only",
		what: "the run directory is read-only",
		async prepare(world) {
			await install(world);
			await world.shell(`mkdir -p ${runDirectory}; mount -t tmpfs -o size=128k tmpfs ${runDirectory}`);
		},
		async begin(world) {
			await known(world);
			await world.shell(`mount -o remount,ro ${runDirectory}`);
		},
		end: async (world) => void (await world.shell(`mount -o remount,rw ${runDirectory}`)),
		async tidy(world) {
			await world.shell(`umount -l ${runDirectory}; rm -f /var/run/bgpwarden.pid`);
		},
	},
];

export const pluginLeftOut: readonly LeftOut[] = [
	{
		dependency: "rpcd plugin",
		faults: ["dies in a loop", "hangs", "slow"],
		why: "it lives for one question: a daemon that hangs is to it one that is stopped",
	},
];
