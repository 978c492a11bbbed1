import { readFileSync } from "node:fs";
import type { Bounds } from "./cell.ts";
import type { World } from "./world.ts";

/** Milliseconds between looks at the daemon's children. */
const PERIOD = 50;
/** Seconds of processor time that are nobody's business: a start, a connection. */
const ALLOWED = 0.5;

/** A router's daemon at 15 s between readings takes far less; here there is one each second, and a lab that asks. */
export const BOUNDS: Bounds = { processor: 0.2, lines: 20, memory: 16, children: 8 };

function read(pid: number, file: string): string {
	try {
		return readFileSync(`/proc/${pid}/${file}`, "latin1");
	} catch {
		return "";
	}
}

/** Seconds of processor time that the daemon has used, and with it the children that it has seen the end of. */
function used(pid: number): number {
	// proc_pid_stat(5): utime, stime, cutime and cstime are fields 14 to 17, in ticks of 10 ms, counted after the name.
	const fields = read(pid, "stat")
		.replace(/^.*\) /, "")
		.split(" ")
		.slice(11, 15)
		.map(Number);
	return fields.reduce((sum, ticks) => sum + ticks, 0) / 100;
}

/** What a fault costs, from now until `over`. */
export function watch(world: World, bounds: Bounds) {
	const { pid } = world.daemon.process;
	const [start, before, lines] = [performance.now(), used(pid), world.lines];
	let children = 0;
	let last = before;
	const timer = setInterval(() => {
		children = Math.max(children, world.children().length);
		last = Math.max(last, used(pid));
	}, PERIOD);
	return {
		/** @returns what was above its bound, by what it is called in the table */
		over(): [string, string][] {
			clearInterval(timer);
			const passed = (performance.now() - start) / 1000;
			const spent = Math.max(last, used(pid)) - before;
			const peak = Number(/VmHWM:\s+(\d+) kB/.exec(read(pid, "status"))?.[1] ?? 0) / 1024;
			const said = world.lines - lines;
			const share = Math.max(0, spent - ALLOWED) / passed;
			const found: [string, string][] = [];
			if (share > bounds.processor)
				found.push(["processor", `${spent.toFixed(1)} s of the processor in ${passed.toFixed(1)} s`]);
			if (said > bounds.lines) found.push(["log", `${said} lines in the log`]);
			if (peak > bounds.memory) found.push(["memory", `${peak.toFixed(1)} MB`]);
			if (children > bounds.children) found.push(["children", `${children} children at a time`]);
			return found;
		},
	};
}
