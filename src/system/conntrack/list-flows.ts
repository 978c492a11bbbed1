import { LineSplitter } from "../../lib/lines.ts";
import type { Flow } from "../../model/flow.ts";
import { describeExit, inTurn } from "../../platform/supervise.ts";
import type { Child, Platform } from "../../platform/types.ts";
import { staleHint } from "./delete-filter.ts";
import { parseFlow } from "./flow-text.ts";

/** Milliseconds until a conntrack that does not end is killed; 10,000 entries take it 50. */
const PATIENCE = 5000;
/** Entries up to which /proc is read instead of starting a process: some 200 bytes each. */
const SMALL_TABLE = 1000;
const COUNT = "/proc/sys/net/netfilter/nf_conntrack_count";
const TABLE = "/proc/net/nf_conntrack";

/**
 * Looks at the conntrack entries with a port of BGP or BFD, of all zones and both address families. Starts no process when
 * /proc shows them.
 * @param ports TCP ports of BGP
 * @returns what went wrong, as one line; undefined: nothing
 */
export async function eachFlow(
	platform: Platform,
	ports: readonly number[],
	take: (flow: Flow) => void,
): Promise<string | undefined> {
	const hint = staleHint(ports);
	const takeLine = (line: string) => {
		const flow = hint.test(line) ? parseFlow(line) : undefined;
		if (flow) take(flow);
	};
	const text = readSmallTable(platform);
	if (text === undefined)
		// Without -f it lists both families (conntrack-tools 1.4.7 and later).
		return runConntrack(platform, ["-L", "-o", "extended"], undefined, takeLine);
	for (const line of text.split("\n")) takeLine(line);
	return undefined;
}

/** The listing out of /proc; undefined where it is absent, or so long that reading it whole would cost memory. */
function readSmallTable(platform: Platform): string | undefined {
	try {
		const count = platform.files.read(COUNT).trim();
		if (!/^\d+$/.test(count) || Number(count) > SMALL_TABLE) return undefined;
		return platform.files.read(TABLE);
	} catch {
		// Not every kernel has it, and conntrack(8) is there for those.
		return undefined;
	}
}

/**
 * Runs conntrack(8) to its end.
 * @param onLine gets each line of its output
 * @returns what went wrong, or undefined
 */
export function runConntrack(
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
		inTurn(
			platform,
			(done) => {
				const end = (failure: string | undefined) => {
					done();
					resolve(failure);
				};
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
							if (timedOut) end(`${argv.join(" ")}: no end after ${PATIENCE / 1000} s`);
							else if (code === 127) end("conntrack: not found (is the package conntrack installed?)");
							else end(code === 0 ? undefined : describeExit(argv, status, words));
						},
					});
				} catch (error) {
					end(`${argv.join(" ")}: ${error instanceof Error ? error.message : String(error)}`);
					return;
				}
				const timer = platform.after(PATIENCE, () => {
					timedOut = true;
					child.kill("SIGKILL");
				});
				if (input === undefined) return;
				child.write(input);
				child.closeStdin();
			},
			{ onLeftOut: (complaint) => resolve(`${argv.join(" ")}: ${complaint}`) },
		);
	});
}
