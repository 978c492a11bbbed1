import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { Aedes, type PublishPacket } from "aedes";
import type { MqttConfig } from "../../../src/model/config.ts";
import { createPlatform } from "../../../src/platform/node.ts";
import type { Platform } from "../../../src/platform/types.ts";

const relay = fileURLToPath(new URL("relay.mjs", import.meta.url));

/** A broker on loopback that remembers what was published to it, in order. */
export class TestBroker {
	readonly published: { topic: string; payload: string; retain: boolean }[] = [];
	private readonly sockets = new Set<Socket>();
	private server: Server | undefined;
	private broker: Aedes | undefined;
	port = 0;

	/** @param password what clients have to present; absent: anything goes */
	async start(password?: string): Promise<void> {
		const broker = await Aedes.createBroker();
		if (password !== undefined) {
			broker.authenticate = (_client, _username, given, done) => {
				if (given?.toString() === password) done(null, true);
				else done(Object.assign(new Error("refused"), { returnCode: 4 as const }), null);
			};
		}
		broker.on("publish", (packet: PublishPacket, client) => {
			if (!client && packet.topic.startsWith("$SYS")) return;
			const { topic, payload, retain } = packet;
			this.published.push({ topic, payload: payload.toString(), retain });
		});
		this.server = createServer((socket) => {
			this.sockets.add(socket);
			socket.on("close", () => this.sockets.delete(socket));
			socket.on("error", () => {});
			broker.handle(socket);
		});
		const server = this.server;
		await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
		this.port = (server.address() as AddressInfo).port;
		this.broker = broker;
	}

	/** Publishes as another client would. */
	async publish(topic: string, payload: string, retain = false): Promise<void> {
		const packet = { cmd: "publish" as const, dup: false, qos: 1 as const, topic, payload, retain };
		await new Promise<void>((resolve) => this.broker?.publish(packet, () => resolve()));
	}

	/** The newest payload of each retained topic, as a late subscriber would see them. */
	retained(): Record<string, string> {
		const newest = new Map<string, string>();
		for (const { topic, payload, retain } of this.published) if (retain) newest.set(topic, payload);
		return Object.fromEntries([...newest].filter(([, payload]) => payload !== ""));
	}

	/** Cuts every connection, as a crash does. */
	cut(): void {
		for (const socket of this.sockets) socket.destroy();
	}

	async stop(): Promise<void> {
		this.cut();
		const { server, broker } = this;
		await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
		await new Promise<void>((resolve) => (broker ? broker.close(() => resolve()) : resolve()));
	}
}

/**
 * Node's platform with a relay in place of `nc`, no jitter, and faster timers.
 *
 * @param waits gets the milliseconds that were asked for
 */
export async function testPlatform(waits: number[] = [], speed = 20): Promise<Platform> {
	const platform = await createPlatform();
	return {
		...platform,
		random: () => 0.5,
		after(milliseconds, callback) {
			waits.push(milliseconds);
			return platform.after(milliseconds / speed, callback);
		},
		spawn(options) {
			const [program, ...args] = options.argv;
			return platform.spawn(
				program === "nc" ? { ...options, argv: [process.execPath, relay, ...args] } : options,
			);
		},
	};
}

export function mqttConfig(port: number, changes: Partial<MqttConfig> = {}): MqttConfig {
	return {
		enabled: true,
		host: "127.0.0.1",
		port,
		username: "",
		password: "",
		tls: false,
		caFile: "",
		certFile: "",
		keyFile: "",
		tlsInsecure: false,
		baseTopic: "bgpwarden",
		discovery: true,
		discoveryPrefix: "homeassistant",
		commands: false,
		...changes,
	};
}
