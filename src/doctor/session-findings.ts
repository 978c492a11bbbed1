/** How a session's options in bird.conf fit the speaker and /etc/config/bgpwarden. */

import type { BirdConfiguration } from "../model/bird-configuration.ts";
import { mayBeFrr } from "../model/speaker.ts";
import { compareEnds, compareOptions } from "../render/compare.ts";
import { unmerged } from "../render/needs.ts";
import { type Finding, yellow } from "./finding.ts";
import { type Peer, speakerOf, wordsOf } from "./known-peers.ts";

/** Graceful restart on both ends. */
export function restartFindings(peer: Peer): Finding[] {
	const { name, file } = peer;
	if (!file) return [];
	return [
		...ownRestart(peer),
		...speakersRestart(peer).map((finding) => yellow(ONE_SIDED, name, ...finding)),
	];
}

/** Seen with FRR 10.3, and not with 10.7 (FRRouting/frr#18562): each end waits for the other's first packet. */
export function rangeFindings(peer: Peer): Finding[] {
	const { name, file, established } = peer;
	const { neighborRange, bfd, multihop } = file ?? {};
	if (neighborRange === undefined || multihop !== false || established || !mayBeFrr(speakerOf(peer)))
		return [];
	if (bfd !== "on" && bfd !== "graceful") return [];
	return [
		yellow(
			"range-waits-for-bfd",
			name,
			`BIRD starts BFD with a node of ${neighborRange} once it has dialed, and FRR 10.2 and 10.3 do not dial before single-hop BFD is up.`,
			"a newer FRR, multihop on both ends, or bfd off; in protocol bgp and no BFD on the speaker",
		),
	];
}

const ONE_SIDED = "graceful-restart-one-sided";

/** BIRD's own restart: it gains nothing from `on`, since it learns the routes again within a second. */
function ownRestart(peer: Peer): Finding[] {
	const { name, file } = peer;
	if (file?.gracefulRestart !== "on") return [];
	// RFC 4271 section 6.8 lets one of the two connections live.
	if (file.passive !== true)
		return [
			yellow(
				"restart-without-passive",
				name,
				"graceful restart is on and passive is not: after a reboot the router dials as well, and its connections can collide with the speaker's.",
				"passive on; and graceful restart aware; in protocol bgp, so that the speaker alone dials, and does so soon",
			),
		];
	if (!mayBeFrr(speakerOf(peer))) return [];
	return [
		yellow(
			"graceful-restart-holds-dial",
			name,
			"graceful restart is on: when this router was away, FRR waits for it to come back by itself and does not dial until its restart timer (120 s) is over, or BFD is up.",
			"graceful restart aware; in protocol bgp, BIRD's default: routes still stay while the speaker restarts",
		),
	];
}

/** The speaker's restart, for which both ends have to be set: the sentence and the advice. */
function speakersRestart(peer: Peer): (readonly [text: string, advice: string])[] {
	const { file, live, section } = peer;
	const { name, peer: place } = wordsOf(peer);
	if (section?.gracefulRestart && file?.gracefulRestart === "off")
		return [
			[
				"graceful_restart is '1' in /etc/config/bgpwarden, and graceful restart off in BIRD: routes go while the speaker restarts.",
				"graceful restart aware; in protocol bgp",
			],
		];
	if (section?.gracefulRestart && file?.bfd === "on")
		return [
			[
				"graceful_restart is '1' in /etc/config/bgpwarden, and bfd is not graceful in BIRD: when the speaker restarts, BFD fails and takes its routes away.",
				"bfd graceful; in protocol bgp",
			],
		];
	// What a speaker announces is known while its session is up.
	const wanted = section?.gracefulRestart === true || file?.bfd === "graceful";
	if (!wanted || !live?.open || live.open.restarts || live.state !== "Established") return [];
	return [
		[
			`BIRD is set for graceful restart, and ${name} has not announced it: routes go while the speaker restarts.`,
			`switch graceful restart on in ${place} (bgpwarden render prints it), or set bfd on in place of bfd graceful`,
		],
	];
}

/** Where the kernel gets one of several next hops. */
export function mergeFindings(path: string, configuration: BirdConfiguration): Finding[] {
	return unmerged(configuration).map(({ family, peers }) =>
		yellow(
			"merge-paths-off",
			path,
			`Several nodes (${peers.join(", ")}) can announce the same ${family} service, and without merge paths the kernel gets one of their next hops: one node carries all of it.`,
			`merge paths on; in protocol kernel with ${family}`,
		),
	);
}

/** The options that are compared, by BIRD's words. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
	["neighbor", "address"],
	["neighbor as", "remote_as"],
	["local", "local_address"],
	["local as", "local_as"],
	["hold time", "hold_time"],
	["keepalive time", "keepalive_time"],
	["import limit of ipv4", "max_prefixes (import limit of ipv4)"],
	["import limit of ipv6", "max_prefixes (import limit of ipv6)"],
]);

/** What the section says and BIRD has otherwise. */
export function differences({ file, live, section }: Peer): Finding[] {
	if (!section) return [];
	const found = [
		...compareEnds(section, { ...live, ...file }),
		...(file ? compareOptions(section, file) : []),
	];
	return found.map(({ what, there, wanted }) => {
		const option = what === "neighbor" && section.range !== undefined ? "range" : (OPTIONS.get(what) ?? what);
		return yellow(
			"peer-differs",
			section.name,
			`${option} is ${wanted} in /etc/config/bgpwarden and ${there} in BIRD.`,
			"make them agree",
		);
	});
}
