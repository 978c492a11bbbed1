import type { BgpConfiguration, BirdConfiguration } from "../model/bird-configuration.ts";
import { BFD_PORTS } from "../model/ports.ts";
import { portCounters } from "../ruleset/port-counters.ts";
import { type Facts, isFailure } from "./facts.ts";
import { type Finding, green, red, yellow } from "./finding.ts";
import type { Peer } from "./known-peers.ts";

/** BIRD's configuration and peers against each other, the router's configuration, and what was seen of the speaker. */
export function reviewBird(facts: Facts, peers: readonly Peer[]): Finding[] {
	const { birdFile } = facts;
	const findings = peers.flatMap((peer) => reviewPeer(facts, peer, peers.length === 1));
	if ("error" in birdFile)
		return [
			...findings,
			yellow("bird-conf-unreadable", "bird.conf", birdFile.error),
			...reviewRunning(facts, peers),
		];
	const { path, configuration, problems } = birdFile;
	findings.push(...problems.map((problem) => yellow("bird-conf-unreadable", path, problem)));
	findings.push(...reviewFile(path, configuration, peers));
	return findings.some(({ level }) => level !== "green")
		? findings
		: [...findings, green("bird-conf", path, "BIRD's configuration fits its peers.")];
}

function reviewFile(
	path: string,
	{ bgp, device, direct, kernel }: BirdConfiguration,
	peers: readonly Peer[],
): Finding[] {
	// A BIRD that has peers was started with another file.
	if (bgp.length === 0 && peers.some(({ live }) => live)) return [];
	if (bgp.length === 0)
		return [
			red(
				"no-peer",
				path,
				"There is no protocol bgp.",
				"bgpwarden render bird writes one from the peers in UCI",
			),
		];
	const findings: Finding[] = [];
	if (!device)
		findings.push(
			red(
				"device-missing",
				path,
				"There is no protocol device: BIRD knows no interfaces.",
				"protocol device { }",
			),
		);
	const exporting = kernel.filter(
		({ disabled, channels }) =>
			!disabled && channels.some(({ export: out }) => out !== undefined && out !== "none"),
	);
	if (exporting.length === 0)
		findings.push(
			yellow(
				"kernel-missing",
				path,
				"No protocol kernel exports anything: learned routes do not reach the kernel.",
				"protocol kernel { ipv4 { export all; }; }",
			),
		);
	const hops = bgp.filter(({ disabled, multihop }) => !disabled && typeof multihop === "number");
	for (const family of ["ipv4", "ipv6"]) {
		const wanting = hops.filter((peer) => familyOf(peer) === family);
		const there = direct.some(({ disabled, families }) => !disabled && families.includes(family));
		if (wanting.length === 0 || there) continue;
		findings.push(
			directMissing(
				wanting.map(({ name }) => name),
				family,
				wanting[0]?.interface,
			),
		);
	}
	return findings;
}

/** What can be told without the file. */
function reviewRunning({ bird }: Facts, peers: readonly Peer[]): Finding[] {
	if (isFailure(bird)) return [];
	const hops = peers.filter(({ live }) => live?.bfdMode === "multihop");
	const direct = bird.protocols.some(({ kind, state }) => kind === "Direct" && state === "up");
	return hops.length === 0 || direct
		? []
		: [
				directMissing(
					hops.map(({ name }) => name),
					"ipv4",
				),
			];
}

function directMissing(names: readonly string[], family: string, through = "br-lan"): Finding {
	return red(
		"direct-missing",
		names.join(", "),
		`The session is multihop, and there is no protocol direct with ${family}: BIRD resolves next hops through its own routes, and without the link's the session is up and every service's route unreachable.`,
		`protocol direct { ${family}; interface "${through}"; }`,
	);
}

function familyOf({ neighborAddress = "", neighborRange = "" }: BgpConfiguration): string {
	return `${neighborAddress}${neighborRange}`.includes(":") ? "ipv6" : "ipv4";
}

/** @param alone there is no other peer */
function reviewPeer(facts: Facts, peer: Peer, alone: boolean): Finding[] {
	const { name, file, section, live } = peer;
	if (section && !file && !live && !("error" in facts.birdFile) && !isFailure(facts.bird))
		return [
			red(
				"peer-unknown-to-bird",
				name,
				`The peer ${name} of /etc/config/bgpwarden is none of BIRD's protocols.`,
				"name in UCI must be the protocol's name in bird.conf; bgpwarden render bird writes it",
			),
		];
	return [...restart(peer), ...differences(peer), ...bfdMode(facts, peer, alone), ...bfdSetup(facts, peer)];
}

/** Without `passive` both ends dial after a restart (RFC 4271 section 6.8 lets one of the two connections live). */
function restart({ name, file }: Peer): Finding[] {
	if (file?.gracefulRestart !== "on" || file.passive === true) return [];
	return [
		yellow(
			"restart-without-passive",
			name,
			"graceful restart is on and passive is not: after a reboot the router dials as well, and its connections can collide with the speaker's.",
			"passive on; in protocol bgp, so that the speaker alone dials",
		),
	];
}

function differences({ name, file, live, section }: Peer): Finding[] {
	if (!section) return [];
	const address = file?.neighborAddress ?? live?.neighborAddress;
	const as = file?.neighborAs ?? live?.neighborAs;
	const found: [string, string | number | undefined, string | number | undefined][] = [
		["address", section.address?.split("%")[0], address],
		["remote_as", section.remoteAs, typeof as === "number" ? as : undefined],
		["local_as", section.localAs, file?.localAs ?? live?.localAs],
		["local_address", section.localAddress?.split("%")[0], file?.localAddress],
	];
	return found
		.filter(([, ours, birds]) => ours !== undefined && birds !== undefined && ours !== birds)
		.map(([option, ours, birds]) =>
			yellow(
				"peer-differs",
				name,
				`${option} is ${ours} in /etc/config/bgpwarden and ${birds} in BIRD.`,
				"make them agree",
			),
		);
}

/**
 * FRR speaks multihop BFD to an `ebgp-multihop` neighbor, BIRD to one with `multihop`: else the two never meet. What the
 * speaker does is told by UCI's `multihop` or by the port its packets come to.
 */
function bfdMode(facts: Facts, peer: Peer, alone: boolean): Finding[] {
	const { name, file, live, section } = peer;
	const usesBfd = file
		? file.bfd === "on" || file.bfd === "graceful"
		: live?.bfd !== undefined && live.bfd !== "none";
	if (!usesBfd) {
		if (section?.bfd !== true) return [];
		return [
			yellow(
				"bfd-off",
				name,
				"bfd is '1' in /etc/config/bgpwarden and off in BIRD: a dead speaker is noticed by the hold time alone.",
				"bfd on; in protocol bgp",
			),
		];
	}
	const multihop = file?.multihop === undefined ? modeOf(live?.bfdMode) : file.multihop !== false;
	if (multihop === undefined || live?.bfd === "up") return [];
	const counters = isFailure(facts.ruleset)
		? undefined
		: portCounters(facts.ruleset, facts.config.main.table);
	const [own, other] = multihop
		? [BFD_PORTS.multihop, BFD_PORTS.singleHop]
		: [BFD_PORTS.singleHop, BFD_PORTS.multihop];
	const seen = { own: counters?.get(own) ?? 0, other: counters?.get(other) ?? 0 };
	const told = section?.multihop !== undefined && section.multihop !== multihop;
	// Counters are the whole router's: with several peers they tell nothing about one.
	const counted = alone && seen.other > 0 && seen.own === 0;
	if (!told && !counted) return [];
	const why = told
		? `/etc/config/bgpwarden says that the speaker is ${section?.multihop ? "multihop" : "direct"}`
		: `${seen.other} packets have come to UDP ${other} and none to ${own}`;
	return [
		red(
			"bfd-mode-mismatch",
			name,
			`BIRD runs ${multihop ? "multihop" : "single-hop"} BFD (UDP ${own}), the speaker the other kind (UDP ${other}): ${why}.`,
			multihop
				? "ebgpMultiHop: true in MetalLB's BGPPeer, or no multihop in protocol bgp"
				: "multihop 2; in protocol bgp, multihop { } in protocol bfd, and protocol direct; or no ebgpMultiHop in MetalLB",
		),
	];
}

function modeOf(mode: "direct" | "multihop" | undefined): boolean | undefined {
	return mode === undefined ? undefined : mode === "multihop";
}

function bfdSetup({ birdFile }: Facts, { name, file }: Peer): Finding[] {
	if ("error" in birdFile || !file || (file.bfd !== "on" && file.bfd !== "graceful")) return [];
	const running = birdFile.configuration.bfd.filter(({ disabled }) => !disabled);
	const multihop = typeof file.multihop === "number";
	if (running.length === 0)
		return [
			red(
				"bfd-missing",
				name,
				"bfd is on, and there is no protocol bfd: BIRD starts no BFD session.",
				"protocol bfd { }",
			),
		];
	const ipv6 = familyOf(file) === "ipv6";
	const accepts = running.some(
		({ accept }) => (ipv6 ? accept.ipv6 : accept.ipv4) && (multihop ? accept.multihop : accept.direct),
	);
	return accepts
		? []
		: [
				red(
					"bfd-not-accepted",
					name,
					`accept in protocol bfd leaves out ${ipv6 ? "IPv6" : "IPv4"} or ${multihop ? "multihop" : "direct"} sessions.`,
					"widen accept",
				),
			];
}
