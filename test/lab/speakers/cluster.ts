import { type Daemon, startDaemon, type Warden } from "../daemon.ts";
import { cleanLeftovers, Host } from "../host.ts";
import { network } from "../network.ts";
import type { Process } from "../process.ts";
import { type Bird, type Frr, frrConfig, startBird, startFrr } from "../programs.ts";
import { until } from "../wait.ts";

const { router: home, broker: client, service } = network;
const address = (node: number) => `192.168.1.${node + 2}`;
const [serviceAddress = ""] = service.split("/");

/** Answers each datagram on the service's address. */
const echo = `
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("${serviceAddress}", 7))
print("listening", flush=True)
while True:
    data, peer = server.recvfrom(64)
    server.sendto(data, peer)
`;

/** A client with 30 flows, a datagram a flow each 20 ms; says how many were sent and answered once it is told to end. */
const clients = `
import select, signal, socket, sys, time
flows = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(30)]
for flow in flows:
    flow.setblocking(False)
    flow.connect(("${serviceAddress}", 7))
going = True
def end(*_):
    global going
    going = False
signal.signal(signal.SIGTERM, end)
sent = answered = 0
due = time.monotonic()
def take(wait):
    global answered
    for flow in select.select(flows, [], [], wait)[0]:
        try:
            while flow.recv(64): answered += 1
        except OSError: pass
print("sending", flush=True)
while going:
    for flow in flows:
        try:
            flow.send(b"x")
        except OSError: pass
        sent += 1
    due += 0.02
    while time.monotonic() < due: take(max(0, due - time.monotonic()))
last = time.monotonic() + 0.5
while time.monotonic() < last: take(0.1)
print("lost", sent - answered, "of", sent, flush=True)
`;

export interface ClusterOptions {
	readonly nodes: number;
	/** `option graceful_restart` of every peer, and `enableGracefulRestart` of every node. */
	readonly gracefulRestart?: boolean;
	/** Seconds, in FRR; default its own 120. */
	readonly restartTime?: number;
}

/** Some nodes behind one bridge of the router, all of which announce the service, and a client on another network. */
export class Cluster {
	private constructor(
		readonly router: Host,
		readonly client: Host,
		readonly nodes: readonly Host[],
		private readonly options: ClusterOptions,
	) {}

	bird!: Bird;
	warden!: Warden;
	daemon!: Daemon;
	readonly speakers: Frr[] = [];

	/** Starts everything, with bird.conf as `render bird` writes it, and waits until every session is up with BFD. */
	static async start(options: ClusterOptions): Promise<Cluster> {
		cleanLeftovers();
		const hosts: Host[] = [];
		const start = async (name: string) => {
			const host = await Host.start(name);
			hosts.push(host);
			return host;
		};
		const router = await start("router");
		const outside = await start("client");
		const nodes: Host[] = [];
		for (let node = 0; node < options.nodes; node++) nodes.push(await start(`node-${node + 1}`));
		const cluster = new Cluster(router, outside, nodes, options);
		try {
			await cluster.wire();
			await cluster.startAll();
			return cluster;
		} catch (error) {
			await cluster.stop();
			throw error;
		}
	}

	private async wire(): Promise<void> {
		const { router, client: outside, nodes } = this;
		await router.run(["ip", "link", "add", home.lanInterface, "type", "bridge"]);
		for (const [index, node] of nodes.entries()) {
			const port = `port${index + 1}`;
			const peer = ["peer", "name", "eth0", "netns", String(node.pid)];
			await router.run(["ip", "link", "add", port, "type", "veth", ...peer]);
			await router.run(["ip", "link", "set", port, "master", home.lanInterface]);
			await router.link(port, "up");
			await node.configure("eth0", [`${address(index)}/24`]);
			await node.run(["ip", "route", "add", "default", "via", home.lan]);
			await node.run(["ip", "address", "add", service, "dev", "lo"]);
			const server = node.start(["python3", "-c", echo], { name: "echo" });
			await server.says(/^listening$/);
		}
		await router.configure(home.lanInterface, [`${home.lan}/24`]);
		const peer = ["peer", "name", "eth0", "netns", String(outside.pid)];
		await router.run(["ip", "link", "add", "br-iot", "type", "veth", ...peer]);
		await router.configure("br-iot", [`${home.iot}/24`]);
		await outside.configure("eth0", [`${client.address}/24`]);
		await outside.run(["ip", "route", "add", "default", "via", home.iot]);
		// By ports as well: one client's flows go to all nodes.
		await router.run(["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.fib_multipath_hash_policy=1"]);
	}

	private async startAll(): Promise<void> {
		const { router, nodes, options } = this;
		const peers = nodes.map(({ name }, index) => ({
			name: name.replace("-", "_"),
			address: address(index),
			local_address: home.lan,
			local_as: home.as,
			remote_as: network.speaker.as,
			interface: home.lanInterface,
			graceful_restart: options.gracefulRestart === true,
		}));
		const started = startDaemon(router, { mqtt: { enabled: false }, peers });
		this.warden = started.warden;
		this.daemon = started.daemon;
		const { stdout } = await this.warden.cli(["render", "bird"]);
		this.bird = await startBird(router, stdout.replace("log syslog all", "log stderr all"));
		for (const index of nodes.keys()) this.speakers[index] = await this.startSpeaker(index);
		await this.daemon.untilStatus(
			"every session is up",
			(status) =>
				status.peers.length === nodes.length &&
				status.peers.every(({ state, bfd }) => state === "Established" && bfd === "up"),
			{ timeout: 60_000 },
		);
		await this.untilNextHops(nodes.map((_, index) => index));
	}

	startSpeaker(node: number): Promise<Frr> {
		const { gracefulRestart = false, restartTime } = this.options;
		const name = this.nodes[node]?.name ?? "";
		const time = restartTime === undefined ? "" : `\n  bgp graceful-restart restart-time ${restartTime}`;
		const config = frrConfig({ multihop: false, gracefulRestart })
			.replace("hostname speaker", `hostname ${name}`)
			.replace(/bgp router-id \S+/, `bgp router-id ${address(node)}${time}`);
		const host = this.nodes[node];
		if (!host) throw new Error(`no node ${node}`);
		return startFrr(host, { config });
	}

	/** The nodes to which the kernel's route leads. */
	async nextHops(): Promise<number[]> {
		const { stdout } = await this.router.run(["ip", "-4", "route", "show", service]);
		return [...stdout.matchAll(/via 192\.168\.1\.(\d+)/g)].map(([, last]) => Number(last) - 2).sort();
	}

	async untilNextHops(nodes: readonly number[], timeout = 30_000): Promise<void> {
		await until(`the route to lead to ${nodes.length} nodes`, () => this.nextHops(), {
			holds: (found) => found.join() === [...nodes].join(),
			timeout,
			every: 20,
		});
	}

	/** Has the client send. @returns what ends it, and says how many datagrams were lost */
	async stream(): Promise<() => Promise<{ readonly lost: number; readonly sent: number }>> {
		const sender: Process = this.client.start(["python3", "-c", clients], { name: "client" });
		await sender.says(/^sending$/);
		return async () => {
			await sender.end("SIGTERM");
			const said = sender.lines.find((line) => line.startsWith("lost")) ?? sender.tail();
			const [, lost, sent] = /^lost (\d+) of (\d+)$/.exec(said) ?? [];
			if (lost === undefined) throw new Error(`the client said: ${said}`);
			return { lost: Number(lost), sent: Number(sent) };
		};
	}

	/** A power cut of a node. */
	async kill(node: number): Promise<void> {
		const host = this.nodes[node];
		if (!host) throw new Error(`no node ${node}`);
		await host.link("eth0", "down");
		await host.killAll();
	}

	async stop(): Promise<void> {
		await Promise.all([this.router, this.client, ...this.nodes].map((host) => host.stop()));
	}
}
