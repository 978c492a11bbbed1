import type { Host } from "../host.ts";
import type { Lab } from "../lab.ts";
import { network } from "../network.ts";
import type { Process } from "../process.ts";
import { until } from "../wait.ts";
import type { Guest } from "./guest.ts";
import type { Procd } from "./procd.ts";
import { guestProgram } from "./world.ts";

/** As OpenWrt's package sets them (net/tailscale/files/tailscale.init). */
const env = { TS_DEBUG_FIREWALL_MODE: "nftables", TS_NO_LOGS_NO_SUPPORT: "true" };
const program = "/usr/sbin/tailscaled";
const argv = [program, "--port", "41641", "--state", "/etc/tailscale/tailscaled.state"];
const controlUrl = `http://${network.broker.address}:8080`;

/** The tailnet beside the router: a control server and a node of its own, both on the broker's host. */
export interface Tailnet {
	/** The node's address in the tailnet. */
	readonly address: string;
}

/** Starts control server and node, and logs the node in. */
export async function startTailnet(lab: Lab): Promise<Tailnet> {
	const host = lab.broker;
	host.install(guestProgram("control"), "/usr/sbin/control");
	const control = host.start(["control", network.broker.address], { name: "control" });
	await control.says(/^serving$/);
	await installTailscale(host);
	const node = host.start(argv, { name: "tailscaled", env });
	await untilAnswers(host, node);
	await login(host, "node");
	return { address: (await host.run(["tailscale", "ip", "-4"])).stdout.trim() };
}

/** Tailscale on the router, in the way of OpenWrt's package: nftables, and a cleanup before each start and at each stop. */
export class Tailscale implements Guest {
	readonly name = "Tailscale";
	readonly service = "tailscale";
	readonly order = 80;
	private process: Process | undefined;
	private named = 0;

	private constructor(
		private readonly host: Host,
		private readonly procd: Procd,
		private readonly tailnet: Tailnet,
	) {}

	static async install(host: Host, procd: Procd, tailnet: Tailnet): Promise<Tailscale> {
		await installTailscale(host);
		const cleanup = `${program} --cleanup`;
		procd.install("tailscale", { start: cleanup, stop: cleanup });
		return new Tailscale(host, procd, tailnet);
	}

	async start(): Promise<void> {
		await this.procd.script(this.service, "start");
		await this.ready(await this.procd.run(this.service, argv, { env }));
	}

	async stop(): Promise<void> {
		await this.procd.script(this.service, "stop");
		await this.procd.end(this.service);
	}

	async kill(): Promise<void> {
		await this.ready(await this.procd.respawn(this.service, argv, { env }));
	}

	/** As `tailscale set` does it; its rules and routes are worked out anew. */
	async reconfigure(): Promise<void> {
		this.named++;
		const routes = this.named % 2 === 1 ? `${network.router.lan}/32` : "";
		await this.host.run([
			"tailscale",
			"set",
			`--advertise-routes=${routes}`,
			`--snat-subnet-routes=${this.named % 2 === 0}`,
		]);
	}

	async cleanup(): Promise<void> {
		await this.procd.script(this.service, "stop");
	}

	async works(): Promise<void> {
		const ping = ["ping", "-c", "1", "-W", "1", this.tailnet.address];
		await until(
			"a ping over the tailnet",
			async () => {
				const { code } = await this.host.run(ping, { allowFailure: true });
				return code === 0 || this.process?.tail(5);
			},
			{ holds: (answered) => answered === true, timeout: 15_000 },
		);
	}

	private async ready(process: Process): Promise<void> {
		this.process = process;
		await untilAnswers(this.host, process);
		await login(this.host, "router");
	}
}

async function installTailscale(host: Host): Promise<void> {
	host.install(guestProgram("tailscaled"), program);
	// One program under two names, as in the package.
	await host.run(["ln", "-sf", program, "/usr/sbin/tailscale"]);
}

async function untilAnswers(host: Host, process: Process): Promise<void> {
	await until("tailscaled to answer", async () => {
		process.mustRun();
		return (await host.run(["tailscale", "status"], { allowFailure: true })).stdout !== "";
	});
}

/** Logs in at the lab's control server, or comes back to it after a restart. */
async function login(host: Host, name: string): Promise<void> {
	await host.run([
		"tailscale",
		"up",
		"--reset",
		`--login-server=${controlUrl}`,
		"--accept-dns=false",
		`--hostname=${name}`,
	]);
}
