import { LineSplitter } from "../platform/lines.ts";
import { describeExit } from "../platform/supervise.ts";
import type { Child, Platform } from "../platform/types.ts";
import { type IsLocal, localAddresses } from "../sources/conntrack/local.ts";
import { parseFlow } from "../sources/conntrack/parse.ts";
import { filterOf, mayBeStale } from "../sources/conntrack/select.ts";

export type FlushResult =
	| { readonly ok: true; readonly deleted: number; readonly left: number }
	| { readonly ok: false; readonly reason: string };

/** What is stale right now: how many flows, and the filters of `conntrack -D` that take them. */
type Listing =
	| { readonly ok: true; readonly count: number; readonly filters: ReadonlySet<string> }
	| { readonly ok: false; readonly reason: string };

/** How often to delete: mid-stream packets make entries anew (tcp_loose) until the table keeps them out. */
const PASSES = 3;
/** Milliseconds until a conntrack that does not end is killed; 10,000 entries take it 50. */
const PATIENCE = 5000;
/** Entries up to which /proc is read instead of starting a process: some 200 bytes each. */
const SMALL_TABLE = 1000;
/** Bytes: the file lists all IPv4 routes, not local ones alone. */
const FIB_LIMIT = 1 << 22;
const COUNT = "/proc/sys/net/netfilter/nf_conntrack_count";
const TABLE = "/proc/net/nf_conntrack";

/**
 * Deletes the conntrack entries of BGP and BFD that end at this router, of all zones and both address families, then
 * looks again, up to 3 times. Starts no process when /proc shows that there is nothing to delete.
 * @returns how many entries were deleted, and how many there were at the last look
 */
export async function flushConntrack(platform: Platform): Promise<FlushResult> {
	try {
		return await flush(platform, readLocalAddresses(platform));
	} catch (error) {
		return { ok: false, reason: error instanceof Error ? error.message : String(error) };
	}
}

async function flush(platform: Platform, isLocal: IsLocal): Promise<FlushResult> {
	let deleted = 0;
	for (let pass = 0; ; pass++) {
		const listing = (await listSmallTable(platform, isLocal)) ?? (await listByProcess(platform, isLocal));
		if (!listing.ok) return listing;
		if (listing.count === 0 || pass === PASSES) return { ok: true, deleted, left: listing.count };
		const deletion = await deleteAll(platform, listing.filters);
		if (typeof deletion === "string") return { ok: false, reason: deletion };
		deleted += deletion;
	}
}

/** @throws FileError */
function readLocalAddresses(platform: Platform): IsLocal {
	const { files } = platform;
	const ifInet6 = files.status("/proc/net/if_inet6") ? files.read("/proc/net/if_inet6") : "";
	return localAddresses(files.read("/proc/net/fib_trie", FIB_LIMIT), ifInet6);
}

/** The listing out of /proc; undefined where it is absent, or so long that reading it whole would cost memory. */
function listSmallTable(platform: Platform, isLocal: IsLocal): Listing | undefined {
	try {
		const count = platform.files.read(COUNT).trim();
		if (!/^\d+$/.test(count) || Number(count) > SMALL_TABLE) return undefined;
		const found = new Stale(isLocal);
		const text = platform.files.read(TABLE);
		for (const line of text.split("\n")) found.take(line);
		return found.listing();
	} catch {
		// Not every kernel has it, and conntrack(8) is there for those.
		return undefined;
	}
}

async function listByProcess(platform: Platform, isLocal: IsLocal): Promise<Listing> {
	const found = new Stale(isLocal);
	// Without -f it lists both families (conntrack-tools 1.4.7 and later).
	const failure = await runConntrack(platform, ["-L", "-o", "extended"], undefined, (line) =>
		found.take(line),
	);
	return failure === undefined ? found.listing() : { ok: false, reason: failure };
}

/** @returns entries deleted, or what went wrong */
async function deleteAll(platform: Platform, filters: ReadonlySet<string>): Promise<number | string> {
	const input = [...filters].map((filter) => `-D ${filter}\n`).join("");
	let deleted = 0;
	// One process for all of them. `-R -` would open /dev/stdin, which not every /dev has.
	const failure = await runConntrack(platform, ["-R", "/proc/self/fd/0"], input, (line) => {
		// It prints each entry that it has deleted.
		if (parseFlow(line)) deleted++;
	});
	return failure ?? deleted;
}

/** @returns what went wrong, or undefined */
function runConntrack(
	platform: Platform,
	args: readonly string[],
	input: string | undefined,
	onLine: (line: string) => void,
): Promise<string | undefined> {
	const argv = ["conntrack", ...args] as const;
	const lines = new LineSplitter((line) => onLine(line.text), 4096);
	let words = "";
	const errors = new LineSplitter((line) => {
		words ||= line.text;
	}, 1024);
	return new Promise((resolve) => {
		let timedOut = false;
		let child: Child;
		try {
			child = platform.spawn({
				argv,
				stdin: input !== undefined,
				onStdout: (chunk) => lines.push(chunk),
				onStderr: (chunk) => errors.push(chunk),
				onExit: (status) => {
					timer.cancel();
					const code = "code" in status ? status.code : undefined;
					if (timedOut) resolve(`${argv.join(" ")}: no end after ${PATIENCE / 1000} s`);
					else if (code === 127) resolve("conntrack: not found (is the package conntrack installed?)");
					else resolve(code === 0 ? undefined : describeExit(argv, status, words));
				},
			});
		} catch (error) {
			resolve(`${argv.join(" ")}: ${error instanceof Error ? error.message : String(error)}`);
			return;
		}
		const timer = platform.after(PATIENCE, () => {
			timedOut = true;
			child.kill("SIGKILL");
		});
		if (input === undefined) return;
		child.write(input);
		child.closeStdin();
	});
}

/** Gathers stale flows line by line, keeping no line. */
class Stale {
	private count = 0;
	private readonly filters = new Set<string>();

	constructor(private readonly isLocal: IsLocal) {}

	take(line: string): void {
		const flow = mayBeStale(line) ? parseFlow(line) : undefined;
		const filter = flow && filterOf(flow, this.isLocal);
		if (filter === undefined) return;
		this.count++;
		this.filters.add(filter);
	}

	listing(): Listing {
		return { ok: true, count: this.count, filters: this.filters };
	}
}
