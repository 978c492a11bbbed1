import { readdirSync, readFileSync } from "node:fs";

/** What a process holds at a moment. */
export interface Sample {
	/** Seconds since the first one. */
	readonly at: number;
	/** Resident memory, MB. */
	readonly memory: number;
	readonly descriptors: number;
	readonly children: number;
	/** Processor time so far, ms. */
	readonly processor: number;
}

/** @param began `performance.now()` of the first sample; undefined: the process has ended */
export function sample(pid: number, began: number): Sample | undefined {
	try {
		const status = readFileSync(`/proc/${pid}/status`, "utf8");
		const schedule = readFileSync(`/proc/${pid}/schedstat`, "utf8");
		return {
			at: (performance.now() - began) / 1000,
			memory: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
			descriptors: readdirSync(`/proc/${pid}/fd`).length,
			children: childrenOf(pid),
			processor: Number(schedule.split(" ")[0]) / 1e6,
		};
	} catch {
		return undefined;
	}
}

function childrenOf(pid: number): number {
	const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
	return text === "" ? 0 : text.split(" ").length;
}

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((one, other) => one - other);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The thirds of the samples after the warm-up. */
export function thirds(
	samples: readonly Sample[],
	warmUp: number,
): { first: Sample[]; middle: Sample[]; last: Sample[] } {
	const kept = samples.filter(({ at }) => at >= warmUp);
	const third = Math.max(1, Math.floor(kept.length / 3));
	return { first: kept.slice(0, third), middle: kept.slice(third, 2 * third), last: kept.slice(-third) };
}
