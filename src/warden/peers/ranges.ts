import { prefixContains } from "../../lib/prefix.ts";
import type { BirdPeer } from "../../model/bird.ts";
import type { BirdConfiguration } from "../../model/bird-configuration.ts";

/** How BIRD names the protocols that it makes for a range, where `dynamic name` says nothing (proto/bgp/bgp.c). */
const NODE_NAME = /^dynbgp\d+$/;

/**
 * Which range each peer was made for by BIRD: one that bird.conf does not have, with an address inside the range.
 * @returns by the peer's name, the range's name
 */
export function nodesOfRanges(
	peers: readonly BirdPeer[],
	configuration: BirdConfiguration | undefined,
): ReadonlyMap<string, string> {
	const ranges = peers.filter(({ neighborRange }) => neighborRange !== undefined);
	if (ranges.length === 0) return new Map();
	const own = configuration && new Set(configuration.bgp.map(({ name }) => name));
	const nodes = new Map<string, string>();
	for (const { name, neighborAddress, neighborRange, localAs } of peers) {
		if (neighborRange !== undefined || neighborAddress === undefined) continue;
		if (own ? own.has(name) : !NODE_NAME.test(name)) continue;
		const holding = ranges.filter((range) => prefixContains(range.neighborRange ?? "", neighborAddress));
		const bits = (range: BirdPeer) => Number(range.neighborRange?.split("/")[1] ?? 0);
		const [nearest] = holding
			.filter((range) => localAs === undefined || range.localAs === undefined || range.localAs === localAs)
			.sort((one, other) => bits(other) - bits(one));
		if (nearest) nodes.set(name, nearest.name);
	}
	return nodes;
}

/** A range with what BIRD says about its nodes: it is up when one of them is. BIRD itself says `Passive` for ever. */
export function summarizeRange(range: BirdPeer, nodes: readonly BirdPeer[]): BirdPeer {
	const { since: _, ...rest } = range;
	const connected = nodes.filter(({ state }) => state === "Established");
	if (connected.length === 0 || range.protocolState === "down") return rest;
	const sum = (key: "imported" | "exported" | "preferred" | "unreachable") => {
		const known = connected.flatMap((node) => node[key] ?? []);
		return known.length === 0 ? {} : { [key]: known.reduce((one, other) => one + other, 0) };
	};
	const counts = { ...sum("imported"), ...sum("exported"), ...sum("preferred"), ...sum("unreachable") };
	return { ...rest, state: "Established", ...counts };
}
