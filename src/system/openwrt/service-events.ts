import { within } from "../../lib/number.ts";
import type { ServiceChange, ServiceEvent, ServiceProcess } from "../../model/service.ts";
import { isObject, type JsonObject, type UbusEvent } from "./service-messages.ts";

const NOTIFICATION = /^(?:instance|service)\.(start|stop|respawn|fail)$/;

/** @returns undefined for procd's other notifications, such as `config.change` */
export function parseServiceEvent({ name, data }: UbusEvent): ServiceEvent | undefined {
	const change = NOTIFICATION.exec(name)?.[1] as ServiceChange | undefined;
	const { service, instance } = data;
	const exitCode = within(data.exit_code, -(2 ** 31), 2 ** 31 - 1);
	if (!change || typeof service !== "string" || service === "") return undefined;
	return {
		service,
		...(typeof instance === "string" ? { instance } : {}),
		change,
		...(exitCode === undefined ? {} : { exitCode }),
	};
}

/** The answer to `ubus call service list`: the processes that run. */
export function parseServiceList(reply: JsonObject): ServiceProcess[] {
	const processes: ServiceProcess[] = [];
	for (const [service, entry] of Object.entries(reply)) {
		const instances = isObject(entry) ? entry.instances : undefined;
		if (!isObject(instances)) continue;
		for (const [instance, value] of Object.entries(instances)) {
			const pid = isObject(value) && value.running === true ? within(value.pid, 1) : undefined;
			if (pid !== undefined) processes.push({ service, instance, pid });
		}
	}
	return processes;
}
