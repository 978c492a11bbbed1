import type { Report } from "../../src/doctor/judge.ts";
import { Warden } from "./daemon.ts";
import { Host } from "./host.ts";
import { type Lab, startLab } from "./lab.ts";
import { network } from "./network.ts";
import { type Bird, birdMultihop, birdPeering, type Frr, startBird, startFrr } from "./programs.ts";
import { until } from "./wait.ts";
import { newestBird } from "./world.ts";

/** The service's addresses, and the port that the node serves. */
export const service = network.service.split("/")[0] ?? "";
export const service6 = network.service6.split("/")[0] ?? "";
export const port = 80;
const { router, broker } = network;
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
	/** Address of the service. */
	readonly address: string;
	stop(): Promise<void>;
}

export interface ServiceLabOptions {
	readonly family?: 4 | 6;
	readonly version?: 2 | 3;
}

export async function startServiceLab(options: ServiceLabOptions = {}): Promise<ServiceLab> {
	const { family = 4, version = newestBird } = options;
	const address = family === 4 ? service : service6;
	const lab = await startLab();
	const client = await Host.start("client");
	const stop = async () => {
		await Promise.all([lab.stop(), client.stop()]);
	};
	try {
		await bridgeClient(lab, client);
		for (const each of [network.service, network.service6])
			await lab.speaker.run(["ip", "address", "add", each, "dev", "lo"]);
		const warden = new Warden(lab.router);
		warden.install();
		warden.configure({ mqtt: { enabled: false } });
		const config = family === 4 ? birdConfig : birdPeering({ family });
		const bird = await startBird(lab.router, config, version);
		const frr = await startFrr(lab.speaker, { family });
		lab.speaker.start(["busybox", "httpd", "-f", "-p", `[::]:${port}`, "-h", "/run"], { name: "httpd" });
		const built = { lab, client, bird, frr, warden, address, stop };
		await untilHealthy(built);
		return built;
	} catch (error) {
		await stop();
		throw error;
	}
}

/** The nodes' network becomes a bridge of the router with two ports: the node's and the client's. */
async function bridgeClient(
	{ router: host, speaker: node, broker: other }: Lab,
	client: Host,
): Promise<void> {
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
	for (const [each, gateway] of [
		[client, router.lan6],
		[node, router.lan6],
		[other, router.iot6],
	] as const)
		await each.run(["ip", "route", "add", "default", "via", gateway]);
	// A redirect would have the client go around the router; what is bridged does not pass the firewall on OpenWrt.
	const settings = [
		"net.ipv4.conf.all.send_redirects",
		`net.ipv4.conf.${router.lanInterface}.send_redirects`,
	];
	await host.run(["sysctl", "-qw", ...settings.map((name) => `${name}=0`)]);
	await client.run([
		"sysctl",
		"-qw",
		"net.ipv6.conf.all.accept_redirects=0",
		"net.ipv6.conf.eth0.accept_redirects=0",
	]);
	const bridged = ["iptables", "ip6tables"].map((name) => `net.bridge.bridge-nf-call-${name}=0`);
	await host.run(["sysctl", "-qew", ...bridged]);
}

/** What a client's request comes to, in `nc`'s words; empty: it is answered. */
export async function reach(host: Host, address = service): Promise<string> {
	const argv = ["busybox", "nc", "-w", "2", address, String(port)];
	const options = { allowFailure: true, stdin: "GET / HTTP/1.0\r\n\r\n", timeout: 3000 };
	try {
		const { code, stdout, stderr } = await host.run(argv, options);
		return stdout.startsWith("HTTP/") ? "" : stderr.trim() || `exit ${code}`;
	} catch (error) {
		// It is connected, and waits for an answer.
		return error instanceof Error ? error.message : String(error);
	}
}

export function isOpen(words: string): boolean {
	return words === "";
}

/** Waits until both clients reach the service. */
export async function untilHealthy({
	lab,
	client,
	address,
}: Pick<ServiceLab, "lab" | "client" | "address">): Promise<void> {
	const both = async () => [await reach(lab.broker, address), await reach(client, address)];
	await until("both clients to reach the service", both, {
		holds: (words) => words.every(isOpen),
		timeout: 40_000,
	});
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
export const clients = { iot: broker.address, lan: neighbor } as const;

/** A second node, whose next hop is not there: as one that has died while its session is still held. */
export const secondNode = `router id 192.168.1.3;
protocol device { }
protocol static { ipv4; route ${network.service} unreachable; }
protocol bgp uplink {
	local 192.168.1.3 port 1179 as ${network.speaker.as};
	neighbor ${router.lan} as ${router.as};
	multihop 2;
	connect delay time 1;
	ipv4 { import none; export filter { bgp_next_hop = 192.168.1.77; accept; }; };
}
`;
