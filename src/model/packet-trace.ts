/** A packet's way through the ruleset, as `nft monitor` traces it. See src/system/nft/trace-text.ts for the text. */

export type TcpFlag = "fin" | "syn" | "rst" | "ack";

export interface TracedPacket {
	readonly protocol: "tcp" | "udp";
	readonly iif?: string;
	readonly oif?: string;
	readonly source: string;
	readonly destination: string;
	readonly sourcePort: number;
	readonly destinationPort: number;
	/** Empty for UDP. */
	readonly flags: readonly TcpFlag[];
}

/** A rule that matched, or the end of a chain. */
export interface Hop {
	readonly family: string;
	readonly table: string;
	readonly chain: string;
	/** The rule as nft prints it, without its counter's values; absent at the end of a chain. */
	readonly rule?: string;
	/** Instead of it, where nft does not know the rule. */
	readonly handle?: number;
	/** `continue`, `accept`, `drop`, `jump`, `goto`, `return`, `queue`, `stolen`. */
	readonly verdict: string;
	/** Where `jump` and `goto` lead. */
	readonly target?: string;
	/** It is the chain's policy. */
	readonly policy?: boolean;
	/** The packet's mark, where nft prints it: at the end of a base chain, unless it is 0. */
	readonly mark?: number;
}

export interface PacketTrace {
	readonly id: string;
	/** When its first line came, monotonic milliseconds. */
	readonly at: number;
	readonly packet: TracedPacket;
	readonly hops: readonly Hop[];
}
