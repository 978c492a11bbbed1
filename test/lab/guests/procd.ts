import type { Host } from "../host.ts";
import type { Process, StartOptions } from "../process.ts";
import { FakeUbus } from "../programs.ts";

/** What OpenWrt's rc.common is to an init script, as far as the lab needs it: it runs one of the script's functions. */
const rcCommon = '#!/bin/sh\nscript=$1\naction=$2\n. "$script"\n"$action"\n';

/** procd as services and the daemon see it: init scripts, long-lived processes that are its own, and its notifications. */
export class Procd {
	private readonly processes = new Map<string, Process>();

	private constructor(
		private readonly host: Host,
		private readonly bus: FakeUbus,
	) {}

	static async start(host: Host): Promise<Procd> {
		host.write("/etc/rc.common", rcCommon, 0o755);
		return new Procd(host, await FakeUbus.start(host));
	}

	/** Installs /etc/init.d/NAME: shell functions by the names of rc.common's actions. */
	install(service: string, functions: Readonly<Record<string, string>>): void {
		const text = Object.entries(functions).map(([name, body]) => `${name}() {\n${body}\n}\n`);
		this.host.write(`/etc/init.d/${service}`, `#!/bin/sh /etc/rc.common\n${text.join("")}`, 0o755);
	}

	/** Runs an action of an init script as `service NAME ACTION` does. */
	async script(service: string, action: string): Promise<void> {
		await this.host.run(["/bin/sh", "/etc/rc.common", `/etc/init.d/${service}`, action]);
	}

	/** Starts the service's process, and tells so. */
	async run(
		service: string,
		argv: readonly string[],
		options: Omit<StartOptions, "name"> = {},
	): Promise<Process> {
		const process = this.host.start(argv, { ...options, name: service });
		this.processes.set(service, process);
		this.publish();
		await this.notify("instance.start", service);
		return process;
	}

	/** Ends the service's process (SIGTERM, as procd does first), and tells so. */
	async end(service: string): Promise<void> {
		const process = this.processes.get(service);
		this.processes.delete(service);
		this.publish();
		if (process?.running) await process.end("SIGTERM");
		await this.notify("instance.stop", service);
	}

	/** The process was killed: procd sees it and starts it again. */
	async respawn(
		service: string,
		argv: readonly string[],
		options: Omit<StartOptions, "name"> = {},
	): Promise<Process> {
		await this.processes.get(service)?.end("SIGKILL");
		await this.notify("instance.stop", service);
		await this.notify("instance.respawn", service, ',"exit_code":137,"respawn_count":1');
		return this.run(service, argv, options);
	}

	/** A service without a process, such as the firewall, was started or stopped. */
	async changed(service: string, change: "start" | "stop"): Promise<void> {
		await this.notify(`service.${change}`, service);
	}

	/** After a power cut: the bus is there again and runs nothing. */
	async boot(): Promise<void> {
		this.processes.clear();
		await FakeUbus.start(this.host);
	}

	/** Kills what it runs, and tells nobody. */
	async forget(): Promise<void> {
		for (const process of this.processes.values()) if (process.running) await process.end("SIGKILL");
		this.processes.clear();
		this.publish();
	}

	private publish(): void {
		this.bus.services(Object.fromEntries([...this.processes].map(([service, { pid }]) => [service, pid])));
	}

	private async notify(name: string, service: string, more = ""): Promise<void> {
		const instance = name.startsWith("instance") ? `,"instance":"instance1"${more}` : "";
		await this.bus.changes([`{ "${name}": {"service":"${service}"${instance}} }`]);
	}
}
