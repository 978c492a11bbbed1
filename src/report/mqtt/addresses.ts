import { parseAddress } from "../../lib/address.ts";
import { runToEnd } from "../../platform/supervise.ts";
import type { Platform } from "../../platform/types.ts";

/** Milliseconds that the name servers have. */
const TIMEOUT = 5000;
/** Addresses tried in a row. */
const LIMIT = 8;

/**
 * Which of the broker's addresses to try. `nc` and, when the first address is silent, `openssl` try only one, so after a
 * failure the name is looked up and each address gets its turn before there is a pause.
 */
export class Addresses {
	/** The addresses of this round; absent: the name has not been looked up in it. */
	private list: readonly string[] | undefined;
	private index = 0;
	/** What worked last. */
	private proven: string | undefined;

	constructor(
		private readonly platform: Platform,
		private readonly host: string,
	) {}

	/** A name or an address. */
	current(): string {
		return this.list?.[this.index] ?? this.proven ?? this.host;
	}

	/** The current one has worked. */
	reset(): void {
		if (this.list) this.proven = this.current();
		this.list = undefined;
	}

	/**
	 * The current one has failed.
	 * @param slowly after so long that looking up the name may have been all that it did
	 * @param then gets whether there is another one in this round; may be called at once
	 */
	next(slowly: boolean, then: (another: boolean) => void): void {
		if (this.list) {
			this.index++;
			const another = this.index < this.list.length;
			if (!another) this.list = undefined;
			then(another);
		} else if (parseAddress(this.host)) {
			then(false);
		} else {
			const tried = this.proven;
			this.proven = undefined;
			this.lookUp().then((found) => {
				const isOther = tried !== undefined ? found[0] !== tried : slowly;
				const useful = found.length > 1 || (found.length === 1 && isOther);
				this.list = useful ? found : undefined;
				this.index = 0;
				then(useful);
			});
		}
	}

	private async lookUp(): Promise<string[]> {
		const { stdout } = await runToEnd(this.platform, ["nslookup", this.host], {
			timeout: TIMEOUT,
			limit: 16_384,
		});
		return parseLookup(stdout).slice(0, LIMIT);
	}
}

/**
 * The addresses in what nslookup prints after the first `Name:`; before that stands the name server's own. Busybox's
 * two forms, `Address: 192.0.2.1` and `Address 1: 192.0.2.1 name`, and BIND's.
 */
export function parseLookup(output: string): string[] {
	const start = output.search(/^Name:/m);
	const answer = start < 0 ? "" : output.slice(start);
	const found = [...answer.matchAll(/^Address(?: \d+)?:\s*(\S+)/gm)].map(([, address]) => address ?? "");
	return [...new Set(found)].filter((address) => parseAddress(address));
}
