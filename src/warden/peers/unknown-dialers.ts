import { prefixContains } from "../../lib/prefix.ts";
import type { UnknownDialer, WardenState } from "../state.ts";
import type { Turn } from "../turn.ts";

/** Anybody can send SYNs from any address: so many are remembered, those that dialed last. */
const MOST = 16;
/** Milliseconds between two notes of one that goes on dialing, and until one that has stopped is forgotten. */
const APART = 60_000;
const FORGET_AFTER = 3_600_000;

/**
 * A host without a peer in BIRD has dialed. Those are remembered that come by an interface which leads to peers: what dials from
 * the Internet is no node.
 */
export function strangerDialed(turn: Turn, address: string, device: string | undefined): void {
	const { time, state } = turn;
	if (device === undefined || !interfacesOf(state).has(device)) return;
	const known = state.unknownDialers.get(address);
	if (known?.toldAt !== undefined && time - known.at < APART) return;
	const others = [...state.unknownDialers].filter(
		([other, { at }]) => other !== address && time - at < FORGET_AFTER && !isPeer(state, other),
	);
	// A flood comes from ever other addresses: one that comes again is told, and one a minute at most.
	const isQuiet = others.every(([, { toldAt }]) => toldAt === undefined || time - toldAt >= APART);
	const toldAt = known?.toldAt ?? (known && isQuiet ? time : undefined);
	const told = toldAt === undefined ? {} : { toldAt };
	const dialer: UnknownDialer = { since: known?.since ?? time, at: time, interface: device, ...told };
	turn.state = { ...state, unknownDialers: new Map([...others.slice(1 - MOST), [address, dialer]]) };
	if (toldAt === time)
		turn.log(
			"warn",
			`${address} on ${device} connects to BGP's port, and BIRD has no peer with this address`,
		);
}

function isPeer({ peers }: WardenState, address: string): boolean {
	return [...peers.values()].some(
		({ peer }) => peer.neighborAddress === address || prefixContains(peer.neighborRange ?? "", address),
	);
}

function interfacesOf({ peers, evidence, settings }: WardenState): ReadonlySet<string> {
	const named = [...peers.values()].flatMap(({ peer }) => peer.neighborInterface ?? []);
	const routed = [...evidence.addresses.values()].flatMap(({ usualInterface, inspection }) => [
		...(usualInterface === undefined ? [] : [usualInterface]),
		...(inspection?.route?.interface === undefined ? [] : [inspection.route.interface]),
	]);
	return new Set([...named, ...routed, ...settings.interfaces.values()]);
}
