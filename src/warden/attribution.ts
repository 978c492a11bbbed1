import type { Actor } from "../report/status.ts";
import type { ServiceProcess } from "../sources/ubus/service-events.ts";

/** What is known about services when somebody has to be named. */
export interface ServiceKnowledge {
	/** The processes that procd runs. */
	readonly processes: readonly ServiceProcess[];
	/** When each service last changed, monotonic milliseconds. */
	readonly changed: Readonly<Record<string, number>>;
}

/** So many ms before a loss, a service that changed may be why. */
const BEFORE = 10_000;
/** So many ms after: procd tells a stop after the init script has done its work (rc.common, `stop`). */
export const AFTER = 2000;
const SCRIPT = /(?:^|[\s/])(?:etc\/init\.d|etc\/rc\.d)\/(?:[SK]\d{2})?([\w.-]+)/;
/** A person's own session, whatever services do meanwhile. */
const LOGIN = /^(?:\S*\/)?(?:dropbear|sshd|login|getty|ttyd|askfirst)\b|^-|^\S*sh (?:--login|-l)\b/;

/**
 * Which service changed the ruleset. From strong to weak: procd's own process among the actor and its ancestors; an init
 * script among their command lines; the only service that changed around that time, unless a person did it.
 * @param at when it was, monotonic milliseconds
 */
export function attribute(
	actor: Actor | undefined,
	at: number,
	services: ServiceKnowledge,
): string | undefined {
	const ancestors = actor?.ancestors ?? [];
	const pids = actor ? [actor.pid, ...ancestors.map(({ pid }) => pid)] : [];
	const commands = [actor?.command, actor?.parent, ...ancestors.map(({ command }) => command)];
	for (const pid of pids) {
		const owner = services.processes.find((process) => process.pid === pid);
		if (owner) return owner.service;
	}
	for (const command of commands) {
		const script = command === undefined ? undefined : SCRIPT.exec(command)?.[1];
		if (script !== undefined) return script;
	}
	if (commands.some((command) => command !== undefined && LOGIN.test(command))) return undefined;
	const around = Object.entries(services.changed)
		.filter(([, time]) => time >= at - BEFORE && time <= at + AFTER)
		.map(([service]) => service);
	return around.length === 1 ? around[0] : undefined;
}
