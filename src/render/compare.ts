/** The BIRD that is there against the one that would be rendered. Pure. */

import type { BirdPeer } from "../model/bird.ts";
import type {
	BfdConfiguration,
	BgpConfiguration,
	BirdConfiguration,
	DirectConfiguration,
} from "../model/bird-configuration.ts";
import { HOLD_TIME, MULTIHOP_HOPS, type Plan, type Session } from "./plan.ts";

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
		...compareShared(sessions, bird),
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
		compare("neighbor", found.neighborAddress, session.remoteAddress);
		compare("neighbor as", found.neighborAs, session.remoteAs);
		compare("local as", found.localAs, session.localAs);
		compare(
			"bfd session",
			found.bfdMode,
			session.bfd ? (session.multihop ? "multihop" : "direct") : undefined,
		);
		return compare.differences;
	});
	return { differences, notes: strangers(sessions, peers) };
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

/** Collects differences of one peer; a side that is undefined is not compared. */
function comparer(peer: string) {
	const differences: Difference[] = [];
	const compare = (what: string, there: string | number | undefined, wanted: string | number | undefined) => {
		if (there === undefined || wanted === undefined || there === wanted) return;
		differences.push({ peer, what, there: String(there), wanted: String(wanted) });
	};
	return Object.assign(compare, { differences });
}

function compareSession(session: Session, bgp: BgpConfiguration, notes: string[]): Difference[] {
	const compare = comparer(session.name);
	const read = <T>(what: string, value: T | undefined): T | undefined => {
		if (value === undefined) notes.push(`${session.name}: ${what}: could not be read`);
		return value;
	};
	const { multihop, family } = session;
	const said = (value: boolean | undefined) => (value === undefined ? undefined : value ? "on" : "off");
	if (bgp.disabled) compare("disabled", "on", "off");
	// BIRD finds its own address by itself when the session is direct.
	compare("local", bgp.localAddress ?? (multihop ? "no address" : undefined), session.localAddress);
	compare("local as", read("local as", bgp.localAs), session.localAs);
	compare("neighbor", read("neighbor", bgp.neighborRange ?? bgp.neighborAddress), session.remoteAddress);
	const kind = session.localAs === session.remoteAs ? "internal" : "external";
	const neighborAs = read("neighbor as", bgp.neighborAs);
	compare("neighbor as", neighborAs, typeof neighborAs === "string" ? kind : session.remoteAs);
	compare("interface", bgp.interface, session.linkLocal ? session.interface : undefined);
	const hops = read("multihop", bgp.multihop);
	// How many hops is a matter of taste; whether there are any decides BFD's port.
	if (hops !== undefined && (hops !== false) !== multihop)
		compare("multihop", hops === false ? "direct" : hops, multihop ? MULTIHOP_HOPS : "direct");
	compare("passive", said(read("passive", bgp.passive)), "on");
	compare("graceful restart", read("graceful restart", bgp.gracefulRestart), "on");
	const bfd = read("bfd", bgp.bfd);
	compare("bfd", bfd === "graceful" ? "on" : bfd, session.bfd ? "on" : "off");
	const holdTime = read("hold time", bgp.holdTime);
	compare("hold time", holdTime === undefined ? undefined : `${holdTime} s`, `${HOLD_TIME} s`);
	if (!bgp.channels.some((channel) => channel.family === `ipv${family}`))
		compare("channel", bgp.channels.map((channel) => channel.family).join(", ") || "none", `ipv${family}`);
	if (bgp.password)
		notes.push(
			`${session.name}: has a password, which is not rendered; the speaker's BGPPeer needs the same one`,
		);
	return compare.differences;
}

/** The protocols that the BGP sessions lean on. */
function compareShared(sessions: readonly Session[], bird: BirdConfiguration): Difference[] {
	const differences: Difference[] = [];
	const want = (met: boolean, what: string, wanted: string) => {
		if (!met) differences.push({ what, there: "none", wanted });
	};
	want(bird.device, "protocol device", "one");
	for (const family of [4, 6] as const) {
		const mine = sessions.filter((session) => session.family === family);
		if (mine.length === 0) continue;
		const channel = `ipv${family}`;
		const kernel = bird.kernel.some(
			({ disabled, channels }) => !disabled && channels.some((each) => each.family === channel),
		);
		want(kernel, "protocol kernel", `one with ${channel}`);
		const multihop = mine.filter((session) => session.multihop);
		for (const device of interfacesOf(multihop))
			want(
				bird.direct.some((direct) => bringsIn(direct, channel, device)),
				"protocol direct",
				wantedOn(channel, device),
			);
		for (const session of mine.filter(({ bfd }) => bfd)) {
			const serves = bird.bfd.some((bfd) => covers(bfd, session));
			want(serves, "protocol bfd", `one for ${channel}, ${session.multihop ? "multihop" : "direct"}`);
		}
	}
	const unique = new Map(
		differences.map((difference) => [`${difference.what} ${difference.wanted}`, difference]),
	);
	return [...unique.values()];
}

function wantedOn(what: string, device: string | undefined): string {
	return device === undefined ? `one with ${what}` : `one with ${what} on ${device}`;
}

function interfacesOf(sessions: readonly Session[]): Set<string | undefined> {
	return new Set(sessions.map((session) => session.interface));
}

function bringsIn(
	{ disabled, families, patterns }: DirectConfiguration,
	channel: string,
	device: string | undefined,
) {
	return !disabled && families.includes(channel) && matches(patterns, device);
}

/** Interfaces need no pattern, and multihop no section: BIRD then has defaults (proto/bfd/bfd.c, bfd_find_iface_config). */
function covers({ disabled, accept }: BfdConfiguration, session: Session): boolean {
	const family = session.family === 4 ? accept.ipv4 : accept.ipv6;
	return !disabled && family && (session.multihop ? accept.multihop : accept.direct);
}

/** Whether BIRD's patterns take an interface; one that is not known, and prefixes, get the benefit of the doubt. */
function matches(patterns: readonly string[], device: string | undefined): boolean {
	if (patterns.length === 0 || device === undefined) return true;
	for (const pattern of patterns) {
		const excludes = pattern.startsWith("-");
		const text = excludes ? pattern.slice(1) : pattern;
		if (/[/:]|^[0-9.]+$/.test(text)) {
			if (!excludes) return true;
			continue;
		}
		const source = text
			.replace(/[\\^$.+()[\]{}|]/g, "\\$&")
			.replace(/\*/g, ".*")
			.replace(/\?/g, ".");
		if (new RegExp(`^${source}$`).test(device)) return !excludes;
	}
	return false;
}
