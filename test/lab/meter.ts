import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** Clock ticks of /proc/PID/stat in a second (USER_HZ). */
const TICKS = 100;
/** Milliseconds between two looks at what has to be looked at. */
const PERIOD = 100;
/** Seconds over which processor time is taken at least: in a shorter time a few wipes would be most of it. */
const LEAST = 10;

/** What a daemon has cost over some time. */
export interface Cost {
	/** Parts of a core: its own, and its children's. */
	readonly own: number;
	readonly children: number;
	/** Megabytes resident: the most at any moment, and now. */
	readonly peak: number;
	readonly resident: number;
	/** The most at any look, of ten a second. */
	readonly processes: number;
	readonly descriptors: number;
}

/** Fields of proc_pid_stat(5), from the third on. */
function stat(pid: number): string[] {
	const text = readFileSync(`/proc/${pid}/stat`, "utf8");
	return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function childrenOf(pid: number): number[] {
	return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

/** Seconds of processor time: of the process, and of its children, those that have ended included. */
function processorTime(pid: number): { own: number; children: number } {
	const seconds = (pid: number, first: number): number => {
		try {
			const fields = stat(pid);
			return (Number(fields[first]) + Number(fields[first + 1])) / TICKS;
		} catch {
			return 0; // ended meanwhile
		}
	};
	// utime and stime are fields 14 and 15; those of the children that were waited for follow.
	const living = childrenOf(pid).reduce((sum, child) => sum + seconds(child, 11), 0);
	return { own: seconds(pid, 11), children: living + seconds(pid, 13) };
}

function megabytes(pid: number, field: "VmRSS" | "VmHWM"): number {
	const status = readFileSync(`/proc/${pid}/status`, "utf8");
	return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
}

export function resident(pid: number): number {
	return megabytes(pid, "VmRSS");
}

/** Measures a daemon from now on. */
export class Meter {
	private readonly start: { at: number; own: number; children: number };
	private readonly timer: NodeJS.Timeout;
	private processes = 0;
	private descriptors = 0;

	constructor(private readonly pid: number) {
		// proc_pid_clear_refs(5): the peak of the resident set begins anew.
		writeFileSync(`/proc/${pid}/clear_refs`, "5");
		this.start = { at: performance.now(), ...processorTime(pid) };
		this.timer = setInterval(() => this.look(), PERIOD);
	}

	/** @throws Error when the daemon is gone */
	read(): Cost {
		this.look();
		const seconds = Math.max(LEAST, (performance.now() - this.start.at) / 1000);
		const { own, children } = processorTime(this.pid);
		return {
			own: (own - this.start.own) / seconds,
			children: (children - this.start.children) / seconds,
			peak: megabytes(this.pid, "VmHWM"),
			resident: megabytes(this.pid, "VmRSS"),
			processes: this.processes,
			descriptors: this.descriptors,
		};
	}

	stop(): void {
		clearInterval(this.timer);
	}

	private look(): void {
		try {
			this.processes = Math.max(this.processes, childrenOf(this.pid).length);
			this.descriptors = Math.max(this.descriptors, readdirSync(`/proc/${this.pid}/fd`).length);
		} catch {
			// The daemon is gone: its play finds that out.
		}
	}
}
