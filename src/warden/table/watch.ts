import type { Turn } from "../turn.ts";
import { firewallTick, look } from "./look-at-firewall.ts";
import { restored } from "./repair.ts";
import { install, list, settleInstall } from "./requests.ts";
import { watchedSince } from "./table-state.ts";

/** Without a monitor, the table is listed once in this many milliseconds. */
const UNWATCHED_PERIOD = 500;
/** A monitor younger than this may have missed the install because it was just starting, ms. */
const YOUNG = 2000;
/** A monitor that has not shown this many installs in a row is deaf, and not only slow under contention. */
const DEAF_AFTER = 3;

/** A new monitor does not know what happened before it: list, and install once, which it must show. */
export function watchStarted(turn: Turn): void {
	turn.table({ watch: { is: "on", since: turn.time, unproven: false } });
	turn.problem("watch", undefined);
	const { phase, loss, install: progress } = turn.state.table;
	if (phase !== "kept") return;
	look(turn, true);
	// What the old monitor did not show may be in place long since: an install decides, and proves the monitor as well.
	if (loss && progress.is !== "running") {
		install(turn);
		return;
	}
	turn.table({ watch: { is: "on", since: turn.time, unproven: true } });
	list(turn);
}

/** The kernel dropped monitor messages. */
export function watchGap(turn: Turn): void {
	if (turn.state.table.phase !== "kept") return;
	look(turn, true);
	list(turn);
}

/** @param paused no other monitor is started for some time */
export function watchEnded(turn: Turn, reason: string, paused = false): void {
	const ran = turn.time - (watchedSince(turn.state.table) ?? turn.time);
	turn.table({ watch: { is: "off", checkAt: turn.time + UNWATCHED_PERIOD } });
	if (paused)
		turn.problem("watch", `changes of the ruleset are noticed late for a minute: ${reason}`, "warn");
	else if (ran >= YOUNG) turn.log("warn", `${reason}; started again`);
	else turn.problem("watch", `cannot watch the ruleset: ${reason}`);
}

export function tableTick(turn: Turn): void {
	firewallTick(turn);
	const { watch, phase, loss } = turn.state.table;
	if (watch.is === "off" && watch.checkAt !== undefined && turn.time >= watch.checkAt) {
		turn.table({ watch: { is: "off", checkAt: turn.time + UNWATCHED_PERIOD } });
		if (phase === "kept" && !loss) list(turn);
	}
	const { install: progress } = turn.state.table;
	if (progress.is === "unconfirmed" && turn.time >= progress.due) notShown(turn);
	const { install: now } = turn.state.table;
	const at = now.is === "idle" ? now.at : now.is === "unconfirmed" ? now.again : undefined;
	if (at !== undefined && turn.time >= at) install(turn);
}

/** The monitor has not shown an install in time. */
function notShown(turn: Turn): void {
	const { loss, unshown = 0 } = turn.state.table;
	const misses = unshown + 1;
	const age = turn.time - (watchedSince(turn.state.table) ?? turn.time);
	settleInstall(turn);
	turn.table({ unshown: misses });
	const isDeaf = misses >= DEAF_AFTER;
	// Whoever waits for a deaf monitor waits for ever: the kernel has confirmed the install.
	if (loss && isDeaf) restored(turn);
	if ((loss && !isDeaf) || age < YOUNG) {
		install(turn);
		return;
	}
	// What it does not show may be another loss, which is not to wait for the next monitor.
	list(turn);
	turn.do({ type: "replace_watch", reason: "nft monitor does not show the daemon's own change" });
}
