import { LineSplitter } from "../../lib/lines.ts";
import type { Command } from "../../model/command.ts";
import { runToEnd } from "../../platform/supervise.ts";
import type { FifoReader, Platform } from "../../platform/types.ts";
import { CONTROL_FIFO, parseRequest, REPLIES, type Reply } from "./request.ts";

/** A reply that nobody has read for this many milliseconds is removed. */
const REPLY_AGE = 60_000;

export interface ControlOptions {
	/** The run directory. */
	readonly directory: string;
	readonly onCommand: (command: Command) => void;
	/** A line that is no request. */
	readonly onGarbage: (line: string) => void;
}

/** The daemon's end of the control FIFO. */
export interface Control {
	reply(id: string, reply: Reply): void;
	close(): void;
}

/** Makes the FIFO if it is not there and listens on it. @throws FileError, or Error when mkfifo(1) fails */
export async function openControl(platform: Platform, options: ControlOptions): Promise<Control> {
	// qjs ends the process for a promise that is rejected before anybody awaits it.
	await undefined;
	const { files } = platform;
	const path = `${options.directory}/${CONTROL_FIFO}`;
	const replies = `${options.directory}/${REPLIES}`;
	files.makeDirectory(replies);
	for (const name of files.list(replies)) files.remove(`${replies}/${name}`);
	if (files.status(path)?.kind !== "fifo") {
		files.remove(path);
		const made = await runToEnd(platform, ["mkfifo", "-m", "600", path], { timeout: 5000 });
		if (files.status(path)?.kind !== "fifo")
			throw new Error(`mkfifo: ${path}: ${made.complaint || "failed"}`);
	}
	const splitter = new LineSplitter((line) => {
		const command = parseRequest(line.text);
		if (command) options.onCommand(command);
		else if (line.text.trim() !== "") options.onGarbage(line.text.slice(0, 80));
	}, 4096);
	const fifo: FifoReader = platform.openFifo(path, (chunk) => splitter.push(chunk));
	return {
		reply(id, reply) {
			const now = platform.now().wall;
			for (const name of files.list(replies)) {
				const modified = files.status(`${replies}/${name}`)?.modified ?? now;
				if (Math.abs(now - modified) > REPLY_AGE) files.remove(`${replies}/${name}`);
			}
			files.replace(`${replies}/${id}`, `${JSON.stringify(reply)}\n`, 0o600);
		},
		close: () => fifo.close(),
	};
}
