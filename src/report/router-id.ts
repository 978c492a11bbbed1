import { oneLine } from "../lib/printable.ts";
import { FileError, type Files } from "../platform/types.ts";

const HOSTNAME = "/proc/sys/kernel/hostname";
const DIRECTORY = "/etc/bgpwarden";
const PATH = `${DIRECTORY}/router_id`;
/** Host names of routers that nobody has named yet. */
const UNNAMED: ReadonlySet<string> = new Set(["", "OpenWrt", "LEDE", "localhost", "(none)"]);

/**
 * The name in topics and entity ids. Home Assistant knows entities by ids made from it, so it must not follow the host
 * name when that changes: what it was at the first connection to a broker is kept in /etc/bgpwarden/router_id.
 */
export class RouterId {
	constructor(private readonly files: Files) {}

	/** @param option `router_id` of the configuration, which goes first; may be empty */
	get(option: string): string {
		return option || this.kept() || this.read(HOSTNAME) || "router";
	}

	/**
	 * The id is in use now. Writes to flash at most once in a router's life.
	 * @returns one line when it was kept, or could not be
	 */
	remember(option: string): string | undefined {
		if (option !== "" || this.kept()) return undefined;
		const name = this.read(HOSTNAME);
		if (UNNAMED.has(name)) return undefined;
		try {
			this.files.makeDirectory(DIRECTORY);
			this.files.replace(PATH, `${name}\n`, { durable: true });
			return `this router stays '${name}' in topics and entity ids, whatever the host name (${PATH})`;
		} catch (error) {
			if (!(error instanceof FileError)) throw error;
			return `the router's id follows its host name: ${error.message}`;
		}
	}

	private kept(): string {
		const name = this.read(PATH);
		return /[A-Za-z0-9]/.test(name) ? name : "";
	}

	private read(path: string): string {
		try {
			return oneLine(this.files.read(path, 4096)).trim();
		} catch {
			return "";
		}
	}
}
