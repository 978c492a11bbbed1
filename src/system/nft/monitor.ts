import { LineSplitter } from "../../lib/lines.ts";
import type { Actor } from "../../model/actor.ts";
import type { PacketTrace, TracedPacket } from "../../model/packet-trace.ts";
import { supervise } from "../../platform/supervise.ts";
import type { Platform, Timer } from "../../platform/types.ts";
import { findActor, hasOtherIds } from "../kernel/actor.ts";
import { healthOf } from "./monitor-health.ts";
import { MonitorParser, type Touch, type Transaction } from "./monitor-text.ts";
import { isTraceLine, parseTraceLine, TraceCollector } from "./trace-text.ts";

/** Milliseconds without another line after which a packet's trace counts as complete. */
const TRACE_QUIET = 40;

/**
 * A monitor for which messages wait for this many ms while it says nothing is stuck; on a busy machine it may be slow, and another
 * one would be slower still.
 */
const STUCK_AFTER = 3000;

/**
 * Lines about traced packets, and ms in which they come, that are not the daemon's own doing: it has some ten packets a second
 * traced. Whoever traces all of a router's packets would have it read nothing else: for some time it looks at the table itself.
 */
const TRACE_FLOOD = { lines: 5000, within: 2000, pause: 60_000 } as const;

/** A transaction that is not the daemon's own and that touched the table. */
export interface ForeignChange {
	readonly touch: Exclude<Touch, "none">;
	readonly actor: Actor;
}

/** A transaction that is not the daemon's own and that touched other tables, `family name`. */
export interface OtherChange extends Pick<Transaction, "tables" | "firewall"> {
	readonly actor: Actor;
}

export interface MonitorOptions {
	/** Name of the watched table, family inet. */
	readonly table: string;
	/** Whether a process is one of the daemon's own `nft`. */
	readonly isOwn: (pid: number) => boolean;
	/** What the daemon puts into a rule's comment while `knowsProcesses` is false. */
	readonly mark: () => string;
	/** A monitor was started; what happened before may have been missed. */
	readonly onStart: () => void;
	/** The monitor ended and comes back by itself. @param paused not before some time has passed */
	readonly onEnd: (reason: string, paused: boolean) => void;
	readonly onForeign: (change: ForeignChange) => void;
	/** The daemon's own transaction was seen: the monitor is alive and has told everything up to it. */
	readonly onOwn: (pid: number) => void;
	/** Somebody else's transaction changed rules of other tables. */
	readonly onOthers: (change: OtherChange) => void;
	/** A packet is on its way through the ruleset. */
	readonly onPacket: (packet: TracedPacket) => void;
	/** The ways of packets are complete. */
	readonly onTraces: (traces: readonly PacketTrace[]) => void;
	/** The kernel dropped messages. */
	readonly onGap: () => void;
	/** Output that nft monitor does not print; called once a run of it. */
	readonly onGarbage: (text: string) => void;
}

export interface Monitor {
	start(): void;
	stop(): void;
	/** Starts another monitor in its place: this one has gone deaf. */
	replace(reason: string): void;
	/** Looks whether it still listens, and replaces it if it does not. */
	check(): void;
	/**
	 * Whether it has shown a process of the daemon's. In a container it never does: the kernel tells the ids that
	 * processes have outside. Then the mark has to serve.
	 */
	readonly knowsProcesses: boolean;
}

/** One long-lived `nft monitor`, which shows every change of the ruleset and who made it. */
export function createMonitor(platform: Platform, options: MonitorOptions): Monitor {
	/** In a container a foreign process may by chance have the number of one of the daemon's. */
	let contained = false;
	let knowsProcesses = false;
	let parser = new MonitorParser(options.table, "");
	let splitter = new LineSplitter(() => {});
	let complained = false;
	let traces = new TraceCollector();
	let timer: Timer | undefined;
	/** Since when messages wait for it at each look, and it has said nothing; monotonic ms. */
	let behindSince: number | undefined;

	/** Lines about traced packets since then, monotonic ms. */
	let traced = { since: 0, lines: 0 };

	const isFlood = () => {
		// A clock for each line would cost as much as the line.
		if (++traced.lines < TRACE_FLOOD.lines) return false;
		const now = platform.now().monotonic;
		const fast = now - traced.since < TRACE_FLOOD.within;
		traced = { since: now, lines: 0 };
		return fast;
	};

	const trace = (text: string) => {
		if (isFlood())
			return process.replace("somebody traces too many packets to be followed", TRACE_FLOOD.pause);
		const line = parseTraceLine(text);
		// A person may trace all of a peer's packets: only handshakes and ends of sessions are evidence.
		if (line?.kind === "packet" && line.packet.flags.every((flag) => flag === "ack")) return;
		const packet = line && traces.line(line, platform.now().monotonic);
		if (packet) options.onPacket(packet);
		if (traces.busy) timer ??= platform.after(TRACE_QUIET, collect);
	};

	const collect = () => {
		timer = undefined;
		const done = traces.drain(platform.now().monotonic, TRACE_QUIET);
		if (traces.busy) timer = platform.after(TRACE_QUIET, collect);
		if (done.length > 0) options.onTraces(done);
	};

	const receive = (text: string, truncated: boolean) => {
		if (isTraceLine(text)) return trace(text);
		// Only sets with thousands of elements make such lines; their beginning tells the table.
		const item = parser.line(text);
		if (!item) return;
		if (item.kind === "transaction") transaction(item.transaction);
		else if (item.kind === "gap") options.onGap();
		else if (!complained) {
			complained = true;
			options.onGarbage(truncated ? "a line over 64 kB" : item.text);
		}
	};

	const transaction = ({ pid, process, touch, marked, tables, firewall }: Transaction) => {
		if (!contained && options.isOwn(pid)) knowsProcesses = true;
		if (knowsProcesses ? options.isOwn(pid) : marked) return options.onOwn(pid);
		const others = tables.filter((table) => table !== `inet ${options.table}`);
		if (touch === "none" && others.length === 0) return;
		const actor = contained ? { process } : findActor(platform.files, pid, process);
		if (touch !== "none") options.onForeign({ touch, actor });
		if (others.length > 0) options.onOthers({ tables: others, actor, ...(firewall ? { firewall } : {}) });
	};

	const process = supervise(platform, {
		argv: ["nft", "monitor"],
		urgent: true,
		backoff: { first: 100, longest: 10_000 },
		onStdout: (chunk) => {
			behindSince = undefined;
			splitter.push(chunk);
		},
		onStart: () => {
			behindSince = undefined;
			contained = hasOtherIds(platform.files);
			parser = new MonitorParser(options.table, options.mark());
			complained = false;
			traces = new TraceCollector();
			splitter = new LineSplitter((line) => receive(line.text, line.truncated));
			options.onStart();
		},
		onEnd: (reason, delay) => options.onEnd(reason, delay >= TRACE_FLOOD.pause),
	});
	return {
		start: process.start,
		stop: () => {
			timer?.cancel();
			timer = undefined;
			process.stop();
		},
		replace: process.replace,
		check() {
			const pid = process.child?.pid;
			if (pid === undefined) return;
			const health = healthOf(platform.files, pid);
			const now = platform.now().monotonic;
			behindSince = health === "behind" ? (behindSince ?? now) : undefined;
			if (health === "stopped") process.replace("nft monitor is stopped");
			else if (behindSince !== undefined && now - behindSince >= STUCK_AFTER)
				process.replace("nft monitor does not go on");
		},
		get knowsProcesses() {
			return knowsProcesses;
		},
	};
}
