import type { Actor } from "../../model/actor.ts";
import { servicesOf } from "../../model/known-programs.ts";
import type { ServiceProcess } from "../../model/service.ts";

/** What is known about services when somebody has to be named. */
export interface ServiceKnowledge {
	/** The processes that procd runs. */
	readonly processes: readonly ServiceProcess[];
	/** When each service last changed, monotonic milliseconds. */
	readonly changed: Readonly<Record<string, number>>;
}

/** This many ms before a loss, a service that changed may be why. */
const BEFORE = 10_000;
/** This many ms after: procd tells a stop after the init script has done its work (rc.common, `stop`). */
export const AFTER = 2000;
const SCRIPT = /(?:^|[\s/])(?:etc\/init\.d|etc\/rc\.d)\/(?:[SK]\d{2})?([\w.-]+)/;
/** A person's own session, or what runs things for others than services, whatever services do meanwhile. */
const ELSEWHERE =
	/^(?:\S*\/)?(?:dropbear|sshd|login|getty|ttyd|askfirst|crond|rpcd|uhttpd)\b|^-|^\S*sh (?:--login|-l)\b|\/sbin\/hotplug-call\b/;
/**
 * Which service changed the ruleset. From strong to weak: procd's own process among the actor and its ancestors; an init
 * script among their command lines; a program that belongs to one service alone of those that are known here; the only
 * service that changed around that time, unless the actor has another origin.
 * @param at when it was, monotonic milliseconds
 */
export function attribute(
	actor: Actor | undefined,
	at: number,
	services: ServiceKnowledge,
): string | undefined {
	const ancestors = actor?.ancestors ?? [];
	const pids = [actor?.pid, ...ancestors.map(({ pid }) => pid)].filter((pid) => pid !== undefined);
	const commands = [actor?.command, actor?.parent, ...ancestors.map(({ command }) => command)];
	for (const pid of pids) {
		const owner = services.processes.find((process) => process.pid === pid);
		if (owner) return owner.service;
	}
	for (const command of commands) {
		const script = command === undefined ? undefined : SCRIPT.exec(command)?.[1];
		if (script !== undefined) return script;
	}
	if (commands.some((command) => command !== undefined && ELSEWHERE.test(command))) return undefined;
	const names = [actor?.process, ...ancestors.map(({ command }) => programName(command))];
	for (const name of names) {
		const service = name === undefined ? undefined : serviceOf(name, services);
		if (service !== undefined) return service;
	}
	// Of a process that had gone before it could be looked at, a change before it tells nothing: it may be anybody's.
	const gone = actor !== undefined && actor.command === undefined && actor.parent === undefined;
	const around = Object.entries(services.changed)
		.filter(([, time]) => time >= (gone ? at : at - BEFORE) && time <= at + AFTER)
		.map(([service]) => service);
	return around.length === 1 ? around[0] : undefined;
}

/** e.g. `mihomo` of `/usr/bin/mihomo -d /etc/mihomo`. */
function programName(command: string): string {
	return command.split(" ", 1)[0]?.split("/").at(-1) ?? "";
}

function serviceOf(program: string, { processes, changed }: ServiceKnowledge): string | undefined {
	const candidates = servicesOf(program);
	if (candidates.length === 1) return candidates[0];
	const known = candidates.filter(
		(candidate) => changed[candidate] !== undefined || processes.some(({ service }) => service === candidate),
	);
	return known.length === 1 ? known[0] : undefined;
}
