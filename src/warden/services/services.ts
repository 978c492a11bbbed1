import type { EventDetails } from "../../model/event.ts";
import { KNOWN_SERVICES } from "../../model/known-programs.ts";
import type { ServiceEvent, ServiceProcess } from "../../model/service.ts";
import { pollLater, pollSoon } from "../peers/polling.ts";
import type { Burst, ServicesState } from "../state.ts";
import { ensureTable } from "../table/table.ts";
import type { Turn } from "../turn.ts";
import { AFTER, attribute } from "./attribution.ts";

/** Services that change rules, routes or BIRD, by the names of their scripts in /etc/init.d. */
const WATCHED = new Set([...KNOWN_SERVICES, ..."firewall network bird bird2 bird3 bird4 bird6".split(" ")]);
/** Changes of a service this many ms apart are one. */
const QUIET = 1000;
/** A stop of a service waits this many ms for the start after it; procd's `term_timeout` is 5 s. */
const STOPPING = 6000;
/** A service that crashes again and again is reported once in this many ms. */
const CRASHING = 60_000;
/** The table is checked this many ms after a change, and once more, because such services set their rules a moment later. */
const CHECK = 1000;
const CHECK_AGAIN = 4000;

export function serviceChanged(turn: Turn, event: ServiceEvent): void {
	if (!WATCHED.has(event.service)) return;
	const { service, change, exitCode } = event;
	const { services } = turn.state;
	const before = services.bursts[service];
	const burst: Burst = {
		last: turn.time,
		// `instance.stop` comes before each respawn and failure, and says less.
		lastChange: change,
		stopped: change === "stop" || before?.stopped === true,
		respawns: (before?.respawns ?? 0) + (change === "respawn" ? 1 : 0),
		...(exitCode === undefined
			? before?.exitCode === undefined
				? {}
				: { exitCode: before.exitCode }
			: { exitCode }),
	};
	turn.services({
		changed: { ...services.changed, [service]: turn.time },
		bursts: { ...services.bursts, [service]: burst },
		checkAt: services.checkAt ?? turn.time + CHECK,
		checkAgainAt: turn.time + CHECK_AGAIN,
		// Its process id may be another program's from now on.
		...(change === "start"
			? {}
			: { processes: services.processes.filter((process) => !isOf(process, event)) }),
	});
	if (service.startsWith("bird")) pollSoon(turn);
	else pollLater(turn);
	attributeLate(turn);
}

export function servicesRead(turn: Turn, processes: readonly ServiceProcess[]): void {
	turn.services({ processes });
}

export function servicesTick(turn: Turn): void {
	const { bursts, checkAt, checkAgainAt } = turn.state.services;
	for (const [service, burst] of Object.entries(bursts)) {
		if (turn.time >= dueAt(turn.state.services, service, burst)) reportChange(turn, service, burst);
	}
	const check = checkAt !== undefined && turn.time >= checkAt;
	const again = checkAgainAt !== undefined && turn.time >= checkAgainAt;
	if (!check && !again) return;
	turn.services({ ...(check ? { checkAt: undefined } : {}), ...(again ? { checkAgainAt: undefined } : {}) });
	turn.do({ type: "read_services" });
	ensureTable(turn, []);
}

/** When `servicesTick` has something to do. */
export function servicesAt(services: ServicesState): number | undefined {
	const times = Object.entries(services.bursts).map(([service, burst]) => dueAt(services, service, burst));
	for (const time of [services.checkAt, services.checkAgainAt]) if (time !== undefined) times.push(time);
	return times.length === 0 ? undefined : Math.min(...times);
}

function dueAt({ reported }: ServicesState, service: string, burst: Burst): number {
	const last = reported[service];
	if (burst.respawns > 0 && burst.lastChange !== "fail") {
		const notBefore = last?.change === "respawned" ? last.at + CRASHING : 0;
		return Math.max(burst.last + QUIET, notBefore);
	}
	return burst.last + (burst.lastChange === "stop" ? STOPPING : QUIET);
}

type ServiceReport = EventDetails["service_restarted"]["change"];

function nameOf({ lastChange, respawns, stopped }: Burst): ServiceReport {
	if (lastChange === "fail") return "failed";
	if (respawns > 0) return "respawned";
	if (lastChange === "stop") return "stopped";
	return stopped ? "restarted" : "started";
}

function reportChange(turn: Turn, service: string, burst: Burst): void {
	const change = nameOf(burst);
	const { bursts, reported } = turn.state.services;
	const { [service]: _, ...others } = bursts;
	const last = reported[service];
	turn.services({ bursts: others });
	// A slow instance of the same restart, or the start that a respawn announced.
	const age = last === undefined ? Number.POSITIVE_INFINITY : turn.time - last.at;
	if (change === last?.change && change !== "respawned" && age < STOPPING) return;
	if (change === "started" && last?.change === "respawned" && age < CRASHING) return;
	turn.services({ reported: { ...reported, [service]: { at: turn.time, change } } });
	turn.log("info", `service ${service} ${change}`);
	turn.do({
		type: "report",
		event: "service_restarted",
		details: {
			service,
			change,
			exit_code: burst.exitCode,
			...(burst.respawns > 1 ? { respawns: burst.respawns } : {}),
		},
	});
}

/** A stop is told after the init script has done it: the service is then known only after the repair. */
function attributeLate(turn: Turn): void {
	const { lastRepair, lastLoss } = turn.state.table;
	if (!lastRepair || !lastLoss || lastRepair.service !== undefined) return;
	if (turn.time > lastLoss.at + AFTER) return;
	const service = attribute(lastLoss.actor, lastLoss.at, turn.state.services);
	if (service !== undefined) turn.table({ lastRepair: { ...lastRepair, service } });
}

function isOf(process: ServiceProcess, { service, instance }: ServiceEvent): boolean {
	return process.service === service && (instance === undefined || process.instance === instance);
}
