import type { Mark } from "../../model/config.ts";
import type { Route } from "../../model/inspection.ts";
import { runToEnd } from "../../platform/supervise.ts";
import type { Platform } from "../../platform/types.ts";
import { parseNoRoute, parseRoute } from "./ip-text.ts";

/** An address that the router's BGP goes to. */
export interface RouteTarget {
	readonly address: string;
	/** Interface of a link-local address. */
	readonly zone?: string | undefined;
	/** `option route_mark`: the packet mark that the router's BGP has when its route is chosen. */
	readonly routeMark: Mark;
}

/** Milliseconds until an `ip` that does not end is killed. */
const TIMEOUT = 2000;

/**
 * Asks the kernel for its route to a peer (`ip route get`, of iproute2 or busybox), as the router's own BGP takes it: policy
 * rules may send packets with another mark another way.
 * @returns the route, or the kernel's words when it has none; nothing when it could not be asked
 */
export async function askRoute(
	platform: Platform,
	{ address, zone, routeMark }: RouteTarget,
): Promise<{ readonly route?: Route; readonly noRoute?: string }> {
	const family = address.includes(":") ? "-6" : "-4";
	const argv = [
		...["ip", family, "route", "get", address],
		...(zone === undefined ? [] : ["oif", zone]),
		...(routeMark === "keep" || routeMark === 0 ? [] : ["mark", String(routeMark)]),
	] as [string, ...string[]];
	const { stdout, complaint } = await runToEnd(platform, argv, { timeout: TIMEOUT, limit: 4096 });
	const noRoute = parseNoRoute(complaint);
	if (noRoute !== undefined) return { noRoute };
	const route = parseRoute(stdout);
	return route ? { route } : {};
}
