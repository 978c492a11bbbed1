import type { Files } from "../../platform/types.ts";
import { FileError } from "../../platform/types.ts";

const DIRECTORY = "/etc/bgpwarden";
const PATH = `${DIRECTORY}/table.nft`;

/** /etc/bgpwarden/table.nft: what the init script installs at boot, before the network. On flash: seldom written. */
export class TableFile {
	private saved: string | undefined;

	constructor(private readonly files: Files) {}

	/**
	 * Writes the file if its text is another one.
	 * @param fallback the table of no configuration: it does not replace one that is there
	 * @returns what failed, as one line
	 */
	save(text: string, fallback: boolean): string | undefined {
		if (text === this.saved) return undefined;
		try {
			const there = this.files.status(PATH) !== undefined;
			if (there && fallback) return undefined;
			if (!there || this.files.read(PATH) !== text) {
				this.files.makeDirectory(DIRECTORY);
				this.files.replace(PATH, text);
			}
			this.saved = text;
			return undefined;
		} catch (error) {
			if (!(error instanceof FileError)) throw error;
			return error.message;
		}
	}
}
