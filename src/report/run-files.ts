import type { StoredEvent } from "../model/event.ts";
import type { Status } from "../model/status.ts";
import type { Files } from "../platform/types.ts";
import { FileError } from "../platform/types.ts";

/** Names in the run directory. */
export const STATUS_FILE = "status.json";
export const EVENTS_FILE = "events.jsonl";
/** Events that are kept; the file is cut back to this many once it has a fifth more. */
const KEPT = 500;
const CUT_AT = 600;
/** Bytes that 600 events stay under by far. */
const EVENTS_LIMIT = 1 << 20;

/** Writes the state for the command line and others to read. Every method returns what failed, or undefined. */
export class StatusFiles {
	private lastStatus = "";
	private lines: number | undefined;
	/** The last line may be a part of one: the disk was full in the middle of it. */
	private torn = false;

	/** @param directory the run directory */
	constructor(
		private readonly files: Files,
		private readonly directory: string,
	) {}

	/** Replaces status.json, if anything in it is new. */
	status(status: Status): string | undefined {
		const text = `${JSON.stringify(status)}\n`;
		if (text === this.lastStatus) return undefined;
		return this.attempt(() => {
			this.files.replace(this.path(STATUS_FILE), text);
			this.lastStatus = text;
		});
	}

	/** Adds a line to events.jsonl and cuts it back from time to time. */
	event(event: StoredEvent): string | undefined {
		return this.attempt(() => {
			this.lines ??= this.begin();
			const afresh = this.torn ? "\n" : "";
			this.torn = true;
			this.files.append(this.path(EVENTS_FILE), `${afresh}${JSON.stringify(event)}\n`);
			this.torn = false;
			this.lines++;
			if (this.lines < CUT_AT) return;
			this.files.dropLines(this.path(EVENTS_FILE), this.lines - KEPT);
			this.lines = KEPT;
		});
	}

	/** @returns how many events an earlier run has left */
	private begin(): number {
		const path = this.path(EVENTS_FILE);
		const size = this.files.status(path)?.size;
		if (size === undefined) return 0;
		if (size <= EVENTS_LIMIT) return this.files.countLines(path);
		// Nothing that the daemon wrote is that large: what somebody else put there is not kept.
		this.files.remove(path);
		return 0;
	}

	private path(name: string): string {
		return `${this.directory}/${name}`;
	}

	private attempt(action: () => void): string | undefined {
		try {
			action();
			return undefined;
		} catch (error) {
			if (error instanceof FileError) return error.message;
			throw error;
		}
	}
}
