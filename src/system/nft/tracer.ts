import { LineSplitter } from "../../lib/lines.ts";
import type { PacketTrace } from "../../model/packet-trace.ts";
import { describeExit, runToEnd } from "../../platform/supervise.ts";
import type { Child, Platform, Timer } from "../../platform/types.ts";
import { createNft, NFT_PATIENCE } from "./nft.ts";
import { OwnedTable } from "./owned-table.ts";
import { renderTraceTable, TRACE_TABLE } from "./trace-table.ts";
import { parseTraceLine, TraceCollector } from "./trace-text.ts";

/** Milliseconds after which a packet's way is complete: nothing marks its end. */
const QUIET = 50;
/** Milliseconds that `nft monitor` has to show a transaction, and how many are made for it. */
const LISTEN_WAIT = 100;
const LISTEN_TRIES = 50;

export interface TracerOptions {
	/** The peer's address. */
	readonly address: string;
	/** TCP ports of BGP. */
	readonly ports: readonly number[];
	/** Packets of the peer's that have been through the ruleset, oldest first, without the tracer's own rules. */
	readonly onTraces: (traces: readonly PacketTrace[]) => void;
	/** It cannot go on. */
	readonly onEnd: (reason: string) => void;
}

export interface Tracer {
	/** Takes the table away again; what was under way is told before. */
	stop(): Promise<void>;
}

/**
 * Follows one peer's packets through the whole ruleset. For that a table of its own is there, which belongs to a child:
 * however this process ends, the child ends with it and the kernel takes the table away (see `OwnedTable`), and `nft
 * monitor` ends as well (see `partingShot`).
 * @returns the tracer, or why it cannot be
 */
export async function startTracer(
	platform: Platform,
	options: TracerOptions,
): Promise<Tracer | { readonly reason: string }> {
	const name = `${TRACE_TABLE}_${platform.pid}`;
	const nft = createNft(platform);
	const collector = new TraceCollector();
	let timer: Timer | undefined;
	let ended = false;
	let ready = false;
	let delivered: Promise<unknown> = Promise.resolve();

	const end = (reason: string) => {
		if (ended) return;
		ended = true;
		options.onEnd(reason);
	};
	const deliver = (quiet: number) => {
		const own = (hop: { table: string }) => hop.table === name;
		const traces = collector.drain(platform.now().monotonic, quiet).filter(({ hops }) => hops.some(own));
		if (traces.length === 0) return;
		// A rule that was made after the start is known by its handle only, and has to be looked up.
		const known = nft.withRules(traces, name);
		delivered = delivered
			.then(() => known)
			.then((all) =>
				options.onTraces(all.map((trace) => ({ ...trace, hops: trace.hops.filter((hop) => !own(hop)) }))),
			);
	};
	const wait = () => {
		if (ready && collector.busy)
			timer ??= platform.after(QUIET, () => {
				timer = undefined;
				deliver(QUIET);
				wait();
			});
	};

	// In this order, see `partingShot`: its descriptor has to be lower than the monitor's.
	const shot = partingShot(platform);
	const pipe = await platform.openFullPipe();
	let shown = () => {};
	const listening = new Promise<void>((resolve) => {
		shown = resolve;
	});
	const monitor = follow(
		platform,
		(text) => {
			shown();
			const line = parseTraceLine(text);
			if (!line) return;
			collector.line(line, platform.now().monotonic);
			wait();
		},
		(reason) => {
			shown();
			end(reason);
		},
	);
	const table = new OwnedTable(platform, nft, () => end("the table of the trace is gone"));
	const applied = await table.apply(
		{ table: name, render: () => renderTraceTable(name, options.address, options.ports), optional: true },
		pipe,
	);
	const stop = async () => {
		ended = true;
		await table.letGo();
		pipe.close();
		timer?.cancel();
		shot.kill("SIGKILL");
		monitor.kill("SIGKILL");
		deliver(0);
		await delivered;
	};
	if (applied.kind === "owned") {
		if (!(await isListening(platform, listening))) end("nft monitor shows no change of the ruleset");
		ready = true;
		wait();
		return { stop };
	}
	await stop();
	return { reason: applied.kind === "failed" ? applied.failure.reason : applied.reason };
}

/**
 * An nft that waits for the end of its input, which comes with the end of this process. Then it makes a table that the same
 * transaction deletes: `nft monitor` has something to write, finds no reader, and ends too. Without that it would wait for
 * somebody's next change of the ruleset; that the trace's own table has gone, the kernel tells nobody.
 *
 * The kernel closes the descriptors of a process that is killed from the highest down (Linux 4.3 and later), and may pause
 * between two of them. So the one that this nft waits for is lower than the one that the monitor writes to: otherwise the
 * table can come while there still is a reader, and then nothing ever comes again. The starts of two children and of a pipe
 * take the lowest free descriptors; what this start gives back is used up by the pipe, not by the monitor.
 */
function partingShot(platform: Platform): Child {
	const child = platform.spawn({ argv: APPLY, stdin: true, onExit: () => {} });
	child.write(NOTHING);
	return child;
}

const APPLY = ["nft", "-f", "-"] as const;
/** What changes nothing, and what `nft monitor` shows all the same. */
const NOTHING = `table inet ${TRACE_TABLE}_end\ndelete table inet ${TRACE_TABLE}_end\n`;

/**
 * Waits until `nft monitor` has shown anything: before that it may not listen yet, and what it misses it never shows. Where it
 * came too late for the trace's own table, it is shown another transaction.
 */
async function isListening(platform: Platform, listening: Promise<void>): Promise<boolean> {
	let heard = false;
	const done = listening.then(() => {
		heard = true;
	});
	for (let tries = 0; !heard && tries < LISTEN_TRIES; tries++) {
		await Promise.race([done, new Promise<void>((resolve) => platform.after(LISTEN_WAIT, resolve))]);
		if (!heard) await runToEnd(platform, APPLY, { input: NOTHING, timeout: NFT_PATIENCE, urgent: true });
	}
	return heard;
}

/** `nft monitor`, line by line. */
function follow(platform: Platform, onLine: (text: string) => void, onEnd: (reason: string) => void): Child {
	const argv = ["nft", "monitor"] as const;
	const splitter = new LineSplitter(({ text }) => onLine(text));
	let complaint = "";
	const errors = new LineSplitter(({ text }) => {
		complaint ||= text;
	}, 1024);
	return platform.spawn({
		argv,
		onStdout: (chunk) => splitter.push(chunk),
		onStderr: (chunk) => errors.push(chunk),
		onExit: (status) => onEnd(describeExit(argv, status, complaint)),
	});
}
