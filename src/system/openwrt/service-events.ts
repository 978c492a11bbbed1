import { isObject, type JsonObject, type UbusEvent } from "./service-messages.ts";

/** `respawn`: an instance ended by itself and procd starts it again; `fail`: procd has given up on it. */
export type ServiceChange = "start" | "stop" | "respawn" | "fail";

/** One thing that procd did to a service (procd, service/service.c and service/instance.c). */
export interface ServiceEvent {
	/** Name of its script in /etc/init.d. */
	readonly service: string;
	/** Absent: the service as a whole, which is all there is of one without a process, like `firewall`. */
	readonly instance?: string;
	readonly change: ServiceChange;
	/** How the instance ended; 128 + n for signal n. */
	readonly exitCode?: number;
}

/** A running process of a service. */
export interface ServiceProcess {
	readonly service: string;
	readonly instance: string;
	readonly pid: number;
}

const NOTIFICATION = /^(?:instance|service)\.(start|stop|respawn|fail)$/;

/** @returns undefined for procd's other notifications, such as `config.change` */
export function parseServiceEvent({ name, data }: UbusEvent): ServiceEvent | undefined {
	const change = NOTIFICATION.exec(name)?.[1] as ServiceChange | undefined;
	const { service, instance, exit_code: exitCode } = data;
	if (!change || typeof service !== "string" || service === "") return undefined;
	return {
		service,
		...(typeof instance === "string" ? { instance } : {}),
		change,
		...(typeof exitCode === "number" ? { exitCode } : {}),
	};
}

/** The answer to `ubus call service list`: the processes that run. */
export function parseServiceList(reply: JsonObject): ServiceProcess[] {
	const processes: ServiceProcess[] = [];
	for (const [service, entry] of Object.entries(reply)) {
		const instances = isObject(entry) ? entry.instances : undefined;
		if (!isObject(instances)) continue;
		for (const [instance, value] of Object.entries(instances)) {
			const pid = isObject(value) && value.running === true ? value.pid : undefined;
			if (typeof pid === "number") processes.push({ service, instance, pid });
		}
	}
	return processes;
}
