import { parseAddress } from "../lib/address.ts";
import type { BirdPeer } from "../model/bird.ts";
import type { BgpConfiguration } from "../model/bird-configuration.ts";
import type { PeerConfig } from "../model/config.ts";
import type { WalkedPeer } from "../model/obstacle.ts";
import { BFD_PORTS, BGP_PORT } from "../model/ports.ts";
import { type Speaker, type SpeakerWords, speakerWords } from "../model/speaker.ts";
import type { PeerStatus } from "../model/status.ts";
import { nodesOfRanges, summarizeRange } from "../warden/peers/ranges.ts";
import { type Facts, isFailure } from "./facts.ts";

/** A peer with everything that is known about it from four sides. */
export interface Peer {
	readonly name: string;
	/** From bird.conf. */
	readonly file?: BgpConfiguration;
	/** From BIRD as it runs. */
	readonly live?: BirdPeer;
	/** From /etc/config/bgpwarden. */
	readonly section?: PeerConfig;
	/** From the daemon. */
	readonly status?: PeerStatus;
	/** Canonical text, without a zone. */
	readonly address?: string;
	readonly zone?: string;
	readonly established: boolean;
	/** The range, by its name, that BIRD made it for. */
	readonly range?: string;
}

/** Every peer that any of the sources names, sorted by name. */
export function collectPeers({
	config,
	birdFile,
	bird,
	status,
	hosts,
}: Pick<Facts, "config" | "birdFile" | "bird" | "status" | "hosts">): Peer[] {
	const files = "error" in birdFile ? [] : birdFile.configuration.bgp.filter(({ disabled }) => !disabled);
	const lives = isFailure(bird) ? [] : withRanges(bird.reading.peers, birdFile);
	const ranges = isFailure(bird) ? undefined : nodesIn(bird.reading.peers, birdFile);
	const names = [...files, ...lives, ...config.peers, ...(status?.peers ?? [])].map(({ name }) => name);
	return [...new Set(names)].sort().map((name) => {
		const named = <Each extends { readonly name: string }>(all: readonly Each[]) =>
			all.find((each) => each.name === name);
		const [file, live, section, reported] = [
			named(files),
			named(lives),
			named(config.peers),
			named(status?.peers ?? []),
		];
		const [address, zone] = (
			live?.neighborAddress ??
			file?.neighborAddress ??
			section?.address ??
			reported?.neighbor_address ??
			hosts.get(live?.neighborRange ?? file?.neighborRange ?? "") ??
			""
		).split("%");
		const through = live?.neighborInterface ?? zone ?? file?.interface;
		return {
			name,
			...(file ? { file } : {}),
			...(live ? { live } : {}),
			...(section ? { section } : {}),
			...(reported ? { status: reported } : {}),
			...(address ? { address } : {}),
			...(through === undefined ? {} : { zone: through }),
			...(ranges?.has(name) ? { range: ranges.get(name) ?? "" } : {}),
			established: (live?.state ?? reported?.state) === "Established",
		};
	});
}

function nodesIn(peers: readonly BirdPeer[], file: Facts["birdFile"]): ReadonlyMap<string, string> {
	return nodesOfRanges(peers, "error" in file ? undefined : file.configuration);
}

/** Ranges are as their nodes are. */
function withRanges(peers: readonly BirdPeer[], file: Facts["birdFile"]): BirdPeer[] {
	const nodes = nodesIn(peers, file);
	return peers.map((peer) =>
		peer.neighborRange === undefined
			? peer
			: summarizeRange(
					peer,
					peers.filter(({ name }) => nodes.get(name) === peer.name),
				),
	);
}

/** Who speaks there; undefined: nobody knows. */
export function speakerOf({ section, live, status }: Peer): Speaker | undefined {
	const configured = section?.speaker === "auto" ? undefined : section?.speaker;
	return configured ?? status?.speaker ?? live?.open?.program;
}

/** What things are called on the peer's end. */
export function wordsOf(peer: Peer): SpeakerWords {
	return speakerWords(speakerOf(peer));
}

/** What the ruleset is asked about a peer; undefined while its address is not known. */
export function walkedPeer(peer: Peer, { routes }: Pick<Facts, "routes">): WalkedPeer | undefined {
	const { name, file, live, section, zone } = peer;
	const address = parseAddress(peer.address ?? "");
	if (!address) return undefined;
	const route = routes.get(address.text);
	const multihop = file?.multihop ?? live?.bfdMode === "multihop";
	const bfd = file ? file.bfd !== undefined && file.bfd !== "off" : live?.bfd !== "none";
	return {
		name,
		address: address.text,
		localAddress: file?.localAddress ?? section?.localAddress ?? route?.source,
		interface: section?.interface ?? route?.interface ?? zone,
		ports: {
			router: file?.localPort ?? section?.port ?? BGP_PORT,
			peer: file?.neighborPort ?? BGP_PORT,
		},
		// A passive BIRD never opens a session.
		dials: file ? file.passive !== true : ["Active", "Connect", "OpenSent"].includes(live?.state ?? ""),
		bfdPort: bfd ? (multihop === false ? BFD_PORTS.singleHop : BFD_PORTS.multihop) : undefined,
	};
}
