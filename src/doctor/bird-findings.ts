import type { BirdConfiguration } from "../model/bird-configuration.ts";
import { BFD_PORTS } from "../model/ports.ts";
import { familyOf, type Lack, lacks, type Served, servedBy } from "../render/needs.ts";
import { portCounters } from "../ruleset/port-counters.ts";
import { type Facts, isFailure } from "./facts.ts";
import { type Finding, green, red, yellow } from "./finding.ts";
import { type Peer, wordsOf } from "./known-peers.ts";
import { differences, mergeFindings, rangeFindings, restartFindings } from "./session-findings.ts";

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
	// What is read of BIRD 1's file is not what it means.
	if (configuration.onlyBird1 === undefined) {
		// A part that could not be read may bring routes.
		const known = problems.length > 0 ? { ...configuration, otherRoutes: true as const } : configuration;
		findings.push(...reviewFile(path, known, peers, problems.length > 0));
	}
	return findings.some(({ level }) => level !== "green")
		? findings
		: [...findings, green("bird-conf", path, "BIRD's configuration fits its peers.")];
}

/** @param problems parts of it could not be read */
function reviewFile(
	path: string,
	configuration: BirdConfiguration,
	peers: readonly Peer[],
	problems: boolean,
): Finding[] {
	const { bgp } = configuration;
	const unknown = peers.filter(
		({ name, live, range }) => live && !range && !bgp.some((each) => each.name === name),
	);
	const findings: Finding[] = [];
	if (unknown.length > 0 && !problems)
		findings.push(
			yellow(
				"peer-not-in-file",
				path,
				`BIRD runs ${unknown.map(({ name }) => name).join(", ")}, which this file does not have: gone with BIRD's next start.`,
				"add what is missing to the file; birdc configure drops it now",
			),
		);
	// A BIRD that has peers, and none of this file's, was started with another one.
	if (peers.some(({ live }) => live) && !peers.some(({ live, file }) => live && file)) return findings;
	if (bgp.length === 0)
		return [
			red(
				"no-peer",
				path,
				"There is no protocol bgp.",
				"bgpwarden render bird writes one from the peers in UCI",
			),
		];
	const sessions = bgp.filter(({ disabled }) => !disabled);
	const lacking = new Map<string, { names: string[]; served: Served }>();
	for (const session of sessions) {
		const served = servedBy(session);
		for (const lack of lacks(configuration, served)) {
			const { id } = lack;
			let of = id === "device-missing" ? "" : (lack.family ?? session.name);
			if (id === "direct-missing") {
				const unreachable = leadsNowhere(peers.find(({ name }) => name === session.name));
				if (unreachable === false) continue;
				of = `${served.family} ${lack.may && !unreachable ? "may" : ""}`;
			}
			const key = `${id} ${of}`;
			const known = lacking.get(key);
			if (known) known.names.push(session.name);
			else lacking.set(key, { names: [session.name], served });
		}
	}
	for (const [key, { names, served }] of lacking) findings.push(lackFinding(key, path, names, served));
	findings.push(...mergeFindings(path, configuration));
	return findings;
}

/** Whether BIRD itself says that next hops cannot be reached; undefined where it has no routes to tell by. */
function leadsNowhere(peer: Peer | undefined): boolean | undefined {
	const { imported = 0, unreachable } = peer?.live ?? {};
	if (!peer?.established || imported === 0 || unreachable === undefined) return undefined;
	return unreachable > 0;
}

/** @param key the lack's id, and what it is about: an address family, or a session */
function lackFinding(
	key: string,
	path: string,
	names: readonly string[],
	{ family, multihop, interface: device }: Served,
): Finding {
	const [name, about = ""] = key.split(" ");
	const id = name as Lack["id"];
	switch (id) {
		case "device-missing":
			return red(id, path, "There is no protocol device: BIRD knows no interfaces.", "protocol device { }");
		case "kernel-missing":
			return yellow(
				id,
				path,
				`No protocol kernel exports ${about}: learned routes do not reach the kernel.`,
				`protocol kernel { ${about} { export all; }; }`,
			);
		case "direct-missing":
			return directMissing(names, `ipv${family}`, key.endsWith("may"), device);
		case "bfd-missing":
			return red(
				id,
				names.join(", "),
				"bfd is on, and there is no protocol bfd: BIRD starts no BFD session.",
				"protocol bfd { }",
			);
		case "bfd-not-accepted":
			return red(
				id,
				names.join(", "),
				`accept in protocol bfd leaves out IPv${family} or ${multihop ? "multihop" : "direct"} sessions.`,
				"widen accept",
			);
	}
}

/** What can be told without the file. */
function reviewRunning({ bird }: Facts, peers: readonly Peer[]): Finding[] {
	if (isFailure(bird)) return [];
	if (bird.protocols.some(({ kind, state }) => kind === "Direct" && state === "up")) return [];
	return ([4, 6] as const).flatMap((family) =>
		[true, undefined].flatMap((unreachable) => {
			const names = peers
				.filter(({ live }) => live?.bfdMode === "multihop" && familyOf(live) === family)
				.filter((peer) => leadsNowhere(peer) === unreachable)
				.map(({ name }) => name);
			return names.length === 0 ? [] : [directMissing(names, `ipv${family}`, !unreachable)];
		}),
	);
}

function directMissing(names: readonly string[], family: string, may: boolean, through = "br-lan"): Finding {
	return (may ? yellow : red)(
		"direct-missing",
		names.join(", "),
		`There is no protocol direct with ${family}: BIRD looks next hops up among its own routes, and ${may ? "where no other route leads to them" : "without the link's"} the session is up and every service's route unreachable.`,
		`protocol direct { ${family}; interface "${through}"; }`,
	);
}

/** @param alone there is no other peer */
function reviewPeer(facts: Facts, peer: Peer, alone: boolean): Finding[] {
	const { name, file, section, live } = peer;
	if (section && !file && !live && !("error" in facts.birdFile) && !isFailure(facts.bird))
		return [
			red(
				"peer-unknown-to-bird",
				name,
				`BIRD has no protocol named ${name}, a peer in /etc/config/bgpwarden.`,
				"option name must be the protocol's name in bird.conf; bgpwarden render bird prints it",
			),
		];
	if (file && !live && isKnown(facts))
		return [
			red(
				"peer-not-running",
				name,
				`bird.conf has ${name}, and BIRD does not run it: the file was changed since BIRD read it, or BIRD was started with another.`,
				"birdc configure",
			),
		];
	return [
		...restartFindings(peer),
		...rangeFindings(peer),
		...differences(peer),
		...bfdMode(facts, peer, alone),
	];
}

/** Whether all of bird.conf and all of BIRD's peers could be read. */
function isKnown({ birdFile, bird }: Facts): boolean {
	if ("error" in birdFile || isFailure(bird)) return false;
	return birdFile.problems.length === 0 && birdFile.configuration.onlyBird1 === undefined;
}

/**
 * FRR speaks multihop BFD to an `ebgp-multihop` neighbor, BIRD to one with `multihop`: else the two never meet. What the
 * speaker does is told by UCI's `multihop` or by the port its packets arrive to.
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
	const configured = section?.multihop !== undefined && section.multihop !== multihop;
	// Counters are the whole router's: with several peers they tell nothing about one.
	const counted = alone && seen.other > 0 && seen.own === 0;
	if (!configured && !counted) return [];
	const why = configured
		? `/etc/config/bgpwarden says that the speaker is ${section?.multihop ? "multihop" : "direct"}`
		: `${seen.other} packets have come to UDP ${other} and none to ${own}`;
	return [
		red(
			"bfd-mode-mismatch",
			name,
			`BIRD runs ${multihop ? "multihop" : "single-hop"} BFD (UDP ${own}), the speaker the other kind (UDP ${other}): ${why}.`,
			multihop
				? `${wordsOf(peer).multihop}, or no multihop in protocol bgp`
				: `multihop 2; in protocol bgp, multihop { } in protocol bfd, and protocol direct; or leave out ${wordsOf(peer).multihop}`,
		),
	];
}

function modeOf(mode: "direct" | "multihop" | undefined): boolean | undefined {
	return mode === undefined ? undefined : mode === "multihop";
}
