import { parseAddress } from "../lib/address.ts";
import type { BirdPeer } from "../model/bird.ts";
import type { BgpConfiguration } from "../model/bird-configuration.ts";
import type { PeerConfig } from "../model/config.ts";
import type { PeerStatus } from "../model/status.ts";
import type { Ends } from "../ruleset/bgp-packets.ts";
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
}

/** Every peer that any of the sources names, sorted by name. */
export function collectPeers({
	config,
	birdFile,
	bird,
	status,
}: Pick<Facts, "config" | "birdFile" | "bird" | "status">): Peer[] {
	const files = "error" in birdFile ? [] : birdFile.configuration.bgp.filter(({ disabled }) => !disabled);
	const lives = isFailure(bird) ? [] : bird.reading.peers;
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
			established: (live?.state ?? reported?.state) === "Established",
		};
	});
}

/** The peer's and the router's ends of the session; undefined while the peer's address is not known. */
export function endsOf(peer: Peer, { routes }: Pick<Facts, "routes">): Ends | undefined {
	const address = parseAddress(peer.address ?? "");
	if (!address) return undefined;
	const route = routes.get(address.text);
	const own = parseAddress(peer.file?.localAddress ?? peer.section?.localAddress ?? route?.source ?? "");
	const through = peer.section?.interface ?? route?.interface ?? peer.zone;
	return {
		family: address.family,
		peer: address.bytes,
		...(own && own.family === address.family ? { local: own.bytes } : {}),
		...(through === undefined ? {} : { interface: through }),
	};
}
