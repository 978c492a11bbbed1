import { LineSplitter } from "../../platform/lines.ts";
import { supervise } from "../../platform/supervise.ts";
import type { Platform } from "../../platform/types.ts";
import type { Actor } from "../../report/status.ts";
import { findActor } from "../process.ts";
import { MonitorParser, type Touch, type TracedPacket, type Transaction } from "./parse.ts";

/** A transaction that is not the daemon's own and that touched the table. */
export interface ForeignChange {
	readonly touch: Exclude<Touch, "none">;
	readonly actor: Actor;
}

export interface MonitorOptions {
	/** Name of the watched table, family inet. */
	readonly table: string;
	/** Whether a process is one of the daemon's own `nft`. */
	readonly isOwn: (pid: number) => boolean;
	/** What the daemon puts into a rule's comment while `knowsProcesses` is false. */
	readonly mark: string;
	/** A monitor was started; what happened before may have been missed. */
	readonly onStart: () => void;
	/** The monitor ended and comes back by itself. */
	readonly onEnd: (reason: string) => void;
	readonly onForeign: (change: ForeignChange) => void;
	/** The daemon's own transaction was seen: the monitor is alive and has told everything up to it. */
	readonly onOwn: () => void;
	readonly onPacket: (packet: TracedPacket) => void;
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
	/**
	 * Whether it has shown a process of the daemon's. In a container it never does: the kernel tells the ids that
	 * processes have outside. Then the mark has to serve.
	 */
	readonly knowsProcesses: boolean;
}

/** The daemon's eyes: one long-lived `nft monitor`, which sees every change to the ruleset and who made it. */
export function createMonitor(platform: Platform, options: MonitorOptions): Monitor {
	let knowsProcesses = false;
	let parser = new MonitorParser(options.table, options.mark);
	let splitter = new LineSplitter(() => {});
	let complained = false;

	const receive = (text: string, truncated: boolean) => {
		// Only sets with thousands of elements make such lines; their beginning tells the table.
		const item = parser.line(text);
		if (!item) return;
		if (item.kind === "transaction") transaction(item.transaction);
		else if (item.kind === "packet") options.onPacket(item.packet);
		else if (item.kind === "gap") options.onGap();
		else if (!complained) {
			complained = true;
			options.onGarbage(truncated ? "a line over 64 kB" : item.text);
		}
	};

	const transaction = ({ pid, process, touch, marked }: Transaction) => {
		if (options.isOwn(pid)) knowsProcesses = true;
		if (options.isOwn(pid) || (marked && !knowsProcesses)) options.onOwn();
		else if (touch !== "none") options.onForeign({ touch, actor: findActor(platform.files, pid, process) });
	};

	const process = supervise(platform, {
		argv: ["nft", "monitor"],
		backoff: { first: 100, longest: 10_000 },
		onStdout: (chunk) => splitter.push(chunk),
		onStart: () => {
			parser = new MonitorParser(options.table, options.mark);
			complained = false;
			splitter = new LineSplitter((line) => receive(line.text, line.truncated));
			options.onStart();
		},
		onEnd: options.onEnd,
	});
	return {
		start: process.start,
		stop: process.stop,
		replace: process.replace,
		get knowsProcesses() {
			return knowsProcesses;
		},
	};
}
