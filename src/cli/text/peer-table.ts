import { printable } from "../../lib/printable.ts";
import { peerLevel } from "../../model/peer-level.ts";
import type { PeerStatus } from "../../model/status.ts";
import { type Cell, type Color, type Column, paint, renderTable, type TextOptions } from "./layout.ts";
import { formatSince } from "./time.ts";

const NODE: Column = { title: "NODE" };
const COLUMNS: readonly Column[] = [
	{ title: "PEER" },
	{ title: "STATE" },
	{ title: "FOR" },
	{ title: "NEIGHBOR" },
	NODE,
	{ title: "AS", right: true },
	{ title: "BFD" },
	{ title: "IMPORTED", right: true },
	{ title: "EXPORTED", right: true },
	{ title: "PREFERRED", right: true },
	{ title: "FLAPS", right: true },
];

/**
 * What `bgpwarden peers` prints: one line for each peer, then what is to be said about single ones.
 * @param now milliseconds since 1970
 */
export function renderPeers(peers: readonly PeerStatus[], now: number, options: TextOptions): string {
	if (peers.length === 0) return "No BGP peer is known.\n";
	// Known once a session has been up, and only where the speaker tells it.
	const columns = peers.some(({ node }) => node !== undefined)
		? COLUMNS
		: COLUMNS.filter((column) => column !== NODE);
	const rows = peers.map((peer) => peerRow(peer, now, columns.length === COLUMNS.length));
	const lines = [...renderTable(columns, rows, options), ...peers.flatMap((peer) => remarks(peer, options))];
	return `${lines.join("\n")}\n`;
}

export function isEstablished(peer: PeerStatus): boolean {
	return peer.state === "Established";
}

/** @param hasNode whether there is a column for the node */
function peerRow(peer: PeerStatus, now: number, hasNode: boolean): Cell[] {
	return [
		{ text: peer.name, color: "bold" },
		{ text: stateOf(peer), color: peerLevel(peer) },
		{ text: formatSince(peer.since, now) },
		{ text: peer.neighbor_address ?? peer.neighbor_range },
		...(hasNode ? [{ text: peer.node }] : []),
		number(peer.neighbor_as),
		bfd(peer),
		number(peer.imported),
		number(peer.exported),
		number(peer.preferred),
		{ ...number(peer.flaps), ...(peer.flaps > 0 ? { color: "yellow" as const } : {}) },
	];
}

/** A range has as many sessions as nodes of it are connected. */
function stateOf({ state, connected }: PeerStatus): string | undefined {
	return connected === undefined ? state : `${connected} connected`;
}

function bfd(peer: PeerStatus): Cell {
	if (peer.bfd === undefined) return { text: undefined };
	const text = peer.bfd === "admin_down" ? "admin down" : peer.bfd;
	const color: Color | undefined = peer.bfd === "up" ? "green" : peer.bfd === "none" ? undefined : "red";
	return { text, ...(color ? { color } : {}) };
}

function number(value: number | undefined): Cell {
	return { text: value === undefined ? undefined : String(value) };
}

/** An old error of a session that is up again is no news. */
function remarks(peer: PeerStatus, options: TextOptions): string[] {
	const entries: (readonly [string, string | undefined])[] = [
		["last error", isEstablished(peer) ? undefined : peer.last_error],
		// That all is well is in the table above.
		[peer.diagnosis ?? "diagnosis", peer.diagnosis === "healthy" ? undefined : peer.explanation],
		["remedy", peer.remedy],
		["tried", isEstablished(peer) ? undefined : peer.tried],
		["note", peer.note],
	];
	return entries
		.filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "")
		.map(
			([label, text]) =>
				`${paint(`${printable(peer.name, 64)}: ${label}:`, "dim", options)} ${printable(text)}`,
		);
}
