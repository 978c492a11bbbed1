/**
 * A fleet: 200 routers on one mosquitto. As many as BUNDLES (default 40) are the real bundle under qjs, each on a host of its own
 * with its own nft, BIRD and nc, as routers are; the others are the same publishing code on Node, each over an nc of its own.
 * Prints what it took, and closes with `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { repairing, startDaemon } from "../lab/daemon.ts";
import { cleanLeftovers, Host } from "../lab/host.ts";
import { network } from "../lab/network.ts";
import { rootfs } from "../lab/paths.ts";
import { birdBgp, birdDirect, type Mosquitto, startBird, startMosquitto } from "../lab/programs.ts";
import { pause, until } from "../lab/wait.ts";

const ROUTERS = 200;
const BUNDLES = Number(process.env.BUNDLES ?? 40);
const PEERS = 3;
const PORT = 1883;
/** A device for each router and each of its peers. */
const DEVICES = ROUTERS * (1 + PEERS);
const STORM_SECONDS = 10;
/** A line for each message would be most of the broker's work. */
const log = ["error", "information"];

interface Counts {
	readonly messages: number;
	readonly bytes: number;
	readonly discovered: number;
	readonly states: number;
	readonly peak: number;
	readonly densest: number;
	readonly connected: number;
}

const say = (text: string) => process.stdout.write(`${text}\n`);
const results: boolean[] = [];
function check(what: string, held: boolean, seen: string): void {
	results.push(held);
	say(`  ${held ? "+" : "x"} ${what.padEnd(62)} ${seen}`);
}
function figure(what: string, value: string): void {
	say(`    ${what.padEnd(62)} ${value}`);
}
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

/** Processor seconds that a process has used, and megabytes that it occupies. */
function cost(pid: number): { cpu: number; megabytes: number } {
	const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
		.replace(/^.*\) /, "")
		.split(" ");
	const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
	return { cpu: (Number(stat[11]) + Number(stat[12])) / 100, megabytes: Number(resident) / 1024 };
}

/** Simulated routers, or the counting subscriber when there are none, in one Node of the host's network. */
class Simulator {
	private readonly child;
	private readonly answers: AsyncIterator<string>;

	constructor(host: Host, routers: number) {
		const script = fileURLToPath(new URL("simulator.ts", import.meta.url));
		const tsx = fileURLToPath(new URL("../../node_modules/.bin/tsx", import.meta.url));
		const args = [0, routers, PEERS, PORT, rootfs].map(String);
		this.child = spawn("nsenter", ["-t", String(host.pid), "-n", "--", tsx, script, ...args], {
			stdio: ["pipe", "pipe", "inherit"],
		});
		this.answers = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
	}

	tell(word: string): void {
		this.child.stdin.write(`${word}\n`);
	}

	async counts(): Promise<Counts> {
		this.tell("counts");
		const { value } = await this.answers.next();
		return JSON.parse(value ?? "{}");
	}

	async stop(): Promise<void> {
		const ended = new Promise((resolve) => this.child.once("close", resolve));
		this.tell("stop");
		await ended;
	}
}

/** What the peers of every router are: hosts that answer, but speak no BGP. */
const neighbors = Array.from({ length: PEERS }, (_, index) => `192.168.1.${index + 2}`);

/** The one network on which everybody is, with the broker and the peers. */
async function startNetwork(): Promise<Host> {
	const lan = await Host.start("lan");
	await lan.run(["ip", "link", "add", "br0", "type", "bridge"]);
	await lan.configure(
		"br0",
		[network.broker.address, ...neighbors].map((address) => `${address}/16`),
	);
	return lan;
}

/** A router on that network, with a BIRD that waits for its peers. */
async function startRouter(lan: Host, index: number): Promise<Host> {
	const router = await Host.start(`qjs${index}`);
	const address = `192.168.100.${index + 1}`;
	const port = `port${index}`;
	const wire = ["br-lan", "type", "veth", "peer", "name", port, "netns", String(lan.pid)];
	await router.run(["ip", "link", "add", ...wire]);
	await lan.run(["ip", "link", "set", port, "master", "br0", "up"]);
	await router.configure("br-lan", [`${address}/16`]);
	const protocols = neighbors.map((neighbor, peer) => birdBgp(`node${peer}`, neighbor, 65009));
	const base = birdDirect().replace(/protocol bgp \w+ \{[\s\S]*?\n\}\n/, "");
	await startBird(router, (base + protocols.join("")).replaceAll(network.router.lan, address));
	return router;
}

async function untilDiscovered(counter: Simulator, since: number): Promise<number> {
	await until("all routers to be discovered", () => counter.counts(), {
		holds: ({ discovered, states }) => discovered >= DEVICES && states >= DEVICES,
		timeout: 60_000,
		every: 100,
	});
	return performance.now() - since;
}

async function run(lan: Host, routers: readonly Host[]): Promise<void> {
	let broker: Mosquitto = await startMosquitto(lan, { log });
	const counter = new Simulator(lan, 0);
	const simulator = new Simulator(lan, ROUTERS - BUNDLES);
	for (const each of [counter, simulator])
		await until("the simulator", () => each.counts(), { timeout: 20_000 });

	say(
		`\n${ROUTERS} routers (${BUNDLES} of them bundles under qjs) with ${PEERS} peers each, all at once, on one mosquitto`,
	);
	let since = performance.now();
	const bundles = routers.map((router, index) => {
		const main = { router_id: `qjs${index}`, remediate: false, ...repairing };
		return startDaemon(router, { main, mqtt: { commands: true } }).daemon;
	});
	simulator.tell("start");
	let took = await untilDiscovered(counter, since);
	let counts = await counter.counts();
	check("every router and peer is discovered, with its state", true, seconds(took));
	figure("messages, and the most of them in a second", `${counts.messages}, ${counts.peak}`);
	figure("mosquitto: processor time, resident memory", describe(cost(broker.process.pid)));
	const kept = [...(await broker.retained()).keys()].filter((topic) => topic.endsWith("/config"));
	check("the broker keeps one discovery message for each device", kept.length === DEVICES, `${kept.length}`);

	say("\nAt rest, for 10 s");
	// The peers of the bundles are hosts that speak no BGP: that is diagnosed in the first minute.
	await until(
		"quiet",
		async () => {
			counter.tell("reset");
			await pause(21_000);
			return (await counter.counts()).messages;
		},
		{ holds: (messages) => messages === 0, timeout: 150_000 },
	);
	counter.tell("reset");
	let before = cost(broker.process.pid);
	await pause(10_000);
	counts = await counter.counts();
	check("nothing is published while nothing changes", counts.messages === 0, `${counts.messages} messages`);
	figure("mosquitto: processor time", share(before, cost(broker.process.pid), 10));
	const memory = bundles.map(({ process }) => cost(process.pid).megabytes).sort((one, other) => one - other);
	figure(
		"a bundle's resident memory, median and most",
		`${memory[memory.length >> 1]?.toFixed(1)}, ${memory.at(-1)?.toFixed(1)} MB`,
	);

	say(
		`\nA storm: everything changes five times a second on all simulated routers, and the bundles' tables are wiped, for ${STORM_SECONDS} s`,
	);
	counter.tell("reset");
	before = cost(broker.process.pid);
	simulator.tell("storm");
	since = performance.now();
	while (performance.now() - since < STORM_SECONDS * 1000) {
		await Promise.all(routers.map((router) => router.nft("flush ruleset")));
		await pause(3000);
	}
	simulator.tell("calm");
	const lasted = (performance.now() - since) / 1000;
	counts = await counter.counts();
	figure(
		"messages a second, on average and at most",
		`${Math.round(counts.messages / lasted)}, ${counts.peak}`,
	);
	figure("kilobytes a second", `${Math.round(counts.bytes / lasted / 1024)}`);
	const bound = Math.ceil(lasted) + 1;
	check(
		"no topic has more than a message in a second",
		counts.densest <= bound,
		`at most ${counts.densest} in ${lasted.toFixed(1)} s`,
	);
	figure("mosquitto: processor time", share(before, cost(broker.process.pid), lasted));
	const { connected } = await simulator.counts();
	check("all are still connected", connected === ROUTERS - BUNDLES, `${connected} of the simulated ones`);

	say("\nThe broker restarts and has forgotten everything");
	await pause(2000);
	counter.tell("reset");
	await broker.stop();
	since = performance.now();
	broker = await startMosquitto(lan, { log });
	took = await untilDiscovered(counter, since);
	counts = await counter.counts();
	check("every router and peer is discovered again", true, seconds(took));
	figure("messages, and the most of them in a second", `${counts.messages}, ${counts.peak}`);
	figure("mosquitto: processor time, resident memory", describe(cost(broker.process.pid)));
	check(
		"every bundle runs on",
		bundles.every(({ process }) => process.running),
		`${bundles.filter(({ process }) => process.running).length} of ${BUNDLES}`,
	);
	await simulator.stop();
	await counter.stop();
}

const describe = ({ cpu, megabytes }: { cpu: number; megabytes: number }) =>
	`${cpu.toFixed(2)} s, ${megabytes.toFixed(1)} MB`;
const share = (before: { cpu: number }, after: { cpu: number }, time: number) =>
	`${(((after.cpu - before.cpu) / time) * 100).toFixed(1)} % of a core`;

async function main(): Promise<void> {
	cleanLeftovers();
	const lan = await startNetwork();
	const routers: Host[] = [];
	try {
		for (let index = 0; index < BUNDLES; index++) routers.push(await startRouter(lan, index));
		await run(lan, routers);
	} catch (error) {
		results.push(false);
		say(`  x ${error instanceof Error ? error.message : String(error)}`);
	} finally {
		await Promise.all([lan, ...routers].map((host) => host.stop()));
	}
	const failed = results.filter((held) => !held).length;
	say(`\n${results.length - failed} passed, ${failed} failed`);
	process.exit(failed === 0 ? 0 : 1);
}

await main();
