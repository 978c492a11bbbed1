import type { Diagnosis } from "../../model/diagnosis.ts";
import type { Flow } from "../../model/flow.ts";
import { isTunnel } from "../../model/known-programs.ts";
import { BGP_PORT } from "../../model/ports.ts";
import { describeBird, describePeer, describeServices, describeTime } from "./evidence-text.ts";
import type { View } from "./view.ts";

const UNRESOLVED = new Set(["FAILED", "INCOMPLETE"]);

/** What the kernel knows about the path to the peer: `route-kind`, `peer-unreachable`. */
export function diagnoseKernel(view: View): Diagnosis | undefined {
	const { evidence, record } = view;
	const { inspection, usualInterface } = evidence;
	if (!inspection) return undefined;
	const { route, noRoute, neighbor } = inspection;
	if (noRoute !== undefined) {
		return {
			id: "peer-unreachable",
			explanation: `the router has no route to ${describePeer(record)}: ${noRoute}`,
			evidence: [`ip route get: ${noRoute}`, describeBird(record)],
			remedy: "bring up the interface that leads to the peer, or add a route to it",
		};
	}
	const expected = view.state.settings.interfaces[record.peer.name] ?? usualInterface;
	const device = route?.interface;
	const elsewhere = device !== undefined && expected !== undefined && device !== expected;
	const tunnelled = device !== undefined && expected === undefined && isTunnel(device);
	if (elsewhere || tunnelled) {
		const table = route?.table === undefined ? "" : `, routing table ${route.table}`;
		const usual = expected === undefined ? "" : `, not ${expected}`;
		return {
			id: "route-kind",
			explanation: `the router reaches ${describePeer(record)} through ${device}${usual}${table}`,
			evidence: [`ip route get: dev ${device}${table}`, ...describeServices(view), describeBird(record)],
			remedy:
				route?.table === "52"
					? "Tailscale accepts a route for the peer's own network: `tailscale set --accept-routes=false`, or `option route_mark '0x80000'` in /etc/config/bgpwarden"
					: `keep the peer's network out of ${device}: a more specific route or an \`ip rule\` before the one that sends it there`,
		};
	}
	const alive = record.peer.bfd === "up";
	if (neighbor !== undefined && neighbor !== "none" && UNRESOLVED.has(neighbor.state) && !alive) {
		const next = route?.gateway === undefined ? describePeer(record) : `the gateway ${route.gateway}`;
		return {
			id: "peer-unreachable",
			explanation: `${next} does not answer on ${neighbor.interface}: it is off, unplugged or has another address`,
			evidence: [`ip neigh: no answer on ${neighbor.interface}`, describeBird(record)],
			remedy: "check the node, its cable and its address; nothing on this router can fix it",
		};
	}
	return undefined;
}

/** conntrack tracks the session although it should not: `tracked`, or `hijacked` where NAT redirects it. */
export function diagnoseTracking(view: View): Diagnosis | undefined {
	const { evidence, record, state } = view;
	const { tracked, inspection } = evidence;
	const flow = inspection?.flows?.[0];
	// One inspection may have been just before the flush.
	if (!tracked || tracked.inspections < 2 || !flow) return undefined;
	const table =
		state.table.present && !state.problems.install
			? "although the table is in place"
			: "because the table is not in place";
	const other = natTarget(flow);
	const lines = [
		`conntrack: ${describeFlow(flow)}`,
		`seen since ${describeTime(view, tracked.since)}`,
		...Object.values(state.problems),
		describeBird(record),
	];
	const remedy = `use the name of table inet ${state.settings.table} for nothing else; \`bgpwarden status\` shows why it cannot be installed`;
	if (other !== undefined) {
		return {
			id: "hijacked",
			explanation: `NAT redirects BGP of ${describePeer(record)} to ${other}, ${table}`,
			evidence: lines,
			remedy,
		};
	}
	return {
		id: "tracked",
		explanation: `conntrack still tracks the session of ${describePeer(record)}, ${table}`,
		evidence: lines,
		remedy,
	};
}

/** Where NAT sends a flow to port 179; undefined where there is no NAT. */
function natTarget({ original, reply }: Flow): string | undefined {
	if (original.destinationPort !== BGP_PORT) return undefined;
	if (reply.sourcePort !== BGP_PORT) return `port ${reply.sourcePort}`;
	return reply.source === original.destination ? undefined : reply.source;
}

function describeFlow({ protocol, state, original, reply, unreplied, mark }: Flow): string {
	const nat = reply.sourcePort === original.destinationPort ? "" : `, answered by port ${reply.sourcePort}`;
	const marked = mark === undefined ? "" : `, mark ${mark}`;
	return `${protocol} ${state ?? ""} ${original.source} port ${original.sourcePort} to ${original.destination} port ${original.destinationPort}${nat}${marked}${unreplied ? " [UNREPLIED]" : ""}`;
}
