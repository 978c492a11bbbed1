import { runToEnd } from "../../platform/supervise.ts";
import type { Platform } from "../../platform/types.ts";
import { parseRoute } from "./ip-text.ts";

/** How the kernel reaches an address. */
export interface Route {
	readonly interface: string;
	/** Next hop; absent: the address is on the link. */
	readonly gateway?: string;
	/** The router's own address that it would send from. */
	readonly source?: string;
}

/** Milliseconds until an `ip` that does not end is killed. */
const PATIENCE = 2000;

/**
 * Asks the kernel for its route to an address (`ip route get`, of iproute2 or busybox).
 * @param zone interface of a link-local address
 * @returns undefined where there is none, or no `ip`
 */
export async function askRoute(
	platform: Platform,
	address: string,
	zone?: string,
): Promise<Route | undefined> {
	const family = address.includes(":") ? "-6" : "-4";
	const through = zone === undefined ? [] : ["oif", zone];
	const { stdout } = await runToEnd(platform, ["ip", family, "route", "get", address, ...through], {
		timeout: PATIENCE,
		limit: 4096,
	});
	return readRoute(stdout);
}

/** e.g. `192.168.1.2 dev br-lan src 192.168.1.1 uid 0`. @returns undefined when it is no route */
export function readRoute(text: string): Route | undefined {
	const route = parseRoute(text);
	if (route?.device === undefined) return undefined;
	const source = / src (\S+)/.exec(text.split("\n", 1)[0] ?? "")?.[1];
	return {
		interface: route.device,
		...(route.gateway === undefined ? {} : { gateway: route.gateway }),
		...(source === undefined ? {} : { source }),
	};
}
