import { withZone } from "../../lib/address.ts";
import type { Actor } from "../../model/actor.ts";
import type { Counters, Inspection } from "../../model/inspection.ts";
import { BGP_PORT } from "../../model/ports.ts";
import type { WardenEvent } from "../events.ts";
import type { PeerRecord } from "../peer-record.ts";
import { gaveUpListening } from "../peers/given-up.ts";
import { pollBirdAt, pollLater } from "../peers/polling.ts";
import { restartAfterChange } from "../peers/restart.ts";
import { attribute } from "../services/attribution.ts";
import {
	configurationOf,
	downSince,
	evidenceKey,
	evidenceKeys,
	indexOf,
	isDown,
	isEstablished,
	recordOf,
} from "../state.ts";
import type { Turn } from "../turn.ts";
import type { AddressEvidence, Detour } from "./evidence.ts";
import { considerWalk } from "./listed-ruleset.ts";
import { diagnoseAt } from "./plan-diagnoses.ts";
import { forgetOldDialers } from "./record-packets.ts";
import { SILENCE, WAITING_AFTER } from "./view.ts";

/**
 * Milliseconds between inspections of a peer that is down: during the first `early` ms, and later; and at least so many for
 * each peer that is down, since each inspection starts a process.
 */
const INSPECT = { first: 2000, later: 14_000, early: 20_000, each: { first: 200, later: 400 } } as const;
/** Peers that are asked about at a time; the others follow a moment later. */
const AT_A_TIME = { peers: 64, next: 1000 } as const;
/** A request that was not answered after this many ms never will be. */
const UNANSWERED = 15_000;
/** Milliseconds between readings of the counters, at least. */
const COUNT = { first: 2000, later: 14_000 } as const;
/** Tables whose last change is remembered. */
const MOST_TABLES = 32;
/**
 * When the route to a peer is read after its session has come up, ms: at once, and when its routes have come, which a speaker
 * sends within a second.
 */
const ROUTE_LOOKS: readonly number[] = [0, 1400, 1900];
const LAST_LOOK = Math.max(...ROUTE_LOOKS);
/** A port that BIRD could not have is looked at each `period` ms for this many ms, and with the polls after that. */
const LISTENING = { period: 4000, lasting: 300_000 } as const;

/** Somebody changed rules: what the ruleset did to earlier packets says little now. */
export function rulesetChanged(turn: Turn, names: readonly string[], actor: Actor): void {
	const by = attribute(actor, turn.time, turn.state.services) ?? actor.process;
	const { tables } = turn.state.evidence;
	const changed = [...new Map([...tables, ...names.map((name) => [name, { at: turn.time, by }] as const)])];
	turn.evidence({
		rulesChangedAt: turn.time,
		tables: new Map(changed.sort(([, a], [, b]) => b.at - a.at).slice(0, MOST_TABLES)),
	});
	// What is down may have to do with it: the next reading of BIRD has the ruleset listed.
	if ([...turn.state.peers.values()].some((record) => !isEstablished(record) && !isDown(record)))
		pollLater(turn);
	for (const record of turn.state.peers.values()) {
		const key = evidenceKey(record);
		const table = record.diagnosis?.table;
		if (key === undefined || table === undefined || !names.includes(table)) continue;
		turn.evidenceOf(key, { dials: undefined, dial: undefined, walked: undefined });
		forgetDialers(turn, record);
		turn.log("info", `table ${table}, which kept peer ${record.peer.name} down, was changed by ${by}`);
		restartAfterChange(turn, record.peer.name);
	}
}

/** What was seen of hosts in a range, which have no peer of their own, under this ruleset. */
function forgetDialers(turn: Turn, { peer }: PeerRecord): void {
	if (peer.neighborRange === undefined) return;
	const { addresses } = turn.state.evidence;
	const known = evidenceKeys(turn.state);
	turn.evidence({
		addresses: new Map([...addresses].filter(([address]) => known.has(address))),
	});
}

type PeerInspected = Extract<WardenEvent, { type: "peer_inspected" }>;

export function peerInspected(turn: Turn, { zone, inspection, ...event }: PeerInspected): void {
	const address = withZone(event.address, zone);
	const known = turn.state.evidence.addresses.get(address) ?? {};
	const record = recordOf(turn.state, address);
	const { flows, route } = inspection;
	const { tracked } = known;
	turn.evidenceOf(address, {
		inspection: { ...inspection, at: turn.time },
		inspecting: undefined,
		...(flows === undefined
			? {}
			: {
					tracked:
						flows.length === 0
							? undefined
							: { inspections: (tracked?.inspections ?? 0) + 1, since: tracked?.since ?? turn.time },
				}),
	});
	if (!record) return;
	if (!isEstablished(record)) {
		if (route) turn.evidenceOf(address, { routeWhileDown: route });
		return;
	}
	const detour = detourOf(known, inspection);
	if (detour) turn.evidenceOf(address, { detour: { ...detour, session: known.established ?? turn.time } });
	else if (route) turn.evidenceOf(address, { usualInterface: route.interface });
}

/** Whether the route is another one than the router has by itself: then the session has brought it. */
function detourOf(
	{ routeWhileDown: before }: AddressEvidence,
	{ route, noRoute, network }: Inspection,
): Omit<Detour, "session"> | undefined {
	const connected = network === undefined || network === "none" ? undefined : network;
	if (noRoute !== undefined) return connected || before ? {} : undefined;
	// A way that was there before, or may have been, the session has not brought.
	if (!route || !before) return undefined;
	const { gateway, interface: device } = route;
	if (before.gateway === gateway && before.interface === device) return undefined;
	// What was there before may have been wrong, as on a router that is starting; its own network is not.
	if (connected && gateway === undefined && device === connected.interface) return undefined;
	return { interface: device, ...(gateway === undefined ? {} : { gateway }) };
}

export function countersRead(turn: Turn, counters: Counters | undefined): void {
	const { counters: known } = turn.state.evidence;
	turn.evidence({
		counting: undefined,
		...(counters ? { counters: [...known, { ...counters, at: turn.time }].slice(-2) } : {}),
	});
}

/** After each poll of BIRD: requests what is missing to diagnose a peer. Nothing, while all is well. */
export function collectMissing(turn: Turn): void {
	forgetUnknownPeers(turn);
	const early = turn.time < turn.state.bird.followUntil + INSPECT.early;
	const down = [...turn.state.peers.values()].filter(
		(record) => !isEstablished(record) && !isDown(record),
	).length;
	const every = early
		? Math.max(INSPECT.first, down * INSPECT.each.first)
		: Math.max(INSPECT.later, down * INSPECT.each.later);
	let count = false;
	const asked = [...turn.state.evidence.addresses.values()].filter((known) => isAsked(turn, known)).length;
	const budget = { left: AT_A_TIME.peers - asked };
	for (const record of turn.state.peers.values()) {
		const key = evidenceKey(record);
		if (key === undefined) continue;
		const evidence = turn.state.evidence.addresses.get(key) ?? {};
		const about: About = { record, key, evidence, budget };
		const { bfd } = record.peer;
		if (!isDown(record) && (bfd === "down" || bfd === "init")) count = true;
		if (isDown(record)) {
			if (gaveUpListening(record)) followListening(turn, about);
		} else if (isEstablished(record)) followSession(turn, about);
		else {
			const since = downSince(turn.state, record);
			diagnoseAt(turn, since + SILENCE);
			diagnoseAt(turn, since + WAITING_AFTER);
			const last = evidence.inspection?.at ?? Number.NEGATIVE_INFINITY;
			if (turn.time - last >= every) inspect(turn, about);
		}
	}
	considerWalk(turn);
	if (!count) return;
	readCounters(turn, early);
	// Two readings of the counters show whether packets arrive.
	if (early) pollBirdAt(turn, turn.time + COUNT.first);
}

/** Once a session has come up: is the route to the peer still the one that it came up on? */
function followSession(turn: Turn, about: About): void {
	const { record, key, evidence } = about;
	if (record.peer.neighborAddress === undefined) return;
	const began =
		Math.max(record.stateSince ?? 0, record.birdSince ?? 0) || (evidence.established ?? turn.time);
	if (evidence.established === undefined || began > evidence.established || evidence.tracked)
		turn.evidenceOf(key, { established: began, tracked: undefined, stranger: undefined, walked: undefined });
	const { routeAskedFor } = evidence;
	const times = routeAskedFor?.session === began ? routeAskedFor.times : 0;
	// A session that was up before the daemon was has brought its routes long since.
	const looks = began + LAST_LOOK < turn.time ? ROUTE_LOOKS.slice(0, 1) : ROUTE_LOOKS;
	const next = looks[times];
	if (next === undefined) {
		if (times === looks.length && looks.length > 1 && !sessionDetour(turn, key, began))
			turn.evidenceOf(key, { detour: undefined });
		return;
	}
	if (began + next > turn.time) {
		pollBirdAt(turn, began + next);
		return;
	}
	if (!inspect(turn, { ...about, evidence: turn.state.evidence.addresses.get(key) ?? {} })) return;
	turn.evidenceOf(key, { routeAskedFor: { session: began, times: times + 1 } });
	const after = looks[times + 1];
	if (after !== undefined) pollBirdAt(turn, Math.max(began + after, turn.time + 300));
}

function sessionDetour(turn: Turn, key: string, session: number): boolean {
	return turn.state.evidence.addresses.get(key)?.detour?.session === session;
}

/** BIRD could not listen for this peer: who has the port, and when is it free? */
function followListening(turn: Turn, about: About): void {
	inspect(turn, about);
	const { record } = about;
	const since = Math.max(record.stateSince ?? 0, turn.state.startedAt);
	if (turn.time - since < LISTENING.lasting) pollBirdAt(turn, turn.time + LISTENING.period);
}

/** Drops what is known about peers that BIRD no longer has. */
function forgetUnknownPeers(turn: Turn): void {
	const { addresses } = turn.state.evidence;
	const known = evidenceKeys(turn.state);
	// What dials from a range is kept as long as there is one; record-packets.ts bounds it.
	const ranges = indexOf(turn.state).ranges.length > 0;
	const isKept = (address: string) => known.has(address) || (ranges && !address.includes("/"));
	if ([...addresses.keys()].some((address) => !isKept(address)))
		turn.evidence({ addresses: new Map([...addresses].filter(([address]) => isKept(address))) });
	forgetOldDialers(turn);
}

/** A peer, and what is known about it. */
interface About {
	readonly record: PeerRecord;
	readonly key: string;
	readonly evidence: AddressEvidence;
	/** How many more peers may be asked about now. */
	readonly budget: { left: number };
}

function isAsked({ time }: Turn, { inspecting }: AddressEvidence): boolean {
	return inspecting !== undefined && time - inspecting < UNANSWERED;
}

/** @returns false: it has to wait for its turn */
function inspect(turn: Turn, { record, key, evidence, budget }: About): boolean {
	const { peer } = record;
	if (peer.neighborAddress === undefined && !gaveUpListening(record)) return true;
	if (isAsked(turn, evidence)) return true;
	if (budget.left <= 0) {
		pollBirdAt(turn, turn.time + AT_A_TIME.next);
		return false;
	}
	budget.left--;
	const file = configurationOf(turn.state, record);
	const localAddress = file?.localAddress;
	turn.evidenceOf(key, { inspecting: turn.time });
	turn.do({
		type: "inspect_peer",
		address: peer.neighborAddress ?? key,
		...(peer.neighborInterface === undefined ? {} : { zone: peer.neighborInterface }),
		ports: turn.state.table.ports,
		...(localAddress === undefined ? {} : { localAddress }),
		...(gaveUpListening(record)
			? {
					listen: {
						port: file?.localPort ?? BGP_PORT,
						// Without `strict bind` BIRD takes all addresses, whatever `local` says (proto/bgp/bgp.c, bgp_open).
						...(file?.strictBind && localAddress !== undefined ? { address: localAddress } : {}),
					},
				}
			: {}),
	});
	return true;
}

function readCounters(turn: Turn, early: boolean): void {
	const { counters, counting } = turn.state.evidence;
	const last = counters.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
	if (counting !== undefined && turn.time - counting < UNANSWERED) return;
	if (turn.time - last < (early ? COUNT.first : COUNT.later)) return;
	turn.evidence({ counting: turn.time });
	turn.do({ type: "read_counters" });
}
