import type { FirewallState } from "./table-state.ts";

/** A table of fw4's that has been missing this long, ms, is not awaited where the firewall has been disabled meanwhile. */
const AWAITED = 300_000;

/**
 * Whether the table may have an owner. A transaction that touches an owned table fails as a whole: if it is fw4's, the router
 * is left without a firewall. So the table has none while a file of fw4's names it, and while fw4's table is missing, since
 * fw4's next start must succeed whatever is in it. Without an owner the table is repaired all the same.
 * @param time monotonic ms
 */
export function mayOwn(firewall: FirewallState, time: number): boolean {
	const { includes, ownAt } = firewall;
	return includes.length === 0 && !isAwaited(firewall, time) && (ownAt === undefined || time >= ownAt);
}

/** Whether fw4's table is missing and likely to come back: where a person has disabled the firewall it is not. */
export function isAwaited({ missing, meant }: FirewallState, time: number): boolean {
	return missing !== undefined && (meant !== undefined || time < missing.since + AWAITED);
}
