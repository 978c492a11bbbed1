import { BGP_PORT } from "../model/ports.ts";
import type { Ruleset } from "../model/ruleset.ts";
import type { Walk } from "./hit.ts";
import { type Packet, TCP_FLAGS } from "./packet.ts";
import { walk } from "./walk.ts";

const { syn: SYN = 0, ack: ACK = 0 } = TCP_FLAGS;

/** A peer, as far as packets to and from it depend on it. */
export interface Ends {
	readonly family: 4 | 6;
	/** The peer's address, 4 or 16 bytes. */
	readonly peer: readonly number[];
	/** The router's address that the session uses; absent: not known. */
	readonly local?: readonly number[];
	/** The router's interface towards the peer; absent: not known. */
	readonly interface?: string;
	/** TCP ports: the one the peer dials, and the one the router dials; absent: BGP's own. */
	readonly ports?: { readonly router: number; readonly peer: number };
}

/** The first two packets of a session. */
export interface Handshake {
	readonly syn: Walk;
	readonly answer: Walk;
}

/** The SYN of a peer that opens the session. */
export function peersSyn(ruleset: Ruleset, ends: Ends): Walk {
	const packet = { ...addresses(ends, "in"), destinationPort: routersPort(ends), flags: SYN };
	return walk(ruleset, { packet, direction: "in", ...via(ends), tracked: "new" });
}

/** The peer opens the session: its SYN comes in, the router's SYN-ACK goes out. */
export function peerOpens(ruleset: Ruleset, ends: Ends): Handshake {
	const outgoing = { ...addresses(ends, "out"), sourcePort: routersPort(ends), flags: SYN | ACK };
	const syn = peersSyn(ruleset, ends);
	const answer = walk(ruleset, { packet: outgoing, direction: "out", ...via(ends), tracked: reply(syn) });
	return { syn, answer };
}

/** The router opens it: its SYN goes out, the peer's SYN-ACK comes in. */
export function routerOpens(ruleset: Ruleset, ends: Ends): Handshake {
	const outgoing = { ...addresses(ends, "out"), destinationPort: peersPort(ends), flags: SYN };
	const incoming = { ...addresses(ends, "in"), sourcePort: peersPort(ends), flags: SYN | ACK };
	const syn = walk(ruleset, { packet: outgoing, direction: "out", ...via(ends), tracked: "new" });
	const answer = walk(ruleset, { packet: incoming, direction: "in", ...via(ends), tracked: reply(syn) });
	return { syn, answer };
}

/**
 * BFD's packets to the other end's port, from ports of the senders' own (RFC 5881 section 4). Each direction is a
 * connection of its own to conntrack.
 * @param port 3784 (single hop) or 4784 (multihop)
 */
export function bfdPackets(ruleset: Ruleset, ends: Ends, port: number): { incoming: Walk; outgoing: Walk } {
	const packet = (direction: "in" | "out"): Packet => ({
		...addresses(ends, direction),
		protocol: "udp",
		destinationPort: port,
	});
	const go = (direction: "in" | "out") =>
		walk(ruleset, { packet: packet(direction), direction, ...via(ends), tracked: "new" });
	return { incoming: go("in"), outgoing: go("out") };
}

/** An answer to a SYN that conntrack has not seen belongs to no connection: it is invalid, unless hidden as well. */
function reply({ state }: Walk): "established" | "invalid" {
	return state === "new" ? "established" : "invalid";
}

function routersPort({ ports }: Ends): number {
	return ports?.router ?? BGP_PORT;
}

function peersPort({ ports }: Ends): number {
	return ports?.peer ?? BGP_PORT;
}

function addresses({ family, peer, local }: Ends, direction: "in" | "out"): Packet {
	const own = local && (direction === "in" ? { destination: local } : { source: local });
	return {
		family,
		protocol: "tcp",
		...own,
		...(direction === "in" ? { source: peer } : { destination: peer }),
	};
}

function via(ends: Ends): { interface?: string } {
	return ends.interface === undefined ? {} : { interface: ends.interface };
}
