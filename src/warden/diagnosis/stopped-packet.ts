import type { Diagnosis } from "../../model/diagnosis.ts";
import { serviceOfChain } from "../../model/known-programs.ts";
import type { Hop, PacketTrace } from "../../model/packet-trace.ts";
import { BFD_PORTS, BGP_PORT } from "../../model/ports.ts";
import { describeServices, describeTime } from "./evidence-text.ts";
import { describeHop, describeVerdict, describeWay, type PacketVerdict, zoneOf } from "./verdict.ts";
import { routersPort, type View } from "./view.ts";

/** A rule, of fw4's or of somebody else's, has stopped or diverted a packet: `blocked`, `hijacked`. @param whose the packet */
export function diagnoseVerdict(
	view: View,
	trace: PacketTrace,
	verdict: PacketVerdict,
	whose: string,
): Diagnosis | undefined {
	if (verdict.kind === "passed") return undefined;
	const { hop } = verdict;
	const seen = `its way: ${describeWay(trace)}`;
	const table = tableOf(hop);
	if (verdict.kind === "stopped" && hop.family === "inet" && hop.table === "fw4") {
		const zone = zoneOf(trace);
		const named = zone === undefined ? "" : ` (zone ${zone})`;
		return {
			id: "blocked",
			explanation: `the firewall ${verdict.effect === "reject" ? "rejects" : "drops"} ${whose} in chain ${hop.chain}${named}`,
			evidence: [`${describeHop(hop)}`, seen, ...describeServices(view)],
			remedy: adviseBlocked(view, zone),
			table,
		};
	}
	return {
		id: "hijacked",
		explanation: `${whose} is ${describeVerdict(verdict)}${describeOwner(view, hop)}`,
		evidence: [seen, ...describeLastChange(view, table), ...describeServices(view)],
		remedy: adviseBypass(view, table, ownerOf(view, hop)),
		table,
	};
}

/** What opens fw4 for the session. @param zone fw4's; undefined: not known */
export function adviseBlocked(view: View, zone: string | undefined): string {
	const port = routersPort(view);
	// With `zone` alone BGP's own port is opened.
	return zone === undefined || port !== BGP_PORT
		? `allow TCP port ${port} from the peer in /etc/config/firewall, and UDP ${BFD_PORTS.singleHop} and ${BFD_PORTS.multihop} for BFD`
		: `\`uci set bgpwarden.main.zone=${zone}; uci commit bgpwarden; service bgpwarden reload\` opens BGP and BFD in zone ${zone}`;
}

/** @param owner whoever made the rule. @param table `family name` */
export function adviseBypass(view: View, table: string, owner = changerOf(view, table)): string {
	const { neighborAddress, neighborRange } = view.record.peer;
	const who = neighborAddress ?? neighborRange ?? "the peer";
	return `have ${owner ?? "that program"} bypass ${who} and TCP port ${routersPort(view)}, by a rule before this one`;
}

/** @param table `family name` */
export function describeLastChange(view: View, table: string): string[] {
	const change = view.state.evidence.tables.get(table);
	return change
		? [`table ${table} was last changed at ${describeTime(view, change.at)} by ${change.by}`]
		: [];
}

/** `family name`. */
export function tableOf({ family, table }: Hop): string {
	return `${family} ${table}`;
}

function ownerOf(view: View, hop: Hop): string | undefined {
	return serviceOfChain(`${tableOf(hop)} ${hop.chain}`) ?? changerOf(view, tableOf(hop));
}

/** A table that nft itself made does not tell by whom. */
function changerOf(view: View, table: string): string | undefined {
	const changed = view.state.evidence.tables.get(table)?.by;
	return changed === "nft" ? undefined : changed;
}

function describeOwner(view: View, hop: Hop): string {
	const owner = ownerOf(view, hop);
	return owner === undefined ? "" : ` (service ${owner})`;
}
