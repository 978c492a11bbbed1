import type { BirdPeer, BirdReading } from "../../model/bird.ts";
import type { BfdSession } from "./parse-bfd.ts";
import type { ProtocolPeer } from "./parse-protocols.ts";
import { parseSince } from "./since.ts";

/**
 * Joins what BIRD's answers say.
 * @param about BIRD's version, and when it took its configuration last, where it said so
 * @param sessions undefined: BFD could not be asked
 * @param now milliseconds since 1970
 */
export function joinReading(
	about: { readonly version?: string | undefined; readonly configured?: string | undefined },
	protocols: readonly ProtocolPeer[],
	sessions: readonly BfdSession[] | undefined,
	now: number,
): BirdReading {
	const { version, configured } = about;
	return {
		...(version === undefined ? {} : { version }),
		...(configured === undefined ? {} : { configured }),
		peers: protocols
			.map((protocol) => joinPeer(protocol, sessions, now))
			.sort((a, b) => (a.name < b.name ? -1 : 1)),
	};
}

function joinPeer(
	protocol: ProtocolPeer,
	sessions: readonly BfdSession[] | undefined,
	now: number,
): BirdPeer {
	const { multihop, sinceText, ...rest } = protocol;
	const since = sinceText === undefined ? undefined : parseSince(sinceText, now);
	const peer = since === undefined ? rest : { ...rest, since };
	if (!sessions || peer.neighborAddress === undefined) return peer;
	const found = sessions.filter((session) => isWith(session, protocol));
	// Other protocols may ask for BFD with the same neighbor, in the other mode.
	const mode = multihop === undefined ? undefined : multihop ? "multihop" : "direct";
	const session = found.find((each) => each.mode === mode) ?? found[0];
	return session ? { ...peer, bfd: session.state, bfdMode: session.mode } : { ...peer, bfd: "none" };
}

function isWith(session: BfdSession, { neighborAddress, neighborInterface }: ProtocolPeer): boolean {
	if (session.address !== neighborAddress) return false;
	return (
		neighborInterface === undefined || session.mode === "multihop" || session.interface === neighborInterface
	);
}
