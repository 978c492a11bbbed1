import { readFileSync } from "node:fs";
import { type Daemon, Warden } from "../daemon.ts";
import type { Lab } from "../lab.ts";
import { pause, until } from "../wait.ts";
import { type Figure, quantile } from "./figures.ts";

const fixed = (value: number) => value.toFixed(1);

/** Nanoseconds on a processor since the start of the process (proc: schedstat). */
export function onCpu(pid: number): number {
	return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]);
}

/** Milliseconds from the start of the daemon to its word that the table is in place, on a router that has none. */
async function startUp(lab: Lab, warden: Warden, protect: boolean): Promise<number> {
	await lab.router.run(["nft", "destroy", "table", "inet", "custom_bgp"]);
	warden.configure({ mqtt: { enabled: false }, main: { protect } });
	let took: number | undefined;
	const begun = performance.now();
	const daemon = warden.start({
		onLine: (line) => {
			if (/^table inet custom_bgp installed$/.test(line)) took ??= performance.now() - begun;
		},
	});
	await until("the table", () => took);
	const mode = protect ? "owned" : "installed";
	await daemon.untilStatus(mode, ({ router }) => router.protection === mode);
	await daemon.stop();
	return took ?? Number.NaN;
}

/** The start of the daemon with ownership against that without. @param starts of each */
export async function ownership(lab: Lab, starts: number): Promise<Figure[]> {
	const warden = new Warden(lab.router);
	const [owned, installed]: [number[], number[]] = [[], []];
	for (let round = 0; round < starts; round++) {
		owned.push(await startUp(lab, warden, true));
		installed.push(await startUp(lab, warden, false));
	}
	const [ours, bare] = [quantile(owned, 0.5), quantile(installed, 0.5)];
	return [
		{
			what: `start to table, with an owner, median of ${starts}`,
			measured: `${fixed(ours)} ms, ${fixed(ours - bare)} ms more than without (${fixed(bare)} ms)`,
			goal: "at most 30 ms more",
			reached: ours - bare <= 30,
		},
	];
}

/** The process that owns the table. */
function ownerOf(lab: Lab, daemon: Daemon): number {
	const commandLine = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8");
	const pid = lab.router.processes().find((each) => commandLine(each) === "nft\0-e\0-f\0-\0");
	if (pid === undefined)
		throw new Error(`the table has no owner; the daemon said:\n${daemon.process.tail()}`);
	return pid;
}

/** Memory that the owner has to itself, and the processor time that it takes while nothing happens. */
export async function ownerAtRest(lab: Lab, daemon: Daemon, seconds: number): Promise<Figure[]> {
	const pid = ownerOf(lab, daemon);
	const before = onCpu(pid);
	await pause(seconds * 1000);
	const busy = onCpu(pid) - before;
	const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
	const part = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(rollup)?.[1]);
	const kilobytes = part("Private_Clean") + part("Private_Dirty");
	return [
		{
			what: "memory of the table's owner, private",
			measured: `${fixed(kilobytes / 1024)} MB`,
			goal: "at most 2.5 MB",
			reached: kilobytes <= 2.5 * 1024,
		},
		{
			what: `its processor time in ${seconds} s at rest`,
			measured: `${busy} ns`,
			goal: "none",
			reached: busy === 0,
		},
	];
}
