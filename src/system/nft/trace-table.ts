import { parseAddress } from "../../lib/address.ts";
import { ALL_BFD_PORTS } from "../../model/ports.ts";

/** The name without a process id behind it. */
export const TRACE_TABLE = "bgpwarden_trace";

/**
 * A table that has the kernel trace one peer's packets of BGP and BFD, and does nothing else to them. It comes before all
 * other chains of its hooks, connection tracking (priority -200) and `raw` (-300) among them, so that the whole way shows;
 * limits keep an established session from flooding the terminal. `flags owner` alone (kernel 5.12, nft 0.9.9), and
 * never with `persist`: the kernel removes the table together with the process that made it.
 * @param address the peer's, with or without a zone
 * @param ports TCP ports of BGP
 */
export function renderTraceTable(name: string, address: string, ports: readonly number[]): string {
	const { family, text } = parseAddress(address) ?? { family: 4, text: address };
	const ip = family === 6 ? "ip6" : "ip";
	return [
		`table inet ${name} {`,
		"\tflags owner;",
		...chain("arriving", "prerouting", `${ip} saddr ${text}`, ports),
		...chain("leaving", "output", `${ip} daddr ${text}`, ports),
		"}",
		"",
	].join("\n");
}

function chain(name: string, hook: string, peer: string, ports: readonly number[]): string[] {
	const bgp = `{ ${ports.join(", ")} }`;
	const rule = (match: string, limit: string) =>
		`\t\t${peer} ${match} limit rate ${limit} meta nftrace set 1 comment "bgpwarden trace"`;
	return [
		`\tchain ${name} {`,
		`\t\ttype filter hook ${hook} priority -450; policy accept;`,
		rule(`tcp flags & (fin|syn|rst) != 0 tcp dport ${bgp}`, "10/second burst 20 packets"),
		rule(`tcp flags & (fin|syn|rst) != 0 tcp sport ${bgp}`, "10/second burst 20 packets"),
		rule(`tcp flags & (fin|syn|rst) == 0 tcp dport ${bgp}`, "3/second burst 6 packets"),
		rule(`tcp flags & (fin|syn|rst) == 0 tcp sport ${bgp}`, "3/second burst 6 packets"),
		rule(`udp dport { ${ALL_BFD_PORTS.join(", ")} }`, "1/second burst 2 packets"),
		"\t}",
	];
}
