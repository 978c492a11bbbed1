import { isInterfaceName, parseAddress } from "../../lib/address.ts";
import { within } from "../../lib/number.ts";
import { parsePrefix } from "../../lib/prefix.ts";
import type { KernelRoute, NextHop, PolicyRule } from "../../model/service-path.ts";

/** What a line of the listing may begin with (iproute2, lib/rt_names.c and ip/rtm_map.c: rtnl_rtntype_n2a). */
const KINDS: ReadonlySet<string> = new Set([
	"unicast",
	"local",
	"broadcast",
	"anycast",
	"multicast",
	"blackhole",
	"unreachable",
	"prohibit",
	"throw",
	"nat",
]);

/**
 * `ip route show table all match ADDRESS`, of iproute2 or busybox. Busybox tells neither the protocol nor several next hops.
 * @param family of the address: `default` has none of its own
 */
export function parseRoutes(text: string, family: 4 | 6): KernelRoute[] {
	const routes: KernelRoute[] = [];
	// Further next hops have lines of their own, which are indented.
	for (const line of text.replace(/\n[\t ]+/g, " ").split("\n")) {
		const words = line.trim().split(/\s+/);
		const kind = KINDS.has(words[0] ?? "") ? words.shift() : "unicast";
		const prefix = parsePrefix(destination(words.shift() ?? "", family));
		if (kind === undefined || prefix?.family !== family) continue;
		const [own = [], ...hops] = split(words);
		const protocol = after(own, "proto");
		routes.push({
			prefix: prefix.text,
			length: prefix.length,
			kind,
			table: after(own, "table") ?? "main",
			...(protocol === undefined ? {} : { protocol }),
			metric: within(Number(after(own, "metric") ?? 0)) ?? 0,
			nextHops: [own, ...hops].flatMap(nextHop),
		});
	}
	return routes;
}

function destination(word: string, family: 4 | 6): string {
	if (word !== "default") return word;
	return family === 4 ? "0.0.0.0/0" : "::/0";
}

/** The route's own words, and those of each `nexthop`. */
function split(words: readonly string[]): string[][] {
	const parts: string[][] = [[]];
	for (const word of words) {
		if (word === "nexthop") parts.push([]);
		else parts.at(-1)?.push(word);
	}
	return parts;
}

function nextHop(words: readonly string[]): NextHop[] {
	const device = after(words, "dev");
	const via = after(words, "via");
	const gateway = parseAddress((via === "inet6" || via === "inet" ? after(words, via) : via) ?? "")?.text;
	if (device === undefined || !isInterfaceName(device) || (via !== undefined && gateway === undefined))
		return [];
	return [{ interface: device, ...(gateway === undefined ? {} : { gateway }) }];
}

function after(words: readonly string[], word: string): string | undefined {
	const at = words.indexOf(word);
	return at < 0 ? undefined : words[at + 1];
}

/** `ip rule`, of iproute2 or busybox: `1001:	from 192.168.10.0/24 iif br-iot lookup 52`. */
export function parseRules(text: string): PolicyRule[] {
	return text.split("\n").flatMap((line) => {
		const [, priority, rest = ""] = /^(\d{1,10}):\s+(\S.*)$/.exec(line) ?? [];
		if (priority === undefined) return [];
		// Busybox says so of a rule that leads to no table.
		const words = rest.replace(/\blookup unspec\b/, "").trim();
		const table = /(?:^| )lookup (\S+)/.exec(words)?.[1];
		return [
			{
				priority: Number(priority),
				text: words.replace(/\s+/g, " "),
				...(table === undefined ? {} : { table }),
			},
		];
	});
}

/** `ip -o link show`: by interface, its MTU in bytes. */
export function parseMtus(text: string): ReadonlyMap<string, number> {
	const found = new Map<string, number>();
	for (const line of text.split("\n")) {
		const [, name = "", mtu] = /^\d+: ([^:@\s]+)(?:@\S+)?: <[^>]*> mtu (\d{1,9}) /.exec(line) ?? [];
		if (mtu !== undefined && isInterfaceName(name)) found.set(name, Number(mtu));
	}
	return found;
}
