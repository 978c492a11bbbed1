import { type Address, isLinkLocal } from "../../lib/address.ts";
import { wholeNumber } from "../../lib/number.ts";
import type { Neighbor } from "../../model/inspection.ts";
import type { KernelRoute, NextHop, PolicyRule, Routed } from "../../model/service-path.ts";
import { runToEnd } from "../../platform/supervise.ts";
import type { Files, Platform } from "../../platform/types.ts";
import { parseNeighbors, parseNoRoute, parseRoute } from "./ip-text.ts";
import { parseMtus, parseRoutes, parseRules } from "./routes-text.ts";

/** Milliseconds until a program that does not end is killed. */
const PATIENCE = 3000;
/** Next hops that are sent a packet. */
const MOST_HOPS = 8;

/** What `ip` lists; absent: it could not be asked. */
export interface Listings {
	readonly routes?: readonly KernelRoute[];
	readonly rules?: readonly PolicyRule[];
	readonly mtus?: ReadonlyMap<string, number>;
}

/** Lists the routes that fit an address, the rules of policy routing and the interfaces. */
export async function listRouting(platform: Platform, { text, family }: Address): Promise<Listings> {
	const [routes, rules, links] = await Promise.all([
		ask(platform, ["ip", `-${family}`, "route", "show", "table", "all", "match", text]),
		ask(platform, ["ip", `-${family}`, "rule"]),
		ask(platform, ["ip", "-o", "link", "show"]),
	]);
	return {
		...(routes === undefined ? {} : { routes: parseRoutes(routes, family) }),
		...(rules === undefined ? {} : { rules: parseRules(rules) }),
		...(links === undefined ? {} : { mtus: parseMtus(links) }),
	};
}

/**
 * Asks the kernel how it would forward a packet (`ip route get … from … iif …`): with the rules for its source and its
 * interface, its check of the source (rp_filter), and whether it forwards at all.
 * @param packet.mark where rules of the firewall set one; busybox cannot ask with it
 * @returns undefined when it could not be asked
 */
export async function askForwarding(
	platform: Platform,
	packet: { readonly to: string; readonly from: string; readonly interface: string; readonly mark?: number },
): Promise<Routed | undefined> {
	const { to, from, interface: device, mark = 0 } = packet;
	const argv = ["ip", to.includes(":") ? "-6" : "-4", "route", "get", to, "from", from, "iif", device];
	if (mark !== 0) argv.push("mark", String(mark));
	const done = await runToEnd(platform, argv as [string, ...string[]], { timeout: PATIENCE, limit: 4096 });
	const refused = parseNoRoute(done.complaint);
	if (refused !== undefined) return { refused };
	const route = parseRoute(done.stdout);
	return route && { route };
}

/**
 * Sends each next hop one packet, so that the kernel finds out whether it is there, and reads its entry.
 * @param hops with a gateway; of others nothing is known
 * @returns by gateway
 */
export async function askNextHops(
	platform: Platform,
	hops: readonly NextHop[],
): Promise<Map<string, Neighbor | "none">> {
	const asked = hops.slice(0, MOST_HOPS);
	const found = new Map<string, Neighbor | "none">();
	await Promise.all(
		asked.map(({ gateway = "", interface: device }) => {
			const from = gateway.startsWith("fe80:") && device !== undefined ? ["-I", device] : [];
			return ask(platform, ["ping", "-c", "1", "-W", "1", ...from, gateway]);
		}),
	);
	for (const family of [4, 6] as const) {
		const own = asked.filter(({ gateway = "" }) => gateway.includes(":") === (family === 6));
		const listing = own.length > 0 ? await ask(platform, ["ip", `-${family}`, "neigh", "show"]) : undefined;
		if (listing === undefined) continue;
		const entries = parseNeighbors(listing);
		for (const { gateway = "", interface: device } of own) {
			const known = entries.get(gateway) ?? [];
			found.set(gateway, known.find((each) => each.interface === device) ?? known[0] ?? "none");
		}
	}
	return found;
}

/** Whether the router forwards packets of this family at all. */
export function forwards(files: Files, { family }: Pick<Address, "family">): boolean | undefined {
	const all = family === 4 ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding";
	const value = numberIn(files, `/proc/sys/net/${all}`);
	return value === undefined ? undefined : value > 0;
}

/**
 * How strictly the kernel checks the source of IPv4 packets that come in by an interface: 0 not at all, 1 they must come from
 * where it would send the answer, 2 it must have a route back (Documentation/networking/ip-sysctl.rst, rp_filter).
 */
export function reversePathFilter(files: Files, device: string): number | undefined {
	const values = ["all", device].flatMap(
		(name) => numberIn(files, `/proc/sys/net/ipv4/conf/${name}/rp_filter`) ?? [],
	);
	return values.length > 0 ? Math.max(...values) : undefined;
}

/** Whether what stays on a bridge passes the firewall all the same (br_netfilter, which Docker switches on). */
export function seesBridged(files: Files, device: string, family: 4 | 6): boolean {
	const name = family === 4 ? "bridge-nf-call-iptables" : "bridge-nf-call-ip6tables";
	return (
		numberIn(files, `/proc/sys/net/bridge/${name}`) === 1 &&
		files.status(`/sys/class/net/${device}/bridge`) !== undefined
	);
}

/** Whether hosts of a network with this address might be clients. */
export function holdsClients(network: Address): boolean {
	return !isLinkLocal(network) && network.bytes[0] !== 127;
}

function numberIn(files: Files, path: string): number | undefined {
	try {
		return wholeNumber(files.read(path).trim());
	} catch {
		return undefined;
	}
}

async function ask(platform: Platform, argv: readonly [string, ...string[]]): Promise<string | undefined> {
	const { status, stdout } = await runToEnd(platform, argv, { timeout: PATIENCE });
	return "code" in status && status.code === 0 ? stdout : undefined;
}
