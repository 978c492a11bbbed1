import type { BirdPeer, BirdReading } from "../../model/bird.ts";
import type { BfdSession } from "./parse-bfd.ts";
import type { ProtocolPeer } from "./parse-protocols.ts";
import { parseSince } from "./since.ts";

/** What a peer was joined from, and what it came to. */
interface Joined {
	readonly protocol: ProtocolPeer;
	readonly session: BfdSession | undefined;
	readonly asked: boolean;
	readonly unreachable: number | undefined;
	readonly peer: BirdPeer;
}

/** Joins what BIRD's answers say. A peer about which they say the same as before is the same object. */
export class Joiner {
	private known: ReadonlyMap<string, Joined> = new Map();
	private peers: readonly BirdPeer[] = [];

	/**
	 * @param about BIRD's version, and when it took its configuration last, where it said so
	 * @param sessions undefined: BFD could not be asked
	 * @param unreachable routes that lead nowhere, by peer's name, as far as they are known
	 * @param now milliseconds since 1970
	 */
	join(
		about: { readonly version?: string | undefined; readonly configured?: string | undefined },
		protocols: readonly ProtocolPeer[],
		sessions: readonly BfdSession[] | undefined,
		unreachable: ReadonlyMap<string, number>,
		now: number,
	): BirdReading {
		const { version, configured } = about;
		const byAddress = new Map<string, BfdSession[]>();
		for (const session of sessions ?? []) {
			const known = byAddress.get(session.address);
			if (known) known.push(session);
			else byAddress.set(session.address, [session]);
		}
		const joined = new Map<string, Joined>();
		for (const protocol of protocols) {
			const { name } = protocol;
			const session = findSession(byAddress, protocol);
			const count = unreachable.get(name);
			const before = this.known.get(name);
			const same =
				before?.protocol === protocol &&
				before.session === session &&
				before.asked === (sessions !== undefined) &&
				before.unreachable === count;
			joined.set(
				name,
				same
					? before
					: {
							protocol,
							session,
							asked: sessions !== undefined,
							unreachable: count,
							peer: {
								...joinPeer(protocol, session, sessions !== undefined, now),
								...(count === undefined ? {} : { unreachable: count }),
							},
						},
			);
		}
		let { peers } = this;
		// The same peers in the same order are the same list.
		if (joined.size !== this.known.size || ![...joined].every(([name, one]) => one === this.known.get(name)))
			peers = [...joined.values()].map(({ peer }) => peer).sort((a, b) => (a.name < b.name ? -1 : 1));
		this.known = joined;
		this.peers = peers;
		return {
			...(version === undefined ? {} : { version }),
			...(configured === undefined ? {} : { configured }),
			peers,
		};
	}
}

/** One reading, joined by itself. */
export function joinReading(
	about: { readonly version?: string | undefined; readonly configured?: string | undefined },
	protocols: readonly ProtocolPeer[],
	sessions: readonly BfdSession[] | undefined,
	now: number,
): BirdReading {
	return new Joiner().join(about, protocols, sessions, new Map(), now);
}

function joinPeer(
	protocol: ProtocolPeer,
	session: BfdSession | undefined,
	asked: boolean,
	now: number,
): BirdPeer {
	const { multihop: _, sinceText, ...rest } = protocol;
	const since = sinceText === undefined ? undefined : parseSince(sinceText, now);
	const peer = since === undefined ? rest : { ...rest, since };
	if (!asked || peer.neighborAddress === undefined) return peer;
	return session ? { ...peer, bfd: session.state, bfdMode: session.mode } : { ...peer, bfd: "none" };
}

function findSession(
	sessions: ReadonlyMap<string, readonly BfdSession[]>,
	protocol: ProtocolPeer,
): BfdSession | undefined {
	const { multihop, neighborAddress = "", neighborInterface } = protocol;
	const found = (sessions.get(neighborAddress) ?? []).filter(
		({ mode, ...session }) =>
			neighborInterface === undefined || mode === "multihop" || session.interface === neighborInterface,
	);
	// Other protocols may ask for BFD with the same neighbor, in the other mode.
	const mode = multihop === undefined ? undefined : multihop ? "multihop" : "direct";
	return found.find((each) => each.mode === mode) ?? found[0];
}
