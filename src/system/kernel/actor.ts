import { wholeNumber } from "../../lib/number.ts";
import { oneLine } from "../../lib/printable.ts";
import type { Actor } from "../../model/actor.ts";
import type { Files } from "../../platform/types.ts";

/** Characters of a command line that are kept. */
const COMMAND_LIMIT = 120;
/** Ancestors that are read; the repair waits meanwhile. */
const MOST_ANCESTORS = 4;

/** `/proc/self/ns/pid` of the machine's own process ids (PROC_PID_INIT_INO in Linux's include/linux/proc_ns.h). */
const MACHINE = "pid:[4026531836]";

/** Whether this is a container, where processes have other ids than nft's generations name. */
export function hasOtherIds(files: Files): boolean {
	const namespace = files.readLink("/proc/self/ns/pid");
	// A kernel without such namespaces has no such file.
	return namespace !== undefined && namespace !== MACHINE;
}

/**
 * Who a process is, as far as /proc still tells (proc(5)): it may have ended already. nft monitor tells the id of the
 * thread that made the change (NFTA_GEN_PROC_PID), which in a Go program is seldom the process's own: /proc has
 * threads too, and their `Tgid` is the process.
 * @param pid of a process or of a thread
 * @param name the process's name from whoever told its id; a process of another name is a later one with the
 *   same id and is not looked at
 */
export function findActor(files: Files, pid: number, name: string): Actor {
	const actor: Actor = { process: oneLine(name), pid };
	const stat = parseStat(readOrNothing(files, `/proc/${pid}/stat`));
	// A newline ends the line in which it was told.
	if (!stat || (stat.name !== name && !stat.name.startsWith(`${name}\n`))) return actor;
	const process = threadGroup(readOrNothing(files, `/proc/${pid}/status`));
	const command = commandLine(readOrNothing(files, `/proc/${pid}/cmdline`));
	const ancestors = findAncestors(files, stat.parent);
	const parent = stat.parent === 1 ? describe(files, 1)?.command : ancestors[0]?.command;
	return {
		...actor,
		...(process === undefined ? {} : { pid: process }),
		...(command === undefined ? {} : { command }),
		...(parent === undefined ? {} : { parent }),
		...(ancestors.length === 0 ? {} : { ancestors }),
	};
}

function findAncestors(files: Files, parent: number): NonNullable<Actor["ancestors"]> {
	const ancestors: { pid: number; command: string }[] = [];
	for (let pid = parent; pid > 1 && ancestors.length < MOST_ANCESTORS; ) {
		const found = describe(files, pid);
		if (!found) break;
		ancestors.push({ pid, command: found.command });
		pid = found.parent;
	}
	return ancestors;
}

function describe(files: Files, pid: number): { command: string; parent: number } | undefined {
	const stat = parseStat(readOrNothing(files, `/proc/${pid}/stat`));
	// A process may call itself nothing.
	const command = commandLine(readOrNothing(files, `/proc/${pid}/cmdline`)) ?? commandLine(stat?.name ?? "");
	return command === undefined ? undefined : { command, parent: stat?.parent ?? 0 };
}

/** Name and parent of `/proc/PID/stat`; the name is in parentheses and may hold some itself. */
export function parseStat(text: string): { name: string; parent: number } | undefined {
	const [, name = "", number] = /^\d+ \((.*)\) \S (\d+) /s.exec(text) ?? [];
	const parent = wholeNumber(number);
	return parent === undefined ? undefined : { name, parent };
}

/** The process that a thread is of, from `/proc/PID/status`. */
export function threadGroup(text: string): number | undefined {
	return wholeNumber(/^Tgid:\t(\d+)$/m.exec(text)?.[1]) || undefined;
}

/** Words of `/proc/PID/cmdline`, which ends each with a NUL; undefined when there are none, as for zombies. */
export function commandLine(text: string): string | undefined {
	const words = oneLine(text.split("\0").join(" ")).trim();
	return words === "" ? undefined : words.slice(0, COMMAND_LIMIT);
}

function readOrNothing(files: Files, path: string): string {
	try {
		return files.read(path, 8192);
	} catch {
		return "";
	}
}
