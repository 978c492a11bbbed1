import { isInterfaceName, parseAddress } from "../../lib/address.ts";
import { within } from "../../lib/number.ts";
import { parsePrefix } from "../../lib/prefix.ts";
import type { BirdRoute, NextHop } from "../../model/service-path.ts";
import type { ReplyLine } from "./replies.ts";

/** A route's first line (nest/rt-show.c, rt_show_rte): the prefix only where it is another than that of the route above. */
const ROUTE =
	/^(\S*)\s+(\w{1,20}) \[([^\s\]]{1,80})[^\]]*\](?: ([*!]))?(?: \((\d{1,10})(?:\/[^)]{0,40})?\))?/;
const HOP = /^\t(?:via (\S+) on|dev) (\S+)/;
/** BIRD 2 and BIRD 3. */
const ANNOUNCED = /^\t(?:BGP\.next_hop|bgp_next_hop): (\S+)/;

/** `show route … all` of BIRD 2 and 3. What is no route to an IP prefix is left out. */
export function parseBirdRoutes(lines: readonly ReplyLine[]): BirdRoute[] {
	const routes: (BirdRoute & { nextHops: NextHop[]; announcedNextHop?: string })[] = [];
	let table = "";
	let prefix = "";
	/** The route that the lines below are about; none where it was left out. */
	let route: (typeof routes)[number] | undefined;
	for (const { text } of lines) {
		const named = /^Table (\S+):/.exec(text)?.[1];
		if (named !== undefined) {
			table = named;
			prefix = "";
			route = undefined;
			continue;
		}
		if (text.startsWith("\t")) {
			const [, via, device = ""] = HOP.exec(text) ?? [];
			const gateway = parseAddress(via ?? "")?.text;
			if (isInterfaceName(device) && (via === undefined || gateway !== undefined))
				route?.nextHops.push({ interface: device, ...(gateway === undefined ? {} : { gateway }) });
			const announced = parseAddress(ANNOUNCED.exec(text)?.[1] ?? "")?.text;
			if (route && announced !== undefined) route.announcedNextHop ??= announced;
			continue;
		}
		const [, net = "", kind = "", protocol = "", mark, digits] = ROUTE.exec(text) ?? [];
		route = undefined;
		if (kind === "") continue;
		if (net !== "") prefix = parsePrefix(net)?.text ?? "";
		if (prefix === "") continue;
		const preference = digits === undefined ? undefined : within(Number(digits));
		route = {
			...{ prefix, table, protocol, kind, best: mark === "*" },
			...(preference === undefined ? {} : { preference }),
			nextHops: [],
		};
		routes.push(route);
	}
	return routes;
}
