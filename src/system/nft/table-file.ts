import { hash } from "../../lib/hash.ts";
import type { Files } from "../../platform/types.ts";
import { FileError } from "../../platform/types.ts";

const DIRECTORY = "/etc/bgpwarden";
export const TABLE_FILE = `${DIRECTORY}/table.nft`;
/** Milliseconds between two writes of a text that somebody else changed or that could not be written: it is flash. */
const PAUSE = 60_000;

/** What came of a look at the file. */
export interface FileLook {
	/** Why it cannot be written, as one line. */
	readonly failure?: string;
	/** What was found in place of the text, which was written again. */
	readonly replaced?: "missing" | "changed";
}

/** /etc/bgpwarden/table.nft: what the init script installs at boot, before the network. On flash: seldom written. */
export class TableFile {
	private wanted: string | undefined;
	private fallback = false;
	/** Of the file with the wanted text; another one has to be read. */
	private known: string | undefined;
	private triedAt = Number.NEGATIVE_INFINITY;

	/** @param now monotonic milliseconds */
	constructor(
		private readonly files: Files,
		private readonly now: () => number,
	) {}

	/** `hash` of the text; absent until there is one, and where another one may stay. */
	get fingerprint(): string | undefined {
		return this.wanted === undefined || this.fallback ? undefined : hash(this.wanted);
	}

	/**
	 * The file is to have this text from now on.
	 * @param fallback the table of no configuration: it does not replace one that is there
	 * @returns what failed, as one line
	 */
	save(text: string, fallback = false): string | undefined {
		if (text !== this.wanted || fallback !== this.fallback) this.known = undefined;
		this.wanted = text;
		this.fallback = fallback;
		this.triedAt = Number.NEGATIVE_INFINITY;
		const failure = this.check()?.failure;
		// The pause is for what others do.
		if (failure === undefined) this.triedAt = Number.NEGATIVE_INFINITY;
		return failure;
	}

	/** Writes the text again if the file is gone or another. @returns undefined: all is as before, and one stat has shown it */
	check(): FileLook | undefined {
		if (this.wanted === undefined) return undefined;
		if (this.known !== undefined && this.identity() === this.known) return undefined;
		if (this.now() - this.triedAt < PAUSE) return undefined;
		try {
			const status = this.files.status(TABLE_FILE);
			// The text is ASCII: another size is another text, however large.
			const text = status?.size === this.wanted.length ? this.files.read(TABLE_FILE) : undefined;
			if (text !== this.wanted && !(this.fallback && status)) {
				this.triedAt = this.now();
				this.files.makeDirectory(DIRECTORY);
				this.files.replace(TABLE_FILE, this.wanted);
			}
			// What was there before this daemon's first look is not somebody's change.
			const told = text !== this.wanted && this.known !== undefined && !(this.fallback && status);
			this.known = this.identity();
			return told ? { replaced: status ? "changed" : "missing" } : {};
		} catch (error) {
			if (!(error instanceof FileError)) throw error;
			this.triedAt = this.now();
			return { failure: error.message };
		}
	}

	private identity(): string | undefined {
		const status = this.files.status(TABLE_FILE);
		return status && [status.inode, status.size, status.modified].join();
	}
}
