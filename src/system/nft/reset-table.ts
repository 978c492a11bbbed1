import { parseAddress } from "../../lib/address.ts";
import type { Mark } from "../../model/config.ts";
import type { Connection } from "../../model/connection.ts";

export interface ResetMarks {
	readonly bypassMark: Mark;
	readonly routeMark: Mark;
}

/**
 * A table that gives SYNs to the peers' ends of dead connections this router's BGP address and port as their source, and touches
 * nothing else. The peer, for which the connection is up, answers with a challenge ACK (RFC 5961, section 4.2); this router has
 * no such connection and answers that with the RST that ends it. `flags owner` alone: the kernel removes the table together
 * with the process that made it. NAT of its own comes before that of others (fw4: srcnat, 100), and past proxies the SYN gets as
 * BGP itself does.
 * @param connections of one transaction, each to a port of its own of its peer
 */
export function renderResetTable(
	name: string,
	connections: readonly Connection[],
	{ bypassMark, routeMark }: ResetMarks,
): string {
	const rules = (action: (connection: Connection) => string) =>
		connections.map((connection) => `\t\t${match(connection)} ${action(connection)}`);
	const marked = (chain: string, mark: Mark) =>
		mark === "keep"
			? []
			: [`\tchain ${chain}; policy accept;`, ...rules(() => `meta mark set ${mark}`), "\t}"];
	return [
		`table inet ${name} {`,
		"\tflags owner;",
		...marked("past {\n\t\ttype filter hook output priority -450", bypassMark),
		...marked("way {\n\t\ttype route hook output priority -90", routeMark),
		"\tchain source {",
		"\t\ttype nat hook postrouting priority 90; policy accept;",
		...rules(({ localAddress, localPort, peerAddress }) =>
			peerAddress.includes(":")
				? `snat ip6 to [${localAddress}]:${localPort}`
				: `snat ip to ${localAddress}:${localPort}`,
		),
		"\t}",
		"}",
		"",
	].join("\n");
}

function match({ peerAddress, peerPort }: Connection): string {
	const family = parseAddress(peerAddress)?.family === 6 ? "ip6" : "ip";
	return `${family} daddr ${peerAddress} tcp dport ${peerPort} tcp flags & (fin|syn|rst|ack) == syn`;
}
