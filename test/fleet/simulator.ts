/**
 * Runs in the broker's network namespace: publishers, as many as told, each as the daemon makes it; or, with none, a
 * subscriber that counts. Usage: simulator.ts FIRST COUNT PEERS PORT ROOT. Takes one word per line: `start`, `storm`, `calm`,
 * `counts`, `stop`; answers `counts` with one line of JSON.
 */

import { connect } from "node:net";
import { createInterface } from "node:readline";
import { MqttClient } from "mqtt";
import type { MqttConfig } from "../../src/model/config.ts";
import type { Status } from "../../src/model/status.ts";
import { createPlatform } from "../../src/platform/node.ts";
import type { Platform } from "../../src/platform/types.ts";
import { Publisher } from "../../src/report/mqtt/publisher.ts";

const [first = 0, count = 0, peers = 0, port = 0] = process.argv.slice(2, 6).map(Number);
const root = process.argv[6] ?? "/";

const config: MqttConfig = {
	...{ enabled: true, host: "127.0.0.1", port, username: "", password: "", tls: false, tlsInsecure: false },
	...{ caFile: "", certFile: "", keyFile: "", baseTopic: "bgpwarden", discovery: true },
	...{ discoveryPrefix: "homeassistant", commands: true },
};

/** The lab's own `nc`, whatever this machine has. */
function withLabPrograms(platform: Platform): Platform {
	return {
		...platform,
		spawn: (options) => platform.spawn({ ...options, argv: ["chroot", root, ...options.argv] }),
	};
}

function status(id: string, step: number): Status {
	return {
		router: {
			...{ version: "0.2.0", router: id, pid: 1, started: "2026-01-01T00:00:00Z" },
			...{
				protection: "installed",
				table: "custom_bgp",
				ports: [179],
				level: "green",
				repairs: step,
				flushed: step,
			},
			bird: { reachable: true, version: "3.1.8" },
		},
		peers: Array.from({ length: peers }, (_, index) => ({
			...({ name: `node${index}`, level: step % 2 === 0 ? "green" : "red" } as const),
			...{ neighbor_address: `192.168.1.${index + 2}`, neighbor_as: 65009 },
			...{ local_as: 65001, state: step % 2 === 0 ? "Established" : "Idle", since: "2026-01-01T00:00:00Z" },
			...{ bfd: "up" as const, imported: 10 + step, exported: 0, preferred: 10, flaps: step },
		})),
	};
}

/** What the counting subscriber has seen. */
const seen = {
	messages: 0,
	bytes: 0,
	/** Topics of discovery that hold something, and of states. */
	discovered: new Set<string>(),
	states: new Set<string>(),
	/** Messages in each second since it began. */
	seconds: new Map<number, number>(),
	/** Messages on each topic. */
	topics: new Map<string, number>(),
};

function note(topic: string, payload: Uint8Array): void {
	const now = performance.now();
	seen.messages++;
	seen.bytes += topic.length + payload.length;
	const second = Math.floor(now / 1000);
	seen.seconds.set(second, (seen.seconds.get(second) ?? 0) + 1);
	const into = topic.endsWith("/config")
		? seen.discovered
		: topic.endsWith("/state")
			? seen.states
			: undefined;
	if (payload.length > 0) into?.add(topic);
	else into?.delete(topic);
	seen.topics.set(topic, (seen.topics.get(topic) ?? 0) + 1);
}

function reset(): void {
	seen.messages = 0;
	seen.bytes = 0;
	seen.discovered.clear();
	seen.states.clear();
	seen.seconds.clear();
	seen.topics.clear();
}

function startCounter(): void {
	const counter = new MqttClient(() => connect(port, "127.0.0.1"), {
		clientId: "counter",
		reconnectPeriod: 100,
	});
	counter.on("error", () => {});
	counter.on("connect", () => counter.subscribe("#", { qos: 0 }));
	counter.on("message", (topic, payload, packet) => {
		// What the broker had kept is no traffic of now.
		if (!packet.retain) note(topic, payload);
	});
}

async function main(): Promise<void> {
	const platform = withLabPrograms(await createPlatform());
	// A process that simulates routers has no time to count.
	if (count === 0) startCounter();
	const nobody = { onCommand() {}, onOutcome() {}, onForeign() {}, onRefused() {}, onLog() {} };
	const routers = Array.from({ length: count }, (_, index) => {
		const id = `sim${first + index}`;
		return { id, publisher: new Publisher(platform, config, id, nobody) };
	});
	let step = 0;
	let storm: NodeJS.Timeout | undefined;
	const update = () => {
		step++;
		for (const { id, publisher } of routers) publisher.update(status(id, step));
	};
	const verbs: Record<string, () => void | Promise<void>> = {
		start() {
			update();
			for (const { publisher } of routers) publisher.start();
		},
		storm() {
			storm = setInterval(update, 200);
		},
		calm() {
			clearInterval(storm);
		},
		reset,
		counts() {
			const { messages, bytes, discovered, states, seconds, topics } = seen;
			const retained = [...topics].filter(([topic]) => !topic.endsWith("/event"));
			const densest = Math.max(0, ...retained.map(([, times]) => times));
			const peak = Math.max(0, ...seconds.values());
			const connected = routers.filter(({ publisher }) => publisher.connectedToBroker).length;
			const counts = {
				messages,
				bytes,
				discovered: discovered.size,
				states: states.size,
				peak,
				densest,
				connected,
			};
			process.stdout.write(`${JSON.stringify(counts)}\n`);
		},
		async stop() {
			await Promise.all(routers.map(({ publisher }) => publisher.stop()));
			process.exit(0);
		},
	};
	for await (const line of createInterface({ input: process.stdin })) await verbs[line]?.();
	process.exit(0);
}

await main();
