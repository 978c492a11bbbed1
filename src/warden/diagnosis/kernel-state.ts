import type { Diagnosis } from "../../model/diagnosis.ts";
import type { Flow } from "../../model/flow.ts";
import type { ConnectedNetwork, Route } from "../../model/inspection.ts";
import { configurationOf } from "../state.ts";
import { describeBird, describePeer, describeServices, describeTime } from "./evidence-text.ts";
import type { View } from "./view.ts";

const UNRESOLVED = new Set(["FAILED", "INCOMPLETE"]);

/** What the kernel knows about the path to the peer: `route-kind`, `peer-unreachable`. */
export function diagnoseKernel(view: View): Diagnosis | undefined {
	const { evidence, record } = view;
	const { inspection } = evidence;
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
	const elsewhere = route && diagnoseRoute(view, route);
	if (elsewhere) return elsewhere;
	const alive = record.peer.bfd === "up";
	if (neighbor !== undefined && neighbor !== "none" && UNRESOLVED.has(neighbor.state) && !alive) {
		const next = route?.gateway === undefined ? describePeer(record) : `the gateway ${route.gateway}`;
		return {
			id: "peer-unreachable",
			explanation: `${next} does not answer on ${neighbor.interface}: it is off, unplugged or has another address`,
			evidence: [`ip neigh: no answer on ${neighbor.interface}`, describeBird(record)],
			remedy: adviseUnreachable(view),
		};
	}
	return undefined;
}

function adviseUnreachable({ state, record }: View): string {
	const check = "check the node, its cable and its address";
	return configurationOf(state, record)
		? `${check}; where the node has another address, correct \`neighbor\` in protocol ${record.peer.name}`
		: check;
}

/** An interface's name says nothing: what counts is where the peer lives by all that says so. */
function diagnoseRoute(view: View, route: Route): Diagnosis | undefined {
	const { record, evidence } = view;
	const { network } = evidence.inspection ?? {};
	const connected = network === undefined || network === "none" ? undefined : network;
	const expected = expectedInterface(view, connected);
	const { interface: device, gateway, table: number } = route;
	const table = number === undefined ? "" : `, routing table ${number}`;
	const elsewhere = expected !== undefined && device !== expected.interface;
	const around = !elsewhere && connected?.interface === device && gateway !== undefined;
	if (!elsewhere && !around) return undefined;
	const why = elsewhere
		? `not ${expected.interface} (${expected.why})`
		: `although it is in ${connected?.prefix}`;
	const by = gateway === undefined ? "" : ` by way of ${gateway}`;
	return {
		id: "route-kind",
		explanation: `the router reaches ${describePeer(record)} through ${device}${around ? by : ""}, ${why}${table}`,
		evidence: [`ip route get: dev ${device}${by}${table}`, ...describeServices(view), describeBird(record)],
		remedy:
			number === "52"
				? "Tailscale accepts a route for the peer's own network: `tailscale set --accept-routes=false`, or `option route_mark '0x80000'` in /etc/config/bgpwarden"
				: around
					? `remove the route by way of ${gateway}, or whatever announces it`
					: `keep the peer's network out of ${device}: a more specific route or an \`ip rule\` before the one that sends it there`,
	};
}

/** Where the peer lives: what a person has written counts first, then the router's own networks, then where it was. */
function expectedInterface(
	view: View,
	connected: ConnectedNetwork | undefined,
): { readonly interface: string; readonly why: string } | undefined {
	const { state, record, evidence } = view;
	const option = state.settings.interfaces.get(record.peer.name);
	if (option !== undefined) return { interface: option, why: "option interface" };
	const said = configurationOf(state, record)?.interface ?? record.peer.neighborInterface;
	if (said !== undefined) return { interface: said, why: "bird.conf" };
	if (connected) return { interface: connected.interface, why: `it is in ${connected.prefix}` };
	const { usualInterface } = evidence;
	return usualInterface === undefined
		? undefined
		: { interface: usualInterface, why: "as in the last session" };
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
	const other = natTarget(flow, state.table.ports);
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

/** Where NAT sends a flow to a port of BGP; undefined where there is no NAT. */
function natTarget({ original, reply }: Flow, ports: readonly number[]): string | undefined {
	if (!ports.includes(original.destinationPort)) return undefined;
	if (reply.sourcePort !== original.destinationPort) return `port ${reply.sourcePort}`;
	return reply.source === original.destination ? undefined : reply.source;
}

function describeFlow({ protocol, state, original, reply, unreplied, mark }: Flow): string {
	const nat = reply.sourcePort === original.destinationPort ? "" : `, answered by port ${reply.sourcePort}`;
	const marked = mark === undefined ? "" : `, mark ${mark}`;
	return `${protocol} ${state ?? ""} ${original.source} port ${original.sourcePort} to ${original.destination} port ${original.destinationPort}${nat}${marked}${unreplied ? " [UNREPLIED]" : ""}`;
}
