import { cleanLeftovers, Host } from "./host.ts";
import { network } from "./network.ts";

/** The router, the Kubernetes node that runs MetalLB's speaker, and the MQTT broker. */
export interface Lab {
	readonly router: Host;
	readonly speaker: Host;
	/** All nodes, the speaker first. */
	readonly nodes: readonly Host[];
	readonly broker: Host;
	/**
	 * A power cut: every process of the router is killed, its links go down, its ruleset, conntrack and tmpfs are
	 * emptied. Nothing is up again until `powerOn`.
	 */
	powerOff(): Promise<void>;
	/** The router's links come up, with their addresses. */
	powerOn(): Promise<void>;
	/** Ends all hosts and everything on them. Safe to call twice. */
	stop(): Promise<void>;
}

const { router: routerAddresses, speaker: speakerAddresses, broker: brokerAddresses } = network;
const lan = routerAddresses.lanInterface;
const iot = "br-iot";

/** Connects an interface of one host with one of another, as by a cable. */
async function wire(host: Host, interfaceName: string, other: Host, otherInterface: string): Promise<void> {
	const peer = ["peer", "name", otherInterface, "netns", String(other.pid)];
	await host.run(["ip", "link", "add", interfaceName, "type", "veth", ...peer]);
}

/** A switch between router and nodes: what is plugged into it keeps its carrier when another end loses its power. */
async function plug(box: Host, router: Host, nodes: readonly Host[]): Promise<void> {
	const commands = ["link add sw type bridge", "link set sw up"];
	await wire(router, lan, box, "port0");
	for (const [index, node] of nodes.entries()) await wire(node, "eth0", box, `port${index + 1}`);
	for (let port = 0; port <= nodes.length; port++) commands.push(`link set port${port} master sw up`);
	await box.run(["ip", "-batch", "-"], { stdin: `${commands.join("\n")}\n` });
}

/** The addresses of a node by its number, the speaker's first: 192.168.1.2, 192.168.1.3, … */
export function nodeAddresses(index: number): { readonly address: string; readonly address6: string } {
	const { address, address6 } = speakerAddresses;
	const next = (text: string) => text.replace(/\d+$/, (digits) => String(Number(digits) + index));
	return { address: next(address), address6: next(address6) };
}

async function build(router: Host, nodes: readonly Host[], broker: Host, box?: Host): Promise<void> {
	if (box) await plug(box, router, nodes);
	else for (const node of nodes) await wire(router, lan, node, "eth0");
	await wire(router, iot, broker, "eth0");
	await router.configure(lan, [`${routerAddresses.lan}/24`, `${routerAddresses.lan6}/64`]);
	await router.configure(iot, [`${routerAddresses.iot}/24`, `${routerAddresses.iot6}/64`]);
	await router.run(["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]);
	for (const [index, node] of nodes.entries()) {
		const { address, address6 } = nodeAddresses(index);
		await node.configure("eth0", [`${address}/24`, `${address6}/64`]);
		await node.run(["ip", "route", "add", "default", "via", routerAddresses.lan]);
	}
	await broker.configure("eth0", [`${brokerAddresses.address}/24`, `${brokerAddresses.address6}/64`]);
	await broker.run(["ip", "route", "add", "default", "via", routerAddresses.iot]);
}

export interface LabOptions {
	/** How many nodes there are, default 1; the second is called `node2`. With more than one there is a switch. */
	readonly nodes?: number;
	/** A switch between router and node, as most networks have one; default: a cable. */
	readonly switched?: boolean;
	/** Root filesystems of the broker's host in .lab, the uppermost first; see `Host.start`. */
	readonly brokerLayers?: readonly string[];
}

/**
 * Starts three hosts wired as in the article: router and speaker on br-lan, the broker behind br-iot. No program runs on
 * them yet and no ruleset is there. What labs of dead owners left is cleaned first.
 * @throws Error when not root or when the root filesystem is missing; nothing is left behind
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
	cleanLeftovers();
	const hosts: Host[] = [];
	const stop = async (): Promise<void> => {
		await Promise.all(hosts.map((host) => host.stop()));
	};
	const start = async (name: string, layers?: readonly string[]): Promise<Host> => {
		const host = await Host.start(name, layers);
		hosts.push(host);
		return host;
	};
	try {
		const router = await start("router");
		const speaker = await start("speaker");
		const nodes = [speaker];
		const { nodes: count = 1, switched = count > 1 } = options;
		for (let number = 2; number <= count; number++) nodes.push(await start(`node${number}`));
		const broker = await start("broker", options.brokerLayers);
		await build(router, nodes, broker, switched ? await start("switch") : undefined);
		return {
			router,
			speaker,
			nodes,
			broker,
			async powerOff() {
				await router.killAll();
				await router.link(lan, "down");
				await router.link(iot, "down");
				await router.nft("flush ruleset");
				await router.run(["conntrack", "-F"]);
				await router.run(["find", "/run", "/tmp", "-mindepth", "1", "-delete"]);
			},
			async powerOn() {
				await router.link(lan, "up");
				await router.link(iot, "up");
			},
			stop,
		};
	} catch (error) {
		await stop();
		throw error;
	}
}
