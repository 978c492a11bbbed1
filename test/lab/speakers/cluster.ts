import { type Daemon, startDaemon, type Warden } from "../daemon.ts";
import type { Host } from "../host.ts";
import { type Lab, nodeAddresses, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { type Frr, frrConfig, startBird, startFrr } from "../programs.ts";
import { until } from "../wait.ts";

const { router: home, service } = network;
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

/** Some nodes, all of which announce the service, and a client on another network of the router's. */
export class Cluster {
	readonly speakers: Frr[] = [];

	private constructor(
		private readonly lab: Lab,
		readonly warden: Warden,
		readonly daemon: Daemon,
		private readonly options: ClusterOptions,
	) {}

	/** Starts everything, with bird.conf as `render bird` writes it, and waits until every session is up with BFD. */
	static async start(options: ClusterOptions): Promise<Cluster> {
		const lab = await startLab({ nodes: options.nodes, switched: true });
		try {
			const peers = lab.nodes.map((_, index) => ({
				name: `node_${index + 1}`,
				address: nodeAddresses(index).address,
				local_address: home.lan,
				local_as: home.as,
				remote_as: network.speaker.as,
				interface: home.lanInterface,
				graceful_restart: options.gracefulRestart === true,
			}));
			const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false }, peers });
			const cluster = new Cluster(lab, warden, daemon, options);
			await cluster.begin();
			return cluster;
		} catch (error) {
			await lab.stop();
			throw error;
		}
	}

	private async begin(): Promise<void> {
		const { router, nodes } = this.lab;
		// By ports as well: one client's flows go to all nodes.
		await router.run(["sysctl", "-qw", "net.ipv4.fib_multipath_hash_policy=1"]);
		const { stdout } = await this.warden.cli(["render", "bird"]);
		await startBird(router, stdout.replace("log syslog all", "log stderr all"));
		for (const [index, node] of nodes.entries()) {
			await node.run(["ip", "address", "add", service, "dev", "lo"]);
			const server = node.start(["python3", "-c", echo], { name: "echo" });
			await server.says(/^listening$/);
			this.speakers[index] = await this.startSpeaker(index);
		}
		await this.daemon.untilStatus(
			"every session is up",
			({ peers }) =>
				peers.length === nodes.length &&
				peers.every(({ state, bfd }) => state === "Established" && bfd === "up"),
			{ timeout: 60_000 },
		);
		await this.untilNextHops([...nodes.keys()]);
	}

	startSpeaker(index: number): Promise<Frr> {
		const { gracefulRestart = false, restartTime } = this.options;
		const { address } = nodeAddresses(index);
		const config = frrConfig({ address, multihop: false, gracefulRestart });
		const time = restartTime === undefined ? "" : `  bgp graceful-restart restart-time ${restartTime}\n`;
		return startFrr(this.node(index), { config: config.replace(/^ +bgp router-id/m, `${time}$&`) });
	}

	private node(index: number): Host {
		const node = this.lab.nodes[index];
		if (!node) throw new Error(`no node ${index}`);
		return node;
	}

	/** The nodes to which the kernel's route leads. */
	async nextHops(): Promise<number[]> {
		const { stdout } = await this.lab.router.run(["ip", "-4", "route", "show", service]);
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
		const sender = this.lab.broker.start(["python3", "-c", clients], { name: "client" });
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
	async kill(index: number): Promise<void> {
		await this.node(index).link("eth0", "down");
		await this.node(index).killAll();
	}

	stop(): Promise<void> {
		return this.lab.stop();
	}
}
