import { tableSpec } from "../../model/table.ts";
import type { Turn } from "../turn.ts";
import { mayOwn } from "./firewall.ts";
import type { InstallProgress } from "./table-state.ts";

/** Starts an install, unless the table was released; after the running one, if there is one. */
export function install(turn: Turn): void {
	const { addresses, ports, traced, former, released, listing, watch, install: progress } = turn.state.table;
	if (released) {
		cancelScheduled(turn);
		return;
	}
	if (progress.is === "running") {
		// One after the other, or a listing after the first would be taken for what the second has made.
		scheduleInstall(turn, turn.time);
		return;
	}
	const own = mayOwn(turn.state.table.firewall, turn.time);
	turn.table({
		install: { is: "running", shown: false, former },
		withheld: !own,
		listing: listing === "none" ? "none" : "stale",
		...(watch.is === "on" ? { watch: { ...watch, unproven: false } } : {}),
	});
	const { settings } = turn.state;
	turn.do({
		type: "install",
		spec: tableSpec(settings, addresses, ports, traced),
		former,
		...(own ? {} : { own }),
	});
}

/** @param at monotonic ms */
export function scheduleInstall(turn: Turn, at: number): void {
	const { install: progress } = turn.state.table;
	turn.table({ install: progress.is === "idle" ? { is: "idle", at } : { ...progress, again: at } });
}

/** No install waits for its time any more. */
export function cancelScheduled(turn: Turn): void {
	turn.table({ install: withoutNext(turn.state.table.install) });
}

function withoutNext(progress: InstallProgress): InstallProgress {
	if (progress.is === "idle") return { is: "idle" };
	const { again: _, ...rest } = progress;
	return rest;
}

/** The install is over and known to be in force; the next one may wait for its time. */
export function settleInstall(turn: Turn): void {
	const { install: progress } = turn.state.table;
	if (progress.is === "idle") return;
	turn.table({
		install: progress.again === undefined ? { is: "idle" } : { is: "idle", at: progress.again },
	});
}

/** Asks for the kernel's listing of the table. */
export function list(turn: Turn): void {
	if (turn.state.table.listing !== "none") {
		turn.table({ listing: "stale" });
		return;
	}
	turn.table({ listing: "running" });
	turn.do({ type: "list" });
}

/** Answers the `ensure` commands that wait. */
export function answer(turn: Turn, ok: boolean, text: string): void {
	turn.reply(turn.state.table.waiting, ok, text);
	turn.table({ waiting: [] });
}
