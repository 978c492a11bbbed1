/** What BGP sessions need of BIRD's other protocols, judged once for `render bird --check` and `doctor`. Pure. */

import { fits, placeOf } from "../lib/wildcard.ts";
import type { BgpConfiguration, BirdConfiguration } from "../model/bird-configuration.ts";

/** A BGP session, as far as other protocols serve it. */
export interface Served {
	readonly family: 4 | 6;
	/** Address families whose routes it brings, e.g. `ipv6`; absent: the session's own. */
	readonly families?: readonly string[] | undefined;
	readonly multihop: boolean;
	readonly bfd: boolean;
	/** The router's interface towards the peer; absent: not known. */
	readonly interface?: string | undefined;
	/**
	 * Whether BIRD has to look its next hops up among its own routes: `perhaps` where a filter may set the gateway, and with
	 * internal BGP. Absent: where it is multihop.
	 */
	readonly recursive?: boolean | "perhaps" | undefined;
}

/** Something that is missing; the ids are the catalog's. */
export interface Lack {
	readonly id: "device-missing" | "kernel-missing" | "direct-missing" | "bfd-missing" | "bfd-not-accepted";
	/** The address family that it is about, where that may be another one than the session's own. */
	readonly family?: string;
	/** Something else may do in its place. */
	readonly may?: true;
}

/** A session of bird.conf's, as far as other protocols serve it. */
export function servedBy(bgp: BgpConfiguration): Served {
	const { multihop, bfd, channels } = bgp;
	const imported = channels.filter((channel) => channel.import !== "none");
	return {
		family: familyOf(bgp),
		families: imported.map(({ family }) => family).filter((family) => family === "ipv4" || family === "ipv6"),
		multihop: typeof multihop === "number",
		bfd: bfd === "on" || bfd === "graceful",
		interface: bgp.interface,
		recursive: isRecursive(bgp),
	};
}

/** `where` with a function's call: what is called may set the gateway (`gw`), as any filter may. */
const PLAIN_IMPORT = /^(all|where(?!.*\w\s*\())/;

function isRecursive(bgp: BgpConfiguration): boolean | "perhaps" {
	const { neighborAs, localAs, channels } = bgp;
	const channel = channels.find(({ family }) => family === `ipv${familyOf(bgp)}`);
	if (channel?.gateway !== "recursive" || channel.import === "none") return false;
	// Internal BGP's next hops are other routers', which an IGP leads to.
	const internal = neighborAs === "internal" || (neighborAs !== undefined && neighborAs === localAs);
	return internal || !PLAIN_IMPORT.test(channel.import ?? "") ? "perhaps" : true;
}

/** The address family of a neighbor, or of the range that neighbors may come from. */
export function familyOf({
	neighborAddress = "",
	neighborRange = "",
}: Pick<BgpConfiguration, "neighborAddress" | "neighborRange">): 4 | 6 {
	return `${neighborAddress}${neighborRange}`.includes(":") ? 6 : 4;
}

/** What a session lacks in BIRD's configuration. */
export function lacks(bird: BirdConfiguration, session: Served): Lack[] {
	const found: Lack[] = [];
	const need = (met: boolean, id: Lack["id"]) => {
		if (!met) found.push({ id });
	};
	const channel = `ipv${session.family}`;
	need(bird.device, "device-missing");
	// A channel of protocol kernel exports nothing unless it is told to (BIRD's manual, protocol options).
	const exported = bird.kernel.flatMap(({ disabled, channels }) =>
		disabled ? [] : channels.filter((each) => (each.export ?? "none") !== "none").map(({ family }) => family),
	);
	for (const family of session.families ?? [channel])
		if (!exported.includes(family)) found.push({ id: "kernel-missing", family });
	// BIRD looks the next hops of multihop BGP up among its own routes, so it needs the link's.
	const { recursive = session.multihop } = session;
	const direct = bird.direct.some(
		({ disabled, families, patterns }) =>
			!disabled && families.includes(channel) && matches(patterns, session.interface),
	);
	if (recursive && !direct)
		found.push({
			id: "direct-missing",
			...(recursive === "perhaps" || bird.otherRoutes ? { may: true } : {}),
		});
	if (!session.bfd) return found;
	const running = bird.bfd.filter(({ disabled }) => !disabled);
	need(running.length > 0, "bfd-missing");
	// Interfaces need no pattern, and multihop no section: BIRD then has defaults (proto/bfd/bfd.c, bfd_find_iface_config).
	const accepted = running.some(
		({ accept }) =>
			(session.family === 4 ? accept.ipv4 : accept.ipv6) &&
			(session.multihop ? accept.multihop : accept.direct),
	);
	need(running.length === 0 || accepted, "bfd-not-accepted");
	return found;
}

/** Prefixes that several peers can announce, of which the kernel gets one next hop only. */
export interface Unmerged {
	readonly family: "ipv4" | "ipv6";
	/** The peers' names; a range is one of them. */
	readonly peers: readonly string[];
}

/**
 * Where `merge paths` is missing. Peers of one AS are taken for one cluster, whose nodes announce the same services; a
 * range may have many of them. Routes that do not reach the kernel need none.
 */
export function unmerged(bird: BirdConfiguration): Unmerged[] {
	return (["ipv4", "ipv6"] as const).flatMap((family): Unmerged[] => {
		const kernels = bird.kernel.filter(
			({ disabled, channels }) =>
				!disabled && channels.some((each) => each.family === family && (each.export ?? "none") !== "none"),
		);
		if (kernels.length === 0 || kernels.some(({ mergePaths }) => mergePaths)) return [];
		const clusters = new Map<unknown, string[]>();
		const several = new Set<unknown>();
		for (const { name, disabled, channels, neighborAs, neighborRange } of bird.bgp) {
			if (disabled || !channels.some((each) => each.family === family && each.import !== "none")) continue;
			const peers = clusters.get(neighborAs);
			if (peers || neighborRange !== undefined) several.add(neighborAs);
			if (peers) peers.push(name);
			else clusters.set(neighborAs, [name]);
		}
		const peers = [...several].flatMap((as) => clusters.get(as) ?? []);
		return peers.length === 0 ? [] : [{ family, peers }];
	});
}

/** Whether BIRD's patterns match an interface; one that is not known, and prefixes, get the benefit of the doubt. */
function matches(patterns: readonly string[], device: string | undefined): boolean {
	if (patterns.length === 0 || device === undefined) return true;
	for (const pattern of patterns) {
		const excludes = pattern.startsWith("-");
		const text = excludes ? pattern.slice(1) : pattern;
		if (/[/:]|^[0-9.]+$/.test(text)) {
			if (!excludes) return true;
			continue;
		}
		if (fits(Array.from(text, placeOf), device)) return !excludes;
	}
	return false;
}
