/** A session came up or was lost. Times in ms since 1970. */
export interface Change {
	readonly at: number;
	readonly protocol: string;
	readonly up: boolean;
}

/**
 * BIRD's log of its protocols' states (`debug protocols { states }`, nest/proto.c, `proto_log_state_change`), BIRD 2 and 3:
 * `2026-11-29 04:50:11.123 [0001] <TRACE> k8s: State changed to up`. A BGP protocol is up while it is Established.
 */
const LINE =
	/^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3}) (?:\[\d+\] )?<TRACE> ([\w-]+): State changed to (\w+)$/gm;
/** The others of the lab's configurations. */
const NO_SESSION = /^(?:device|kernel|direct|bfd|static|pipe|ospf|rip)\d*$/;

/** When BGP sessions came up and were lost, the oldest first. @param log the text of BIRD's log, in UTC */
export function changes(log: string): Change[] {
	const found: Change[] = [];
	const up = new Set<string>();
	for (const [, day, time, protocol = "", state] of log.matchAll(LINE)) {
		if (NO_SESSION.test(protocol) || up.has(protocol) === (state === "up")) continue;
		if (state === "up") up.add(protocol);
		else up.delete(protocol);
		found.push({ at: Date.parse(`${day}T${time}Z`), protocol, up: state === "up" });
	}
	return found;
}

/** BFD's detection time with the lab's intervals is 1.1 s; and the dial after it. In ms. */
const ONE_FLAP = 2000;

/** How often a session was lost from then on. @param ended when its cause's end began */
export function lossesSince(seen: readonly Change[], since: number, ended: number): number {
	const losses = seen.filter(({ at, up }) => !up && at >= since).length;
	return cameInTwoGoes(seen, ended) ? losses - 1 : losses;
}

/**
 * Whether the outage ended in two goes, which count as one coming back. A restart in BIRD makes BFD flap, which FRR sees after
 * its detection time. Where a dial of FRR's own arrives within that second, its session falls with BFD, and FRR dials anew at
 * once. FRR's BFD session, which it makes anew as it dials, does the same without a daemon. Once only, after the cause's end,
 * and at the last: a session that goes on being lost counts each time.
 */
function cameInTwoGoes(seen: readonly Change[], ended: number): boolean {
	const [first, lost, again] = seen.slice(-3);
	if (!first?.up || !lost || !again || first.at < ended) return false;
	return lost.at - first.at <= ONE_FLAP && again.at - lost.at <= ONE_FLAP;
}

/** Since when a session is up, if it is. */
export function upSince(seen: readonly Change[]): number | undefined {
	const last = seen.at(-1);
	return last?.up ? last.at : undefined;
}

/** Milliseconds from the last loss to the last coming up; 0: none since then, or it is down. */
export function lastOutage(seen: readonly Change[], since: number): number {
	const [lost, up] = seen.slice(-2);
	return lost && up?.up && lost.at >= since ? up.at - lost.at : 0;
}
