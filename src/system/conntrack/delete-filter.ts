import type { Flow } from "../../model/flow.ts";
import { ALL_BFD_PORTS, BGP_PORT } from "../../model/ports.ts";
import type { IsLocal } from "./local-addresses.ts";

/** BGP; BFD with one hop, its echo, and with several hops. */
const PORTS: Readonly<Record<Flow["protocol"], readonly number[]>> = {
	tcp: [BGP_PORT],
	udp: ALL_BFD_PORTS,
};

/** What a line must have in it to be worth parsing. */
const HINT = new RegExp(`[sd]port=(?:${[BGP_PORT, ...ALL_BFD_PORTS].join("|")})\\b`);

/** A cheap check of a line that may be one of ten thousand. */
export function mayBeStale(line: string): boolean {
	return HINT.test(line);
}

/**
 * A filter of conntrack(8) `-D` that deletes this flow and no other flow than stale ones, in whatever zone. Many flows have
 * the same filter, so that a port scan on 179 costs no more than one session.
 *
 * Stale are the BGP and BFD flows that end at this router: it began them, or they were sent to it. The original direction
 * decides: a redirected session still names the router there, and a session that the router only masquerades has the
 * router's address in the reply alone.
 * @returns undefined when the flow is not stale
 */
export function filterOf(flow: Flow, isLocal: IsLocal): string | undefined {
	const { original, reply } = flow;
	const end = isLocal(original.destination)
		? `--orig-dst ${original.destination}`
		: isLocal(original.source)
			? `--orig-src ${original.source}`
			: undefined;
	const ports = [
		["--orig-port-dst", original.destinationPort],
		["--orig-port-src", original.sourcePort],
		["--reply-port-src", reply.sourcePort],
		["--reply-port-dst", reply.destinationPort],
	] as const;
	const port = ports.find(([, number]) => PORTS[flow.protocol].includes(number));
	return end && port && `-f ${flow.family} -p ${flow.protocol} ${end} ${port.join(" ")}`;
}
