import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * The arguments of a process that was just started. While the kernel is still replacing its program, it has none: whoever
 * started it may have heard of that already, since files closed on exec are closed before.
 * @throws Error when there is no such process, or when it has no arguments after 10 s
 */
export function commandLine(pid: number | string | undefined): string[] {
	const end = Date.now() + 10_000;
	do {
		const text = readFileSync(`/proc/${pid}/cmdline`, "utf8");
		if (text !== "") return text.split("\0").slice(0, -1);
	} while (Date.now() < end);
	throw new Error(`process ${pid} has no arguments after 10 s`);
}

/** Starts a process that is called `name` and does nothing; it is called so when this returns. */
export function startNamed(name: string): ChildProcess {
	const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { argv0: name });
	commandLine(child.pid);
	return child;
}
