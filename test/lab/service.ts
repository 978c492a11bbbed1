import type { Report } from "../../src/doctor/judge.ts";
import { Warden } from "./daemon.ts";
import { Host } from "./host.ts";
import { type Lab, startLab } from "./lab.ts";
import { network } from "./network.ts";
import type { Process } from "./process.ts";
import { type Bird, birdMultihop, type Frr, startBird, startFrr } from "./programs.ts";
import { until } from "./wait.ts";

/** The service's address, and the port that the node serves. */
export const service = network.service.split("/")[0] ?? "";
export const port = 80;
const { router, speaker, broker } = network;
/** A host in the nodes' network. */
export const neighbor = "192.168.1.50";

/** The routing of the lab when nothing is wrong. */
export const birdConfig = birdMultihop();

/** A cluster of one node whose service is announced, and clients in two networks of the router. */
export interface ServiceLab {
	readonly lab: Lab;
	/** The host in the nodes' network. */
	readonly client: Host;
	readonly bird: Bird;
	readonly frr: Frr;
	readonly warden: Warden;
	/** Starts what serves the port on the node. */
	serve(): Promise<Process>;
	stop(): Promise<void>;
}

export async function startServiceLab(): Promise<ServiceLab> {
	const lab = await startLab();
	const client = await Host.start("client");
	const stop = async () => {
		await Promise.all([lab.stop(), client.stop()]);
	};
	try {
		await bridgeClient(lab, client);
		await lab.speaker.run(["ip", "address", "add", network.service, "dev", "lo"]);
		const warden = new Warden(lab.router);
		warden.install();
		warden.configure({ mqtt: { enabled: false } });
		const bird = await startBird(lab.router, birdConfig);
		const frr = await startFrr(lab.speaker);
		const serve = async () => {
			const httpd = lab.speaker.start(["busybox", "httpd", "-f", "-p", String(port), "-h", "/run"], {
				name: "httpd",
			});
			await until("the node to serve", () => reach(lab.speaker), { holds: isOpen });
			return httpd;
		};
		await serve();
		const built = { lab, client, bird, frr, warden, serve, stop };
		await untilHealthy(built);
		return built;
	} catch (error) {
		await stop();
		throw error;
	}
}

/** The nodes' network becomes a bridge of the router with two ports: the node's and the client's. */
async function bridgeClient({ router: host }: Lab, client: Host): Promise<void> {
	const ports = ["lan1", "lan2"] as const;
	await host.run(["ip", "link", "set", router.lanInterface, "down"]);
	await host.run(["ip", "link", "set", router.lanInterface, "name", ports[0]]);
	await host.run(["ip", "address", "flush", "dev", ports[0]]);
	await host.run(["ip", "link", "add", router.lanInterface, "type", "bridge"]);
	await host.run([
		...["ip", "link", "add", ports[1], "type", "veth", "peer", "name", "eth0"],
		...["netns", String(client.pid)],
	]);
	for (const each of ports) {
		await host.run(["ip", "link", "set", each, "master", router.lanInterface]);
		await host.run(["ip", "link", "set", each, "up"]);
	}
	await host.configure(router.lanInterface, [`${router.lan}/24`, `${router.lan6}/64`]);
	await client.configure("eth0", [`${neighbor}/24`, "fd00:1::50/64"]);
	await client.run(["ip", "route", "add", "default", "via", router.lan]);
	// A redirect would have the client go around the router; what is bridged does not pass the firewall on OpenWrt.
	const settings = [
		"net.ipv4.conf.all.send_redirects",
		`net.ipv4.conf.${router.lanInterface}.send_redirects`,
	];
	await host.run(["sysctl", "-qw", ...settings.map((name) => `${name}=0`)]);
	await host.run(["sysctl", "-qew", "net.bridge.bridge-nf-call-iptables=0"]);
}

/** What a client's request comes to, in `nc`'s words; empty: it is answered. */
export async function reach(host: Host, address = service): Promise<string> {
	const argv = ["busybox", "nc", "-w", "2", address, String(port)];
	const { code, stdout, stderr } = await host.run(argv, {
		allowFailure: true,
		stdin: "GET / HTTP/1.0\r\n\r\n",
	});
	return stdout.startsWith("HTTP/") ? "" : stderr.trim() || `exit ${code}`;
}

export function isOpen(words: string): boolean {
	return words === "";
}

/** Waits until both clients reach the service. */
export async function untilHealthy({ lab, client }: Pick<ServiceLab, "lab" | "client">): Promise<void> {
	await until(
		"both clients to reach the service",
		async () => [await reach(lab.broker), await reach(client)],
		{
			holds: (words) => words.every(isOpen),
			timeout: 40_000,
		},
	);
}

/** `doctor --service ADDRESS --json`. */
export async function diagnose(
	warden: Warden,
	options: readonly string[] = [],
	address = service,
): Promise<{ code: number; report: Report; page: string }> {
	const asked = ["doctor", "--service", address, ...options];
	const { code, stdout, stderr } = await warden.cli([...asked, "--json"]);
	if (stderr !== "") throw new Error(stderr);
	const { stdout: page } = await warden.cli(asked);
	return { code, report: JSON.parse(stdout), page };
}

/** `level id` of what is not green, in the report's order. */
export function named({ causes, review }: Report): string[] {
	return [...causes, ...review]
		.filter(({ level }) => level !== "green")
		.map(({ level, id }) => `${level} ${id}`);
}

/** Addresses of the clients, as `--from` takes them. */
export const clients = { iot: broker.address, lan: neighbor, node: speaker.address } as const;
