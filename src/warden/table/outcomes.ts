import { retryDelay } from "../../lib/backoff.ts";
import { MOST_PORTS } from "../../model/ports.ts";
import { requestRestarts } from "../peers/restart.ts";
import type { Turn } from "../turn.ts";
import { requestFlush } from "./flush-requests.ts";
import { lost, ownTransaction } from "./repair.ts";
import { answer, install, list, scheduleInstall, settleInstall } from "./requests.ts";
import { tableAddresses } from "./table.ts";
import { scheduledInstall } from "./table-state.ts";

const INSTALL_RETRY = { first: 250, longest: 10_000 };
/**
 * Milliseconds in which the monitor must show an install that the kernel has confirmed; more after a miss, since the machine may be
 * busy. Never more than a table may be away: where no monitor shows anything, these installs are what brings it back.
 */
const SHOWN_WITHIN = { first: 500, longest: 750 };
/** The same while the table is known to be lost, so that nothing stays broken meanwhile. */
const SHOWN_WITHIN_LOST = { first: 250, longest: 750 };
/** This many different listings right after installs, and nft itself prints the table differently. */
const MISMATCH_LIMIT = 3;

/** nft has ended well. @param owned the kernel lets nobody else change the table */
export function installed(turn: Turn, owned = false): void {
	const { table, settings } = turn.state;
	const { install: progress } = table;
	const again = scheduledInstall(table);
	// A name that was given up while this ran is the next one's to remove.
	const removed = progress.is === "running" ? progress.former : [];
	const former = table.former.filter((name) => !removed.includes(name));
	turn.table({ present: true, failures: 0, phase: "kept", owned, installedAt: turn.time, former });
	turn.problem("install", undefined);
	if (progress.is === "running" && !progress.shown) {
		const patience = retryDelay(table.loss ? SHOWN_WITHIN_LOST : SHOWN_WITHIN, (table.unshown ?? 0) + 1);
		const due = turn.time + patience;
		turn.table({
			install: { is: "unconfirmed", due, ...(again === undefined ? {} : { again }) },
		});
		// Without a monitor nobody will show it; nft's end has to do.
		if (table.watch.is === "off") ownTransaction(turn);
	} else settleInstall(turn);
	if (table.phase === "installing" && table.before === undefined) {
		turn.log("info", `table inet ${settings.table} installed`);
		requestRestarts(turn);
	}
	if (owned && !table.owned) {
		const how = "bgpwarden release gives it up, and so does stopping the service";
		turn.log("info", `table inet ${settings.table} is owned: nobody else can change it (${how})`);
	}
	requestFlush(turn, []);
	if (again !== undefined && again <= turn.time) install(turn);
	else if (!turn.state.table.loss) list(turn);
}

export function installFailed(turn: Turn, reason: string): void {
	const { table, settings } = turn.state;
	const failures = table.failures + 1;
	turn.table({ install: { is: "idle" }, failures });
	if (!table.released) scheduleInstall(turn, turn.time + retryDelay(INSTALL_RETRY, failures));
	turn.problem("install", `table inet ${settings.table} cannot be installed: ${reason}`);
	answer(turn, false, reason);
}

/**
 * @param text the kernel's listing; undefined: there is no such table
 * @param peers the addresses that the listed table is for, with scope `peers`
 * @param ports the TCP ports of BGP that it covers
 */
export function listed(
	turn: Turn,
	text: string | undefined,
	peers: readonly string[],
	ports: readonly number[],
): void {
	const { table, settings } = turn.state;
	const name = `table inet ${settings.table}`;
	turn.table({ listing: "none", suspected: false, unlisted: undefined });
	if (table.phase === "starting") {
		turn.table({ phase: "installing", before: text, present: text !== undefined });
		// Until BIRD was read, the found table's peers stay in it: it may be the one that was loaded at boot.
		if (settings.scope === "peers" && text !== undefined)
			turn.table({ addresses: tableAddresses(turn, peers) });
		// So do its ports, until bird.conf was read.
		const known = [...new Set([...turn.state.table.ports, ...ports])].slice(0, MOST_PORTS);
		turn.table({ ports: known.sort((one, other) => one - other) });
		install(turn);
		return;
	}
	if (table.listing === "stale") {
		if (!table.loss && table.install.is !== "running") list(turn);
		return;
	}
	if (table.loss || table.install.is === "running") return;
	if (text === undefined) {
		turn.table({ present: false });
		lost(turn, { at: turn.time, reason: "deleted" });
	} else if (!table.reference) {
		compareWithBefore(turn, text);
		turn.table({ reference: { text, at: turn.time }, mismatches: 0, before: undefined });
		answer(turn, true, `${name} is in place`);
	} else if (table.reference.text === text) {
		turn.table({ mismatches: 0 });
		answer(turn, true, `${name} is in place`);
	} else if (!table.suspected) {
		// Once in some hundred times nft lists a chain twice while others change their tables: a second listing decides.
		turn.table({ suspected: true });
		list(turn);
		return;
	} else if (table.mismatches + 1 >= MISMATCH_LIMIT) {
		turn.log("warn", `nft now prints ${name} differently; using the new listing as the reference`);
		turn.table({ reference: { text, at: turn.time }, mismatches: 0 });
		answer(turn, true, `${name} is in place`);
	} else {
		turn.table({ mismatches: table.mismatches + 1 });
		lost(turn, { at: turn.time, reason: "changed" });
	}
	const { watch, loss } = turn.state.table;
	if (watch.is === "on" && watch.unproven && !loss) install(turn);
}

export function listFailed(turn: Turn, reason: string): void {
	const { phase, released, owned, loss, install: progress, unlisted = 0 } = turn.state.table;
	turn.table({ listing: "none", unlisted: unlisted + 1 });
	if (phase === "starting") {
		turn.table({ phase: "installing" });
		install(turn);
		return;
	}
	if (unlisted === 0) turn.log("warn", `table inet ${turn.state.settings.table} cannot be listed: ${reason}`);
	answer(turn, false, reason);
	// What the listing was to find may have happened: an install decides.
	if (released || owned || loss || progress.is === "running") return;
	if (scheduledInstall(turn.state.table) === undefined)
		scheduleInstall(turn, turn.time + retryDelay(INSTALL_RETRY, unlisted + 1));
}

/** At the first listing: did the daemon find another table than it wanted? */
function compareWithBefore(turn: Turn, text: string): void {
	const { before } = turn.state.table;
	if (before === undefined || before === text) return;
	turn.log("info", `found table inet ${turn.state.settings.table} in another form; replaced it`);
	requestRestarts(turn);
}
