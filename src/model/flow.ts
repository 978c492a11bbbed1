/** Addresses and ports of one direction; addresses in canonical text. */
export interface Tuple {
	readonly source: string;
	readonly destination: string;
	readonly sourcePort: number;
	readonly destinationPort: number;
}

/** A TCP or UDP entry of the connection tracking table. */
export interface Flow {
	readonly family: "ipv4" | "ipv6";
	readonly protocol: "tcp" | "udp";
	/** TCP's, e.g. `ESTABLISHED`. */
	readonly state?: string;
	readonly unreplied: boolean;
	readonly assured: boolean;
	/** Firewall mark of the connection; absent: 0, or the kernel does not show it. */
	readonly mark?: number;
	/** Absent: the default zone. */
	readonly zone?: number;
	/** As its first packet was. */
	readonly original: Tuple;
	/** As an answer is expected: not the original's mirror where NAT has its hand in. */
	readonly reply: Tuple;
}
