import type { Lab } from "../lab.ts";
import type { Process } from "../process.ts";
import { until } from "../wait.ts";
import { internet } from "./addresses.ts";
import type { Guest } from "./guest.ts";
import type { Procd } from "./procd.ts";
import { type Ruleset, redirectPort, tproxyPort, tunDevice } from "./rulesets.ts";
import { askInternet, guestProgram } from "./world.ts";

const program = "/usr/bin/mihomo";
const directory = "/etc/mihomo";
const argv = [program, "-d", directory];
const controllerPort = 9090;

/**
 * Mihomo's configuration: every port that rules may send connections to, and all of them on directly.
 * @param level what the log tells; what changes when the guest is reconfigured
 */
function config({ mihomo: { mark, tun } }: Ruleset, level: string): string {
	return `mixed-port: 7890
redir-port: ${redirectPort}
tproxy-port: ${tproxyPort}
allow-lan: true
mode: rule
log-level: ${level}
ipv6: true
external-controller: 127.0.0.1:${controllerPort}
${mark === undefined ? "" : `routing-mark: ${mark}\n`}dns: { enable: false }
${tun === undefined ? "" : `tun: { enable: true, device: ${tunDevice}, auto-detect-interface: true, ${tun} }\n`}rules:
  - MATCH,DIRECT
`;
}

/** Mihomo on the router with the rules that an OpenWrt package puts around it, or with those it makes itself. */
export class Mihomo implements Guest {
	readonly name: string;
	readonly service: string;
	readonly order: number;
	private process: Process | undefined;
	private level = "info";

	constructor(
		private readonly lab: Lab,
		private readonly procd: Procd,
		private readonly rules: Ruleset,
	) {
		this.name = rules.name;
		this.service = rules.service;
		this.order = rules.order;
		lab.router.install(guestProgram("mihomo"), program);
		lab.router.write(`${directory}/rules.nft`, rules.table ?? "");
		const up = [...(rules.up ?? []), ...(rules.table === undefined ? [] : [`nft -f ${directory}/rules.nft`])];
		const down = [...(rules.down ?? ["true"]).map((command) => `${command} 2> /dev/null || true`)];
		procd.install(this.service, { rules: up.join("\n") || "true", stop: down.join("\n") });
	}

	async start(): Promise<void> {
		this.configure();
		await this.ready(await this.procd.run(this.service, argv));
	}

	async stop(): Promise<void> {
		await this.procd.end(this.service);
		await this.procd.script(this.service, "stop");
	}

	async kill(): Promise<void> {
		const process = await this.procd.respawn(this.service, argv);
		// What hangs at the device is gone with it; the packages' rules stay as they are.
		await this.procd.script(this.service, "stop");
		await this.ready(process);
	}

	/** Through the API, as dashboards do it: listeners, device and Mihomo's own rules are made anew. */
	async reconfigure(): Promise<void> {
		this.level = this.level === "info" ? "debug" : "info";
		this.configure();
		const body = `{"path": "${directory}/config.yaml"}`;
		const head = `PUT /configs?force=true HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n`;
		const request = `import socket
s = socket.create_connection(("127.0.0.1", ${controllerPort}))
s.sendall(${JSON.stringify(head + body)}.encode())
answer = s.recv(1000)
assert b" 204 " in answer, answer`;
		await this.lab.router.run(["python3", "-c", request]);
		await this.procd.script(this.service, "stop");
		await this.procd.script(this.service, "rules");
	}

	async cleanup(): Promise<void> {
		await this.procd.script(this.service, "stop");
	}

	/** A client of the LAN reaches the internet, and Mihomo has had the connection in its hands. */
	async works(): Promise<void> {
		const carried = () =>
			(this.process?.lines ?? []).filter((line) => line.includes(`--> ${internet.address}:${internet.port}`))
				.length;
		const before = carried();
		await until("the internet's answer", async () => (await askInternet(this.lab.speaker)) !== "");
		await until(`${this.name} to carry the connection`, () => carried() > before || this.process?.tail(), {
			holds: (carries) => carries === true,
		});
	}

	private configure(): void {
		this.lab.router.write(`${directory}/config.yaml`, config(this.rules, this.level));
	}

	private async ready(process: Process): Promise<void> {
		this.process = process;
		// The last of what it says at its start.
		await process.says(/Start initial compatible provider default/);
		await this.procd.script(this.service, "rules");
	}
}
