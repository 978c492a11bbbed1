/** The BIRD that is there against the one that would be rendered. Pure. */

import { parseAddress, unmapped } from "../lib/address.ts";
import { prefixContains } from "../lib/prefix.ts";
import type { BirdPeer } from "../model/bird.ts";
import type { BgpConfiguration, BirdConfiguration } from "../model/bird-configuration.ts";
import type { PeerConfig } from "../model/config.ts";
import { BGP_PORT } from "../model/ports.ts";
import { type Lack, lacks, servedBy, unmerged } from "./needs.ts";
import type { Plan } from "./plan.ts";
import { MULTIHOP_HOPS, type Session } from "./session.ts";

/** One thing that is not as it would be rendered. */
export interface Difference {
	/** The peer's name; absent for what all peers share. */
	readonly peer?: string;
	/** What is compared, in BIRD's words: `passive`, `hold time`. */
	readonly what: string;
	readonly there: string;
	readonly wanted: string;
}

export interface Comparison {
	readonly differences: readonly Difference[];
	/** What a person should know and what is nevertheless no difference, one line each. */
	readonly notes: readonly string[];
}

/** Compares BIRD's configuration file. A value that could not be read is a note, never a difference. */
export function compareFile({ sessions }: Plan, bird: BirdConfiguration): Comparison {
	const notes: string[] = [];
	const differences = [
		...sessions.flatMap((session) => {
			const found = bird.bgp.find(({ name }) => name === session.name);
			return found ? compareSession(session, found, notes) : [absent(session)];
		}),
		...compareShared(sessions, bird, notes),
		...unmerged(bird).map(({ family }) => ({
			what: `merge paths for ${family}`,
			there: "off",
			wanted: "on",
		})),
	];
	notes.push(...strangers(sessions, bird.bgp));
	return { differences, notes };
}

/** Compares what BIRD itself says it runs: its file may have been changed since it was read. */
export function compareRunning({ sessions }: Plan, peers: readonly BirdPeer[]): Comparison {
	const differences = sessions.flatMap((session) => {
		const found = peers.find(({ name }) => name === session.name);
		if (!found) return [absent(session)];
		const compare = comparer(session.name);
		compare.differences.push(...compareEnds(endsOf(session), found));
		compare(
			"bfd session",
			found.bfdMode,
			session.bfd ? (session.multihop ? "multihop" : "direct") : undefined,
		);
		return compare.differences;
	});
	const ranges = sessions.flatMap(({ range }) => range ?? []);
	const isNode = ({ neighborAddress = "" }: BirdPeer) =>
		ranges.some((range) => prefixContains(range, neighborAddress));
	return {
		differences,
		notes: strangers(
			sessions,
			peers.filter((peer) => !isNode(peer)),
		),
	};
}

function absent({ name }: Session): Difference {
	return { peer: name, what: "protocol bgp", there: "none of this name", wanted: `'${name}'` };
}

function strangers(sessions: readonly Session[], peers: readonly { readonly name: string }[]): string[] {
	const known = new Set(sessions.map(({ name }) => name));
	return peers
		.filter(({ name }) => !known.has(name))
		.map(({ name }) => `${name}: in BIRD, without a 'config peer' section`);
}

/** Both ends of a session; what is not known is absent. */
interface Ends {
	readonly name: string;
	readonly address?: string;
	/** In the place of the address. */
	readonly range?: string;
	readonly remoteAs?: number;
	readonly localAddress?: string;
	readonly localAs?: number;
}

function endsOf(session: Session): Ends {
	const { remoteAddress, range } = session;
	return {
		...session,
		...(remoteAddress === undefined ? {} : { address: remoteAddress }),
		...(range === undefined ? {} : { range }),
	};
}

/** Compares addresses and AS numbers with BIRD's. What either side does not say is no difference. */
export function compareEnds(
	wish: Ends,
	there: Pick<
		BgpConfiguration,
		"neighborAddress" | "neighborRange" | "neighborAs" | "localAddress" | "localAs"
	>,
): Difference[] {
	const compare = comparer(wish.name);
	// As BIRD says it: without the zone, and IPv4 where it is mapped into IPv6.
	const plain = (address: string | undefined) => {
		const parsed = parseAddress(address ?? "");
		return parsed && unmapped(parsed).text;
	};
	const kind =
		wish.localAs === undefined || wish.remoteAs === undefined
			? undefined
			: wish.localAs === wish.remoteAs
				? "internal"
				: "external";
	compare("local", there.localAddress, plain(wish.localAddress));
	compare("local as", there.localAs, wish.localAs);
	compare("neighbor", there.neighborRange ?? there.neighborAddress, wish.range ?? plain(wish.address));
	compare("neighbor as", there.neighborAs, typeof there.neighborAs === "string" ? kind : wish.remoteAs);
	return compare.differences;
}

/** Collects differences of one peer; a side that is undefined is not compared. */
function comparer(peer: string) {
	const differences: Difference[] = [];
	const compare = (what: string, there: string | number | undefined, wanted: string | number | undefined) => {
		if (there === undefined || wanted === undefined || there === wanted) return;
		differences.push({ peer, what, there: String(there), wanted: String(wanted) });
	};
	return Object.assign(compare, { differences });
}

/** What a section may say of a session besides its ends. */
type Options = Pick<PeerConfig, "name" | "password" | "holdTime" | "keepaliveTime" | "maxPrefixes">;

/** Compares what the section says of these with BIRD's file; what either side does not say is no difference. */
export function compareOptions(wish: Options, there: BgpConfiguration): Difference[] {
	const { password, maxPrefixes } = wish;
	const compare = comparer(wish.name);
	const seconds = (value: number | undefined) => (value === undefined ? undefined : `${value} s`);
	compare("hold time", seconds(there.holdTime), seconds(wish.holdTime));
	compare("keepalive time", seconds(there.keepaliveTime), seconds(wish.keepaliveTime));
	compare("password", there.password ? "set" : "none", password === undefined ? undefined : "set");
	for (const { family, importLimit } of maxPrefixes === undefined ? [] : there.channels) {
		const limit = importLimit ? `${importLimit.limit ?? "?"} action ${importLimit.action}` : "none";
		compare(`import limit of ${family}`, limit, `${maxPrefixes} action block`);
	}
	return compare.differences;
}

function compareSession(session: Session, bgp: BgpConfiguration, notes: string[]): Difference[] {
	const compare = comparer(session.name);
	const note = (text: string) => notes.push(`${session.name}: ${text}`);
	const read = <T>(what: string, value: T | undefined): T | undefined => {
		if (value === undefined) note(`${what}: could not be read`);
		return value;
	};
	const { multihop, families, gracefulRestart } = session;
	const said = (value: boolean | undefined) => (value === undefined ? undefined : value ? "on" : "off");
	if (bgp.disabled) compare("disabled", "on", "off");
	read("local as", bgp.localAs);
	read("neighbor", bgp.neighborRange ?? bgp.neighborAddress);
	read("neighbor as", bgp.neighborAs);
	// BIRD finds its own address by itself when the session is direct.
	const ends = multihop ? { ...bgp, localAddress: bgp.localAddress ?? "no address" } : bgp;
	compare.differences.push(...compareEnds(endsOf(session), ends));
	compare("local port", bgp.localPort ?? BGP_PORT, session.port);
	compare("interface", bgp.interface, session.linkLocal ? session.interface : undefined);
	const hops = read("multihop", bgp.multihop);
	// How many hops is a matter of taste; whether there are any decides BFD's port.
	if (hops !== undefined && (hops !== false) !== multihop)
		compare("multihop", hops === false ? "direct" : hops, multihop ? MULTIHOP_HOPS : "direct");
	compare("passive", said(read("passive", bgp.passive)), "on");
	const restart = read("graceful restart", bgp.gracefulRestart);
	// Without the speaker's graceful restart there is nothing to be aware of.
	if (restart !== "off" || gracefulRestart) compare("graceful restart", restart, "aware");
	const bfd = read("bfd", bgp.bfd);
	if (bfd === "graceful" && session.bfd && !gracefulRestart)
		note(
			"bfd graceful: of use where the speaker has graceful restart on, as `option graceful_restart` renders it",
		);
	else compare("bfd", bfd, session.bfd ? (gracefulRestart ? "graceful" : "on") : "off");
	if (!session.bfd && bfd === "off")
		note(
			`without BFD the speaker's connect time decides how soon it dials after a reboot of this router; the rendered ${session.connectTime} s are not seen from here`,
		);
	read("hold time", bgp.holdTime);
	const { keepaliveTime: _, ...options } = session;
	compare.differences.push(...compareOptions(options, bgp));
	for (const family of families) {
		const found = bgp.channels.find((channel) => channel.family === `ipv${family}`);
		const channels = bgp.channels.map((channel) => channel.family).join(", ") || "none";
		if (!found) compare("channel", channels, `ipv${family}`);
		else if (family === 4 && session.family === 6)
			compare("extended next hop", said(found.extendedNextHop), "on");
	}
	if (bgp.password && session.password === undefined)
		note("has a password, which `option password` does not tell; the speaker needs the same one");
	return compare.differences;
}

/** The protocols that the BGP sessions need. */
function compareShared(sessions: readonly Session[], bird: BirdConfiguration, notes: string[]): Difference[] {
	const differences = sessions.flatMap((session) => {
		const found = bird.bgp.find(({ name }) => name === session.name);
		// How next hops are resolved is the file's own affair where it is multihop too.
		const own = session.multihop && found?.multihop ? { recursive: servedBy(found).recursive } : {};
		const families = session.families.map((family) => `ipv${family}`);
		return lacks(bird, { ...session, families, ...own }).flatMap(({ id, may, family }): Difference[] => {
			const needed = NEEDED[id](session, family);
			if (!may) return [{ there: "none", ...needed }];
			notes.push(`${session.name}: ${needed.what}: none; needed where nothing else leads to its next hops`);
			return [];
		});
	});
	const unique = new Map(
		differences.map((difference) => [`${difference.what} ${difference.wanted}`, difference]),
	);
	return [...unique.values()];
}

type Needed = Pick<Difference, "what" | "wanted">;

const bfdNeeded = ({ family, multihop }: Session): Needed => ({
	what: "protocol bfd",
	wanted: `one for ipv${family}, ${multihop ? "multihop" : "direct"}`,
});

const NEEDED: Readonly<Record<Lack["id"], (session: Session, of: string | undefined) => Needed>> = {
	"device-missing": () => ({ what: "protocol device", wanted: "one" }),
	"kernel-missing": (_, family) => ({
		what: "protocol kernel",
		wanted: `one that exports ${family} routes`,
	}),
	"direct-missing": ({ family, interface: device }) => ({
		what: "protocol direct",
		wanted: `one with ipv${family}${device === undefined ? "" : ` on ${device}`}`,
	}),
	"bfd-missing": bfdNeeded,
	"bfd-not-accepted": bfdNeeded,
};
