import { prefixContains } from "../../lib/prefix.ts";
import { DIAGNOSES } from "../../model/catalog.ts";
import type { Diagnosis } from "../../model/diagnosis.ts";
import { isNote } from "../../model/peer-level.ts";
import { mayBeFrr, speakerWords } from "../../model/speaker.ts";
import type { PeerRecord } from "../peer-record.ts";
import type { WardenState } from "../state.ts";
import { downSince, isEstablished, speakerOf } from "../state.ts";
import { lastDial } from "./evidence.ts";
import { describeTime } from "./evidence-text.ts";
import { diagnoseHandshake } from "./handshake.ts";
import { diagnoseWalk } from "./listed-ruleset.ts";
import { ALIVE, silentSince } from "./silence.ts";
import { hearingSince, SILENCE, type View, WAITING_AFTER } from "./view.ts";

/** A node that is unreachable for this many ms has gone. */
const GONE_AFTER = 60_000;

/** A `neighbor range`: it is up when one of its nodes is; else why no node is connected. */
export function diagnoseRange(view: View): Diagnosis | undefined {
	const { record, state, now } = view;
	const { name, neighborRange } = record.peer;
	const whose = `${name} (${neighborRange})`;
	if (isEstablished(record)) {
		const { connected = 0 } = record;
		return {
			id: "healthy",
			explanation: `${whose}: ${connected} of its nodes ${connected === 1 ? "is" : "are"} connected`,
			evidence: [],
		};
	}
	const node = worstOf(nodesOf(state, name));
	if (node) return { ...node, explanation: `no node of ${whose} is connected: ${node.explanation}` };
	const dialer = diagnoseDialers(view) ?? diagnoseWalk(view);
	if (dialer) return { ...dialer, explanation: `no node of ${whose} is connected: ${dialer.explanation}` };
	if (now - downSince(state, record) < WAITING_AFTER) return undefined;
	const since = hearingSince(state);
	const speaker = speakerOf(state, record);
	const { sessions, log, multihop } = speakerWords(speaker);
	const seen = dialersOf(view).length > 0;
	return {
		id: "range-waiting",
		explanation: `no node of ${whose} is connected${seen ? "" : ", and none has dialed"}`,
		evidence:
			since === undefined || seen ? [] : [`no SYN from ${neighborRange} since ${describeTime(view, since)}`],
		remedy: `check that the speakers run and dial this router: ${sessions}, and ${log}${mayBeFrr(speaker) ? `; where their route to it is \`kernel\`, set ${multihop}` : ""}`,
	};
}

/** What happened to the SYNs of hosts in the range that BIRD has no protocol for yet, the newest first. */
function diagnoseDialers(view: View): Diagnosis | undefined {
	for (const address of dialersOf(view)) {
		const { neighborRange: _, ...peer } = view.record.peer;
		const record = { ...view.record, peer: { ...peer, neighborAddress: address } };
		const evidence = view.state.evidence.addresses.get(address) ?? {};
		const found = diagnoseHandshake({ ...view, record, evidence });
		if (found) return found;
	}
	return undefined;
}

function dialersOf({ state, record, now }: View): string[] {
	const { addresses } = state.evidence;
	const at = (address: string) => lastDial(addresses.get(address) ?? {})?.syn.at ?? 0;
	return [...addresses.keys()]
		.filter((address) => prefixContains(record.peer.neighborRange ?? "", address))
		.filter((address) => at(address) > 0 && now - at(address) < SILENCE)
		.sort((one, other) => at(other) - at(one));
}

function nodesOf({ peers }: WardenState, range: string): PeerRecord[] {
	return [...peers.values()].filter((record) => record.range === range && !isEstablished(record));
}

function worstOf(nodes: readonly PeerRecord[]): Diagnosis | undefined {
	const found = nodes.flatMap(({ diagnosis }) => (diagnosis && !isNote(diagnosis.id) ? [diagnosis] : []));
	return found.sort((one, other) => DIAGNOSES.indexOf(one.id) - DIAGNOSES.indexOf(other.id))[0];
}

/**
 * A node that BIRD has made a protocol for, and that has gone: BIRD keeps it (`node-gone`). It is a note only: one whose host is
 * there, or to which there is no way, or that could not be looked at or listened for, is not taken for gone.
 */
export function diagnoseNode(view: View): Diagnosis | undefined {
	const { record, evidence, now, state } = view;
	const { route, neighbor } = evidence.inspection ?? {};
	if (record.range === undefined || record.peer.bfd === "up" || !route || neighbor === undefined)
		return undefined;
	// Behind a gateway, the entry is the gateway's.
	const behind = route.gateway !== undefined;
	const entry = neighbor === "none" ? "" : neighbor.state;
	const unreachable = entry === "FAILED" || entry === "INCOMPLETE";
	if (unreachable && behind) return undefined;
	const silent = now - (silentSince(view) ?? now) >= SILENCE && (behind || !ALIVE.has(entry));
	if (!(unreachable && now - downSince(state, record) >= GONE_AFTER) && !silent) return undefined;
	return {
		id: "node-gone",
		explanation: `${record.peer.neighborAddress ?? record.peer.name} of range ${record.range} has gone; BIRD still has its peer ${record.peer.name}`,
		evidence: [unreachable ? "its host does not answer" : "no SYN for minutes"],
		remedy: "nothing to do: BIRD forgets it with its next restart",
	};
}
