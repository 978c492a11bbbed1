import type { Files, Platform } from "../../platform/types.ts";

/** In the environment of each child: `PID:START` of the daemon that started it, START as in proc_pid_stat(5). */
const MARK = "BGPWARDEN_PARENT";
/** Bytes of an environment that are read; a larger one is nobody's of ours. */
const LIMIT = 1 << 16;

/** From now on the children of this process can be told from all others, also when it has ended. */
export function markChildren({ files, pid, setEnvironment }: Platform): void {
	const start = startOf(files, pid);
	if (start !== undefined) setEnvironment(MARK, `${pid}:${start}`);
}

/**
 * Ends what daemons before this one have started and left behind: who is killed with SIGKILL ends nobody, and `ubus`, which
 * ignores SIGPIPE, would go on for ever. A process is ended if it carries the mark of a daemon that runs no more.
 * @param onInfo told how many they were, where there were some
 */
export function endLeftovers({ files, kill }: Platform, onInfo: (text: string) => void): void {
	const here = namespaces(files, "self");
	const left = processes(files).filter((pid) => {
		const mark = new RegExp(`(?:^|\\0)${MARK}=(\\d+):(\\d+)\\0`).exec(read(files, `/proc/${pid}/environ`));
		if (!mark || startOf(files, mark[1] ?? "") === mark[2]) return false;
		// In a container, the daemon's id means another process here, or none.
		return namespaces(files, pid) === here;
	});
	for (const pid of left) kill(pid, "SIGKILL");
	if (left.length > 0) onInfo(`ended ${left.length} processes that an earlier daemon left behind`);
}

function processes(files: Files): number[] {
	try {
		return files
			.list("/proc")
			.filter((name) => /^[1-9]\d{0,9}$/.test(name))
			.map(Number);
	} catch {
		return [];
	}
}

/** Clock ticks from the boot to the start of a process that runs: with its id, its name for ever. */
function startOf(files: Files, pid: number | string): string | undefined {
	// The name in parentheses may hold anything. A zombie has ended, though nobody has noticed.
	return /^\d+ \(.*\) [^ZX] (?:\S+ ){18}(\d+) /s.exec(read(files, `/proc/${pid}/stat`))?.[1];
}

function namespaces(files: Files, pid: number | "self"): string {
	return ["net", "pid"].map((kind) => files.readLink(`/proc/${pid}/ns/${kind}`)).join();
}

function read(files: Files, path: string): string {
	try {
		return files.read(path, LIMIT);
	} catch {
		return "";
	}
}
