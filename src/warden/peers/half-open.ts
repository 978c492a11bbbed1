/**
 * A speaker that was connected to a proxy, or to a router that has forgotten the connection, takes that connection for
 * established until its own timer ends: GoBGP for four minutes. It is told that the connection is dead. FRR is not: it dials
 * again by itself after its hold time or when BFD comes up, and a reset makes it wait longer.
 */

import { parseAddress } from "../../lib/address.ts";
import { prefixContains } from "../../lib/prefix.ts";
import type { Connection } from "../../model/connection.ts";
import { isFrr, mayBeFrr } from "../../model/speaker.ts";
import type { HalfOpen, PeerRecord } from "../peer-record.ts";
import type { WardenState } from "../state.ts";
import { isEstablished, speakerOf } from "../state.ts";
import type { Turn } from "../turn.ts";
import { pollBirdAt, pollSoon } from "./polling.ts";
import { beginStep } from "./remedy-step.ts";

/** FRR without BFD dials again within 15 s (its hold time in OpenSent): who has not by then, ms, needs the reset. */
const UNKNOWN_AFTER = 30_000;
/** What a speaker takes for established for longer than this many ms, its own timers have ended. */
const FORGET_AFTER = 600_000;
/** Of one peer; a speaker has one or two. */
const MOST = 8;

/** Connections whose conntrack entries were deleted: each may still be up for the peer. */
export function rememberHalfOpen(turn: Turn, connections: readonly Connection[]): void {
	for (const connection of connections) {
		const record = peerOf(turn.state, connection.peerAddress);
		if (!record) continue;
		const { halfOpen = [] } = record;
		const others = halfOpen.filter(({ connection: known }) => !isSame(known, connection));
		if (others.length < halfOpen.length && halfOpen.some(({ resetAt }) => resetAt !== undefined)) continue;
		const remembered: HalfOpen = { connection, seenAt: turn.time };
		turn.peer(record.peer.name, { ...record, halfOpen: [...others, remembered].slice(-MOST) });
	}
	considerResets(turn);
}

/** After each reading of BIRD, and after a flush: who is to be told now? */
export function considerResets(turn: Turn): void {
	for (const record of turn.state.peers.values()) if (record.halfOpen) considerReset(turn, record);
}

function considerReset(turn: Turn, record: PeerRecord): void {
	const { peer, halfOpen = [], dialedAt = 0 } = record;
	const { time, state } = turn;
	const speaker = speakerOf(state, record);
	const isUp = isEstablished(record) && peer.neighborRange === undefined;
	// Who dials is not held by an old connection.
	const left = halfOpen.filter(({ seenAt }) => time - seenAt < FORGET_AFTER && dialedAt <= seenAt);
	if (isUp || isFrr(speaker) || left.length === 0) {
		forget(turn, record);
		return;
	}
	const pending = left.filter(({ resetAt }) => resetAt === undefined);
	const wait = mayBeFrr(speaker) ? UNKNOWN_AFTER : 0;
	const due = pending.filter(({ seenAt }) => time >= seenAt + wait);
	// BFD that is up is FRR's, or BIRD's, which dial as it comes up.
	const mayAct = state.settings.remediate && !(wait > 0 && peer.bfd === "up");
	if (due.length === 0 || !mayAct) {
		for (const { seenAt } of pending) if (time < seenAt + wait) pollBirdAt(turn, seenAt + wait);
		if (left.length < halfOpen.length) turn.peer(peer.name, { ...record, halfOpen: left });
		return;
	}
	const told = left.map((each) => (due.includes(each) ? { ...each, resetAt: time } : each));
	turn.peer(peer.name, { ...record, halfOpen: told });
	const connections = due.map(({ connection }) => connection);
	const zone = peer.neighborInterface;
	turn.do({ type: "reset_half_open", peer: peer.name, connections, ...(zone === undefined ? {} : { zone }) });
	beginStep(turn, peer.name, "reset");
}

/** @param reset connections that the peer was told of */
export function halfOpenReset(turn: Turn, peer: string, reset: number, failure: string | undefined): void {
	if (failure !== undefined)
		turn.log("warn", `peer ${peer}: its half-open connection could not be reset: ${failure}`);
	if (reset === 0) return;
	const what = reset === 1 ? "connection" : `${reset} connections`;
	turn.log("info", `peer ${peer}: told the speaker that its half-open ${what} to this router is over`);
	turn.do({ type: "report", event: "connection_reset", details: { peer, connections: reset } });
	pollSoon(turn);
}

function forget(turn: Turn, record: PeerRecord): void {
	const { halfOpen: _, ...rest } = record;
	turn.peer(record.peer.name, rest);
}

/** The peer with this address, or the range that it is in. */
function peerOf({ peers }: WardenState, address: string): PeerRecord | undefined {
	const records = [...peers.values()];
	return (
		records.find(({ peer }) => parseAddress(peer.neighborAddress ?? "")?.text === address) ??
		records.find(({ peer }) => prefixContains(peer.neighborRange ?? "", address))
	);
}

function isSame(one: Connection, other: Connection): boolean {
	return (
		one.peerPort === other.peerPort &&
		one.peerAddress === other.peerAddress &&
		one.localPort === other.localPort &&
		one.localAddress === other.localAddress
	);
}
