import { type FSWatcher, watch } from "node:fs";
import type { Host } from "../host.ts";

/** Every file and directory below a directory of a host, with what the kernel notes of each change. */
export type Snapshot = ReadonlyMap<string, string>;

/**
 * The time of the last change of the inode (%C) cannot be set by anybody: what was written, renamed or touched, and a
 * directory in which a name came and went, is another line.
 */
export async function snapshot(host: Host, directory: string): Promise<Snapshot> {
	const format = "%p\\t%y %i %#m %U:%G %s %T@ %C@ %l\\n";
	const { stdout } = await host.run(["find", directory, "-printf", format]);
	return new Map(
		stdout
			.trimEnd()
			.split("\n")
			.map((line) => line.split("\t") as [string, string]),
	);
}

/** What is not as it was, one line each. */
export function changes(before: Snapshot, after: Snapshot): string[] {
	const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
	return paths
		.filter((path) => before.get(path) !== after.get(path))
		.map((path) => `${path}: ${before.get(path) ?? "was not there"} -> ${after.get(path) ?? "is not there"}`);
}

/** Tells each change below a directory when it happens, by inotify(7). */
export class Watch {
	/** What has happened, oldest first. */
	readonly seen: string[] = [];
	private readonly watchers: FSWatcher[] = [];

	static async start(host: Host, directory: string): Promise<Watch> {
		const started = new Watch();
		const { stdout } = await host.run(["find", directory, "-type", "d"]);
		for (const path of stdout.trimEnd().split("\n")) {
			const watcher = watch(`/proc/${host.pid}/root${path}`, (what, name) => {
				started.seen.push(`${new Date().toISOString()} ${what}: ${path}/${name}`);
			});
			started.watchers.push(watcher);
		}
		return started;
	}

	close(): void {
		for (const watcher of this.watchers) watcher.close();
	}
}
