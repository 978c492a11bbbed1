import type { Config } from "../model/config.ts";
import type { Files } from "../platform/types.ts";
import { keepLastGood, type Mistakes, mistakeProblem, readConfiguration, USING_LAST_GOOD } from "./read.ts";

export interface KeeperOptions {
	readonly files: Files;
	/** The configuration file. */
	readonly path: string;
	/** Something is wrong, or no longer. @param kind `config`: with the file; `last_good`: with the copy of it */
	readonly onProblem: (kind: "config" | "last_good", text: string | undefined) => void;
	/** Another mistake in the file, as one line; the first is in the problem. */
	readonly onMistake: (text: string) => void;
}

/** The configuration file while the daemon runs, and the copy of it for a time when it has mistakes. */
export class ConfigurationKeeper {
	/** What is used when a reload finds mistakes, as a clause. */
	private instead = USING_LAST_GOOD;
	/** The file could not be read: it is read as soon as it can be. */
	private unread = false;
	/** What it was at the last look. */
	private seen: string | undefined;
	/** The copy could not be written. */
	private unsaved = false;

	constructor(private readonly options: KeeperOptions) {}

	/** Tells the mistakes of the file that the daemon was started with. */
	started(mistakes: Mistakes | undefined): void {
		if (!mistakes) return;
		this.instead = mistakes.instead;
		this.unread = mistakes.unread === true;
		this.tell(mistakes);
	}

	/** Reads the file again, and tells its mistakes. @returns undefined: it has some, and all stays as it is */
	reload(): Config | undefined {
		const { files, path, onProblem } = this.options;
		const read = readConfiguration(files, path);
		this.unread = "errors" in read && read.unread === true;
		if ("errors" in read) {
			this.tell({ errors: read.errors, instead: this.instead });
			return undefined;
		}
		onProblem("config", undefined);
		return read.config;
	}

	/** Copies the file, also one that the daemon was not asked to read. A file with mistakes leaves the copy as it is. */
	keep(): void {
		const { files, path, onProblem } = this.options;
		const read = readConfiguration(files, path);
		if ("errors" in read) return;
		const failure = keepLastGood(files, path, read.text);
		this.unsaved = failure !== undefined;
		this.instead = this.unsaved
			? "keeping the last good configuration, which could not be saved"
			: USING_LAST_GOOD;
		onProblem("last_good", failure);
	}

	/**
	 * Time to look whether what could not be saved can be saved now.
	 * @returns whether the file should be read again: it could not be read, and nobody has written to it since the last look
	 */
	check(): boolean {
		if (this.unsaved) this.keep();
		if (!this.unread) return false;
		const { files, path } = this.options;
		const status = files.status(path);
		const seen = status && [status.inode, status.size, status.modified].join();
		const isSame = seen !== undefined && seen === this.seen;
		this.seen = seen;
		return isSame;
	}

	private tell(mistakes: Pick<Mistakes, "errors" | "instead">): void {
		// A problem is logged as it is noted.
		this.options.onProblem("config", mistakeProblem(mistakes));
		for (const error of mistakes.errors.slice(1)) this.options.onMistake(error);
	}
}
