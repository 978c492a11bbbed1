import type { ServiceChange, ServiceEvent, ServiceProcess } from "../../model/service.ts";
import { isObject, type JsonObject, type UbusEvent } from "./service-messages.ts";

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
