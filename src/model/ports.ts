/** TCP (RFC 4271, section 8.2.1). */
export const BGP_PORT = 179;

/** TCP ports that the table covers: a listing stays readable, and no configuration makes it cover everything. */
export const MOST_PORTS = 16;

/** UDP; which one a session uses depends on whether the peers are on one link. */
export const BFD_PORTS = {
	/** RFC 5881, section 4. */
	singleHop: 3784,
	/** RFC 5881, section 4. */
	echo: 3785,
	/** RFC 5883, section 5. */
	multihop: 4784,
} as const;

/** Every UDP port of BFD. */
export const ALL_BFD_PORTS: readonly number[] = Object.values(BFD_PORTS);
