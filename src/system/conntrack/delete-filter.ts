import type { Connection } from "../../model/connection.ts";
import type { Flow } from "../../model/flow.ts";
import { ALL_BFD_PORTS } from "../../model/ports.ts";
import type { IsLocal } from "../kernel/local-addresses.ts";

/** A cheap check of a line that may be one of ten thousand: what it must have in it to be worth parsing. @param ports TCP ports of BGP */
export function staleHint(ports: readonly number[]): RegExp {
	return new RegExp(`[sd]port=(?:${[...ports, ...ALL_BFD_PORTS].join("|")})\\b`);
}

/**
 * A filter of conntrack(8) `-D` that deletes this flow and no other flow than stale ones, in whatever zone. Many flows have
 * the same filter, so that a port scan on 179 costs no more than one session.
 *
 * Stale are the BGP and BFD flows that end at this router: it began them, or they were sent to it. The original direction
 * decides: a redirected session still names the router there, and a session that the router only masquerades has the
 * router's address in the reply alone. A port of the reply counts where the router is that end: it may forward another port to
 * BGP's on a node.
 * @param ports TCP ports of BGP
 * @returns undefined when the flow is not stale
 */
export function filterOf(flow: Flow, isLocal: IsLocal, ports: readonly number[]): string | undefined {
	const { original, reply } = flow;
	if (isReset(flow, isLocal, ports)) return undefined;
	const end = isLocal(original.destination)
		? `--orig-dst ${original.destination}`
		: isLocal(original.source)
			? `--orig-src ${original.source}`
			: undefined;
	const wanted = flow.protocol === "tcp" ? ports : ALL_BFD_PORTS;
	const ends = [
		["--orig-port-dst", original.destinationPort],
		["--orig-port-src", original.sourcePort],
		...(isLocal(reply.source) ? [["--reply-port-src", reply.sourcePort] as const] : []),
		...(isLocal(reply.destination) ? [["--reply-port-dst", reply.destinationPort] as const] : []),
	] as const;
	const port = ends.find(([, number]) => wanted.includes(number));
	return end && port && `-f ${flow.family} -p ${flow.protocol} ${end} ${port.join(" ")}`;
}

/** A SYN of our own that was given BGP's port as its source (see `renderResetTable`): nobody else's NAT does that. */
function isReset({ protocol, original, reply }: Flow, isLocal: IsLocal, ports: readonly number[]): boolean {
	const begins = [original.sourcePort, original.destinationPort].some((port) => ports.includes(port));
	return protocol === "tcp" && !begins && isLocal(original.source) && ports.includes(reply.destinationPort);
}

/** States of a TCP entry in which the host that dialed takes itself for connected (net/netfilter/nf_conntrack_proto_tcp.c). */
const CONNECTED: ReadonlySet<string | undefined> = new Set([
	undefined,
	"ESTABLISHED",
	"CLOSE_WAIT",
	"FIN_WAIT",
]);

/** The connection to BGP on this router that an entry stands for, as the host that dialed has it; undefined: it is none. */
export function connectionOf(flow: Flow, isLocal: IsLocal, ports: readonly number[]): Connection | undefined {
	const { source, destination, sourcePort, destinationPort } = flow.original;
	if (flow.protocol !== "tcp" || !CONNECTED.has(flow.state)) return undefined;
	if (!isLocal(destination) || !ports.includes(destinationPort)) return undefined;
	return {
		localAddress: destination,
		localPort: destinationPort,
		peerAddress: source,
		peerPort: sourcePort,
	};
}
