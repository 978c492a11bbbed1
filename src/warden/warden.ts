import { withZone } from "../lib/address.ts";
import { clockOffset, type Moment } from "../lib/clock.ts";
import type { Command } from "../model/command.ts";
import type { Settings } from "../model/settings.ts";
import { sameTable } from "../model/table.ts";
import type { Action } from "./actions.ts";
import { countersRead, peerInspected, rulesetChanged } from "./diagnosis/collect-evidence.ts";
import { rulesetWalked } from "./diagnosis/listed-ruleset.ts";
import { packetsTraced } from "./diagnosis/record-packets.ts";
import { diagnosesDueAt, diagnosesTick, updateDiagnoses } from "./diagnosis/update-diagnoses.ts";
import type { WardenEvent } from "./events.ts";
import { failed, succeeded, TICK_AGAIN } from "./failing.ts";
import { gaveUp } from "./peers/given-up.ts";
import { halfOpenReset, rememberHalfOpen } from "./peers/half-open.ts";
import {
	birdConfigured,
	birdLost,
	birdRead,
	birdUp,
	peerRestarted,
	tellUnknownPeers,
} from "./peers/peers.ts";
import { pollingTick, pollSoon } from "./peers/polling.ts";
import { strangerDialed } from "./peers/unknown-dialers.ts";
import { updatePorts } from "./ports.ts";
import { serviceChanged, servicesAt, servicesRead, servicesTick } from "./services/services.ts";
import type { WardenState } from "./state.ts";
import { contentionEndsAt, contentionTick } from "./table/contention.ts";
import { flushed, flushFailed, flushTick, requestFlush } from "./table/flush-requests.ts";
import { firewallChanged, firewallSeen, look } from "./table/look-at-firewall.ts";
import * as outcomes from "./table/outcomes.ts";
import * as repair from "./table/repair.ts";
import * as table from "./table/table.ts";
import { tableDeadlines } from "./table/table-state.ts";
import * as watch from "./table/watch.ts";
import { Turn } from "./turn.ts";

/** The warden: what is to be done about an event. Pure: no I/O, no clock, no timers. Never throws. */
export function step(
	state: WardenState,
	event: WardenEvent,
	now: Moment,
): { readonly state: WardenState; readonly actions: readonly Action[] } {
	const before = { ...state, clockOffset: clockOffset(state.clockOffset, now) };
	const turn = new Turn(before, now);
	const handle = handlers[event.type] as (turn: Turn, event: WardenEvent) => void;
	try {
		handle(turn, event);
		if (event.type === "peer_inspected") updateDiagnoses(turn, withZone(event.address, event.zone));
		else if (CHANGES_DIAGNOSES.has(event.type)) updateDiagnoses(turn);
		succeeded(turn, event.type);
		return { state: turn.state, actions: turn.actions };
	} catch (error) {
		return failed(new Turn(before, now), event.type, error);
	}
}

/** Events after which a diagnosis may be another. */
const CHANGES_DIAGNOSES: ReadonlySet<WardenEvent["type"]> = new Set([
	"bird_read",
	"bird_lost",
	"packets_traced",
	"ruleset_walked",
	"counters_read",
] as const);

/** When the warden wants a `tick`, in monotonic milliseconds; undefined: not before something happens. */
export function nextDeadline(state: WardenState): number | undefined {
	const times = [
		...tableDeadlines(state.table),
		contentionEndsAt(state.table),
		state.flush.retryAt,
		state.bird.due[0],
		state.bird.pollAt,
		servicesAt(state.services),
		diagnosesDueAt(state),
	].filter((time) => time !== undefined);
	if (times.length === 0) return undefined;
	// A tick that has failed leaves its deadlines where they were.
	return Math.max(Math.min(...times), state.failing?.type === "tick" ? state.failing.at + TICK_AGAIN : 0);
}

type Handlers = {
	readonly [Type in WardenEvent["type"]]: (turn: Turn, event: Extract<WardenEvent, { type: Type }>) => void;
};

const handlers: Handlers = {
	started: (turn) => table.startTable(turn),
	configured: (turn, { settings }) => configured(turn, settings),
	watch_started: (turn) => watch.watchStarted(turn),
	watch_ended: (turn, { reason, paused }) => watch.watchEnded(turn, reason, paused),
	watch_gap: (turn) => watch.watchGap(turn),
	table_touched: (turn, { touch, actor }) => repair.tableTouched(turn, touch, actor),
	own_transaction: (turn) => repair.ownTransaction(turn),
	installed: (turn, { owned }) => outcomes.installed(turn, owned),
	install_failed: (turn, { reason }) => outcomes.installFailed(turn, reason),
	owner_lost: (turn, { reason }) => repair.ownerLost(turn, reason),
	released: (turn, { ids, failure }) => table.released(turn, ids, failure),
	listed: (turn, { text, peers, ports }) => outcomes.listed(turn, text, peers ?? [], ports ?? []),
	list_failed: (turn, { reason }) => outcomes.listFailed(turn, reason),
	flushed: (turn, { deleted, left, connections }) => {
		flushed(turn, deleted, left);
		rememberHalfOpen(turn, connections ?? []);
	},
	flush_failed: (turn, { reason }) => flushFailed(turn, reason),
	session_sign: (turn) => pollSoon(turn),
	syn_flood: (turn) => table.tracePeers(turn),
	stranger_dialed: (turn, event) => strangerDialed(turn, event.address, event.interface),
	packets_traced: (turn, { traces }) => packetsTraced(turn, traces),
	ruleset_changed: (turn, { tables, actor, firewall }) => {
		// First of all: fw4 may be about to load its ruleset.
		firewallChanged(turn, tables, firewall);
		rulesetChanged(turn, tables, actor);
	},
	firewall_seen: (turn, event) => firewallSeen(turn, event),
	peer_inspected: peerInspected,
	counters_read: (turn, { counters }) => countersRead(turn, counters),
	bird_up: (turn, { version }) => birdUp(turn, version),
	bird_lost: (turn, { reason }) => birdLost(turn, reason),
	bird_configured: (turn, { configuration }) => birdConfigured(turn, configuration),
	ruleset_walked: rulesetWalked,
	bird_read: (turn, { reading }) => birdRead(turn, reading),
	peer_restarted: (turn, { peer, verb, id, failure }) => peerRestarted(turn, peer, verb, id, failure),
	half_open_reset: (turn, { peer, reset, failure }) => halfOpenReset(turn, peer, reset, failure),
	service: (turn, event) => serviceChanged(turn, event),
	services_read: (turn, { processes }) => servicesRead(turn, processes),
	command: (turn, event) => command(turn, event.command),
	problem: (turn, { kind, text }) => turn.problem(kind, text),
	tick,
};

function tick(turn: Turn): void {
	watch.tableTick(turn);
	contentionTick(turn);
	flushTick(turn);
	pollingTick(turn);
	servicesTick(turn);
	diagnosesTick(turn);
}

function configured(turn: Turn, settings: Settings): void {
	const old = turn.state.settings;
	turn.state = { ...turn.state, settings };
	const tableSame = sameTable(old, settings) && old.protect === settings.protect;
	const addressesSame = old.addresses.join() === settings.addresses.join();
	if (!tableSame || !addressesSame || turn.state.table.released) {
		turn.table({ addresses: table.tableAddresses(turn) });
		const names = new Set([...turn.state.table.former, old.table]);
		names.delete(settings.table);
		turn.table({ former: [...names] });
		table.endRelease(turn);
		table.reinstall(turn);
	}
	look(turn, true);
	updatePorts(turn);
	tellUnknownPeers(turn);
	turn.log("info", "configuration reloaded");
	pollSoon(turn);
}

function ensure(turn: Turn, ids: readonly string[]): void {
	// A hook of the firewall's, which has no id, is not the person who had the table released.
	if (turn.state.table.released && ids.length === 0) return;
	if (turn.state.table.released) {
		table.endRelease(turn);
		table.reinstall(turn, ids);
	} else table.ensureTable(turn, ids);
}

function command(turn: Turn, { id, verb, peer }: Command): void {
	const ids = id === undefined ? [] : [id];
	if (verb === "ensure") {
		ensure(turn, ids);
	} else if (verb === "release") {
		table.releaseTable(turn, ids);
	} else if (verb === "flush") {
		requestFlush(turn, ids);
	} else if (peer === undefined || !turn.state.peers.has(peer)) {
		const known = [...turn.state.peers.keys()].sort().join(", ");
		const text = `BIRD has no peer '${peer ?? ""}'${known === "" ? "" : `; it has ${known}`}`;
		turn.log("warn", text);
		turn.reply(ids, false, text);
	} else {
		const record = turn.state.peers.get(peer);
		// BIRD restarts none that it has disabled itself.
		const verb = record && gaveUp(record) ? "enable" : "restart";
		turn.log("info", `peer ${peer}: ${verb === "enable" ? "enabled" : "restarted"} in BIRD on request`);
		if (record) turn.peer(peer, { ...record, restart: { ...record.restart, askedAt: turn.time } });
		turn.do({ type: "restart_peer", peer, verb, ...(id === undefined ? {} : { id }) });
	}
}
