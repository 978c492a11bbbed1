import { parseAddress } from "../lib/address.ts";
import { prefixContains } from "../lib/prefix.ts";
import type { Facts } from "./facts.ts";
import { type Finding, green, yellow } from "./finding.ts";
import { type Peer, wordsOf } from "./known-peers.ts";

/** Milliseconds after which a host that has dialed says nothing about now. */
const FRESH = 900_000;

/** Who speaks BGP to this router, or tries to. */
export function reviewNodes({ status, now }: Facts, peers: readonly Peer[]): Finding[] {
	const speaking = peers.filter(({ established, live }) => established && live?.neighborRange === undefined);
	const names = speaking.map((peer) => {
		const node = peer.live?.open?.hostname ?? peer.status?.node;
		const { name } = wordsOf(peer);
		const about = [
			...(node === undefined ? [] : [peer.address ?? ""]),
			...(name === "the speaker" ? [] : [name]),
		];
		return `${node ?? peer.address ?? peer.name}${about.length === 0 ? "" : ` (${about.join(", ")})`}`;
	});
	const unknown = (status?.router.unknown_dialers ?? []).filter(
		({ address, last }) => now - Date.parse(last) < FRESH && !peers.some((peer) => hasAddress(peer, address)),
	);
	return [
		...unknown.map(({ address, interface: device }) =>
			yellow(
				"unknown-node",
				address,
				`${address} on ${device} connects to BGP's port again and again, and BIRD has no peer with this address.`,
				"a node of the cluster: add it to bird.conf (a protocol of its own, or neighbor range for all nodes); otherwise take this router out of its peers",
			),
		),
		...(names.length === 0 ? [] : [green("nodes", "BGP", `Nodes that speak BGP: ${names.join(", ")}.`)]),
	];
}

function hasAddress({ address, live, file }: Peer, wanted: string): boolean {
	const range = live?.neighborRange ?? file?.neighborRange;
	return (
		parseAddress(address ?? "")?.text === wanted || (range !== undefined && prefixContains(range, wanted))
	);
}
