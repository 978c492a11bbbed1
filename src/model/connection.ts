/** A TCP connection of a peer's to BGP on this router, as the peer has it: NAT may have made another one of it here. */
export interface Connection {
	/** The address and port that the peer dialed. Canonical text. */
	readonly localAddress: string;
	readonly localPort: number;
	/** The peer's end. */
	readonly peerAddress: string;
	readonly peerPort: number;
}
