import type { Diagnosis } from "../../model/diagnosis.ts";
import type { Obstacle, WalkedPeer } from "../../model/obstacle.ts";
import { BFD_PORTS, BGP_PORT } from "../../model/ports.ts";
import { EFFECTS } from "../../model/rule-effect.ts";
import type { WardenEvent } from "../events.ts";
import type { PeerRecord } from "../peer-record.ts";
import type { WardenState } from "../state.ts";
import { configurationOf, downSince, evidenceKey, isDown, isEstablished } from "../state.ts";
import type { Turn } from "../turn.ts";
import { describeBird, describePeer, describeTime } from "./evidence-text.ts";
import { diagnoseAt } from "./plan-diagnoses.ts";
import { adviseBlocked, adviseBypass, describeLastChange } from "./stopped-packet.ts";
import type { View } from "./view.ts";

type RulesetWalked = Extract<WardenEvent, { type: "ruleset_walked" }>;

/** A peer is down for this many ms before the ruleset is listed for it: most come back sooner. */
const PATIENCE = 3000;
/** Milliseconds between two listings, which may have megabytes: while an outage is young, and later. */
const APART = { early: 4000, later: 20_000, young: 20_000 } as const;
/** A listing that was not answered after this many ms never will be. */
const UNANSWERED = 15_000;
/** Peers that are sent through the ruleset at once. */
const MOST_PEERS = 64;

/**
 * A peer that is down and silent tells nothing of what would happen to its SYN: once in an outage, and after each change of
 * rules, the ruleset is listed and asked.
 */
export function considerWalk(turn: Turn): void {
	const { state } = turn;
	const { walking, walkedAt, rulesChangedAt = 0, addresses } = state.evidence;
	const wanting = [...state.peers.values()].filter((record) => {
		const walked = addresses.get(evidenceKey(record) ?? "")?.walked;
		if (isEstablished(record) || isDown(record) || !walkedPeer(state, record)) return false;
		const down = downSince(state, record);
		const since = Math.max(down, rulesChangedAt, state.table.installedAt ?? 0);
		if (walked && walked.at >= since) return false;
		diagnoseAt(turn, down + PATIENCE);
		return turn.time - down >= PATIENCE;
	});
	const peers = wanting.flatMap((record) => walkedPeer(state, record) ?? []).slice(0, MOST_PEERS);
	if (peers.length === 0) return;
	if (walking !== undefined && turn.time - walking < UNANSWERED) return;
	const young = wanting.some(({ stateSince = 0 }) => turn.time - stateSince < APART.young);
	if (walkedAt !== undefined && turn.time - walkedAt < (young ? APART.early : APART.later)) return;
	turn.evidence({ walking: turn.time });
	turn.do({ type: "walk_ruleset", peers });
}

function walkedPeer(state: WardenState, record: PeerRecord): WalkedPeer | undefined {
	const { peer } = record;
	const address = peer.neighborAddress ?? peer.neighborRange;
	if (address === undefined) return undefined;
	const file = configurationOf(state, record);
	const { inspection } = state.evidence.addresses.get(evidenceKey(record) ?? "") ?? {};
	const network = inspection?.network;
	const link = network === undefined || network === "none" ? undefined : network.interface;
	const mode =
		peer.bfdMode ??
		(file?.multihop === undefined ? undefined : file.multihop === false ? "direct" : "multihop");
	const usesBfd = file
		? file.bfd === "on" || file.bfd === "graceful"
		: peer.bfd !== undefined && peer.bfd !== "none";
	return {
		name: peer.name,
		address,
		localAddress: file?.localAddress ?? inspection?.route?.source,
		interface: state.settings.interfaces.get(peer.name) ?? inspection?.route?.interface ?? link,
		ports: { router: file?.localPort ?? BGP_PORT, peer: file?.neighborPort ?? BGP_PORT },
		dials: file?.passive === false,
		bfdPort:
			usesBfd && mode !== undefined
				? mode === "multihop"
					? BFD_PORTS.multihop
					: BFD_PORTS.singleHop
				: undefined,
	};
}

export function rulesetWalked(turn: Turn, { obstacles, unreviewed = [] }: RulesetWalked): void {
	const { tables, walking: at = turn.time } = turn.state.evidence;
	turn.evidence({ walking: undefined, walkedAt: turn.time });
	for (const record of turn.state.peers.values()) {
		const found = obstacles?.get(record.peer.name);
		const key = evidenceKey(record);
		if (!found || key === undefined) continue;
		// A table that was changed while the ruleset was listed may have been listed before.
		const still = found.filter(({ table }) => (tables.get(table)?.at ?? -1) < at);
		turn.evidenceOf(key, { walked: { at, obstacles: still, unreviewed } });
	}
}

/** The ruleset, as it is listed, stops the peer's packets for sure: `blocked`, `hijacked`, `reply-dropped`. */
export function diagnoseWalk(view: View): Diagnosis | undefined {
	const { walked } = view.evidence;
	const first = walked?.obstacles.find(
		({ id, certain, effect }) => certain && effect !== "mark" && !id.startsWith("bfd-"),
	);
	if (!walked || !first) return undefined;
	return explainObstacle(view, first, walked.at);
}

function explainObstacle(view: View, obstacle: Obstacle, at: number): Diagnosis {
	const { id, effect, place, zone, table, packet, evidence } = obstacle;
	const { record } = view;
	const whose = packet.replace("the peer's SYN", `a SYN of ${describePeer(record)}`);
	const lines = [
		...evidence,
		`the ruleset as it was at ${describeTime(view, at)}`,
		...describeLastChange(view, table),
		describeBird(record),
	];
	const answers = id === "answer-dropped" || id === "answer-diverted";
	const blocked = table === "inet fw4" && (effect === "drop" || effect === "reject");
	return {
		id: answers ? "reply-dropped" : blocked ? "blocked" : "hijacked",
		explanation: `${answers ? `the router's own SYN-ACK to ${describePeer(record)}` : whose} would be ${EFFECTS[effect]} ${place}`,
		evidence: lines,
		remedy: answers
			? `exclude BGP's answers from the rules of table ${table}`
			: blocked
				? adviseBlocked(view, zone)
				: adviseBypass(view, table),
		table,
	};
}
