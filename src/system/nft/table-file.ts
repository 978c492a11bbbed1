import { type Backoff, retryDelay } from "../../lib/backoff.ts";
import { hash } from "../../lib/hash.ts";
import type { Files } from "../../platform/types.ts";
import { FileError } from "../../platform/types.ts";

const DIRECTORY = "/etc/bgpwarden";
export const TABLE_FILE = `${DIRECTORY}/table.nft`;
/** Milliseconds between two writes of a text that somebody else changed: it is flash. */
const PAUSE = 60_000;
/** Before what could not be written is tried again. */
const RETRY: Backoff = { first: 4000, longest: 4000, lasting: 60_000 };

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
	private notBefore = Number.NEGATIVE_INFINITY;
	private failures = 0;

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
	 * @returns as `check`
	 */
	save(text: string, fallback = false): FileLook | undefined {
		if (text !== this.wanted || fallback !== this.fallback) this.known = undefined;
		this.wanted = text;
		this.fallback = fallback;
		this.notBefore = Number.NEGATIVE_INFINITY;
		const look = this.check();
		// The pause is for what others do.
		if (look?.failure === undefined) this.notBefore = Number.NEGATIVE_INFINITY;
		return look;
	}

	/** Writes the text again if the file is gone or another. @returns undefined: all is as before, and one stat has shown it */
	check(): FileLook | undefined {
		if (this.wanted === undefined) return undefined;
		if (this.known !== undefined && this.identity() === this.known) return undefined;
		if (this.now() < this.notBefore) return undefined;
		try {
			const status = this.files.status(TABLE_FILE);
			// The text is ASCII: another size is another text, however large.
			const text = status?.size === this.wanted.length ? this.files.read(TABLE_FILE) : undefined;
			if (text !== this.wanted && !(this.fallback && status)) {
				this.notBefore = this.now() + PAUSE;
				this.files.makeDirectory(DIRECTORY);
				this.files.replace(TABLE_FILE, this.wanted, { durable: true });
			}
			// What was there before this daemon's first look is not somebody's change.
			const told = text !== this.wanted && this.known !== undefined && !(this.fallback && status);
			this.known = this.identity();
			this.failures = 0;
			return told ? { replaced: status ? "changed" : "missing" } : {};
		} catch (error) {
			if (!(error instanceof FileError)) throw error;
			this.notBefore = this.now() + retryDelay(RETRY, ++this.failures);
			return { failure: error.message };
		}
	}

	private identity(): string | undefined {
		const status = this.files.status(TABLE_FILE);
		return status && [status.inode, status.size, status.modified].join();
	}
}
