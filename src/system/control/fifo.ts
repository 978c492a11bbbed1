import { LineSplitter } from "../../lib/lines.ts";
import { toJson } from "../../lib/printable.ts";
import { encodeUtf8 } from "../../lib/utf8.ts";
import type { Command } from "../../model/command.ts";
import { runToEnd } from "../../platform/supervise.ts";
import type { FifoReader, Files, Platform } from "../../platform/types.ts";
import { CONTROL_FIFO, parseRequest, REPLIES, type Reply } from "./request.ts";

/** A reply that nobody has read for this many milliseconds is removed; they are looked through once in this time. */
const REPLY_AGE = 60_000;
const CLEANING = 10_000;
/** Replies that are kept; of more, the oldest go. */
const MOST_REPLIES = 256;
/** Bytes of a file in the FIFO's place whose lines are heard as requests. */
const MISPLACED_LIMIT = 4096;
/** Milliseconds in which whoever has that file open has written to it. */
const MISPLACED_DELAY = 500;
/** Lines that are no request: one in this many milliseconds is told. */
const GARBAGE_APART = 60_000;

export interface ControlOptions {
	/** The run directory. */
	readonly directory: string;
	/** The first time: replies that are there are an earlier daemon's, and go. */
	readonly isFirst: boolean;
	readonly onCommand: (command: Command) => void;
	/** A line that is no request. */
	readonly onGarbage: (line: string) => void;
}

/** The daemon's end of the control FIFO. */
export interface Control {
	/** Nothing, when it cannot be written. */
	reply(id: string, reply: Reply): void;
	/** Whether whoever opens the FIFO by its name still reaches this daemon. */
	readonly isIntact: boolean;
	close(): void;
}

/**
 * Makes the FIFO if it is not there, and listens on it. A request that was written under its name meanwhile is heard too: a shell
 * makes a file for it.
 * @throws FileError, or Error when mkfifo(1) fails
 */
export async function openControl(platform: Platform, options: ControlOptions): Promise<Control> {
	// qjs ends the process for a promise that is rejected before anybody awaits it.
	await undefined;
	const { files } = platform;
	const path = `${options.directory}/${CONTROL_FIFO}`;
	const replies = `${options.directory}/${REPLIES}`;
	const misplaced = `${path}.misplaced`;
	makeReplies(files, replies, options.isFirst);
	let isMisplaced = false;
	if (!isFifo(files, path)) {
		const made = `${path}.new`;
		files.remove(made);
		const ended = await runToEnd(platform, ["mkfifo", "-m", "600", made], { timeout: 5000, urgent: true });
		if (!isFifo(files, made)) throw new Error(`mkfifo: ${path}: ${ended.complaint || "failed"}`);
		isMisplaced = files.status(path)?.kind === "file" && files.readLink(path) === undefined;
		// Renamed, not removed: whoever has the file open may still write to it.
		if (isMisplaced) files.rename(path, misplaced);
		else files.remove(path);
		files.rename(made, path);
	}
	let told = Number.NEGATIVE_INFINITY;
	const splitter = new LineSplitter((line) => {
		const command = parseRequest(line.text);
		if (command) options.onCommand(command);
		else if (line.text.trim() !== "" && platform.now().monotonic - told >= GARBAGE_APART) {
			told = platform.now().monotonic;
			options.onGarbage(line.text.slice(0, 80));
		}
	}, 4096);
	const inode = files.status(path)?.inode;
	const fifo: FifoReader = platform.openFifo(path, (chunk) => splitter.push(chunk));
	const takeMisplaced = () => {
		try {
			splitter.push(encodeUtf8(`\n${files.read(misplaced, MISPLACED_LIMIT)}`));
		} catch {
			// Too long for a request, or gone.
		}
		files.remove(misplaced);
	};
	const hearing = isMisplaced ? platform.after(MISPLACED_DELAY, takeMisplaced) : undefined;
	let cleaned = Number.NEGATIVE_INFINITY;
	let count = 0;
	const clean = () => {
		const now = platform.now();
		if (count < MOST_REPLIES && now.monotonic - cleaned < CLEANING) return;
		cleaned = now.monotonic;
		const all = files.list(replies).map((name) => ({
			path: `${replies}/${name}`,
			age: Math.abs(now.wall - (files.status(`${replies}/${name}`)?.modified ?? now.wall)),
		}));
		const byAge = all.sort((one, other) => one.age - other.age);
		const kept = byAge.filter(({ age }, index) => age <= REPLY_AGE && index < MOST_REPLIES / 2);
		for (const each of byAge) if (!kept.includes(each)) files.remove(each.path);
		count = kept.length;
	};
	return {
		reply(id, reply) {
			if (files.readLink(replies) !== undefined) makeReplies(files, replies, false);
			clean();
			files.replace(`${replies}/${id}`, `${toJson(reply)}\n`, { mode: 0o600 });
			count++;
		},
		get isIntact() {
			const status = files.status(path);
			return status?.kind === "fifo" && status.inode === inode && files.status(replies)?.kind === "directory";
		},
		close() {
			hearing?.cancel();
			fifo.close();
		},
	};
}

/** A link in its place would lead somewhere else. */
function isFifo(files: Files, path: string): boolean {
	return files.status(path)?.kind === "fifo" && files.readLink(path) === undefined;
}

/** Makes the directory of replies. @param empty what is in it goes */
function makeReplies(files: Files, path: string, empty: boolean): void {
	if (files.readLink(path) !== undefined) files.remove(path);
	files.makeDirectory(path);
	if (empty) for (const name of files.list(path)) files.remove(`${path}/${name}`);
}
