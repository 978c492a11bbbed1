import { beforeEach, describe, expect, test } from "vitest";
import type { MqttConfig } from "../../src/config/types.ts";
import type { Platform } from "../../src/platform/types.ts";
import type { LinkHandlers, Message, MqttLink } from "../../src/report/mqtt/link.ts";
import { Publisher } from "../../src/report/mqtt/publisher.ts";
import type { PeerStatus, Status } from "../../src/report/status.ts";
import { mqttConfig } from "./broker.ts";

const R = "bgpwarden/r1";

/** A link whose broker takes as many messages as `room` says, and timers that run when told. */
class Bench {
	readonly published: Message[] = [];
	readonly subscribed: string[] = [];
	readonly unsubscribed: string[] = [];
	readonly commands: unknown[] = [];
	readonly log: string[] = [];
	readonly timers: { milliseconds: number; callback: () => void }[] = [];
	room = Number.POSITIVE_INFINITY;
	connected = false;
	publisher: Publisher;
	private handlers: LinkHandlers | undefined;

	constructor(config: Partial<MqttConfig> = {}) {
		const platform = {
			random: () => 0.5,
			after: (milliseconds: number, callback: () => void) => {
				const timer = { milliseconds, callback };
				this.timers.push(timer);
				return { cancel: () => void this.timers.splice(this.timers.indexOf(timer), 1) };
			},
		} as unknown as Platform;
		const bench = this;
		this.publisher = new Publisher(
			platform,
			mqttConfig(1883, config),
			"r1",
			{
				onCommand: (command) => this.commands.push(command),
				onLog: (level, line) => this.log.push(`${level}: ${line}`),
			},
			(_platform, _config, _identity, handlers): MqttLink => {
				this.handlers = handlers;
				return {
					start() {},
					async stop(messages = []) {
						bench.published.push(...messages);
					},
					get connected() {
						return bench.connected;
					},
					publish(topic, payload, { retain }) {
						if (!bench.connected || bench.room <= 0) return false;
						bench.room--;
						bench.published.push({ topic, payload, retain });
						return true;
					},
					subscribe: (topics) => void bench.subscribed.push(...topics),
					unsubscribe: (topics) => void bench.unsubscribed.push(...topics),
				};
			},
		);
	}

	connect(): void {
		this.connected = true;
		this.handlers?.onConnect();
	}

	disconnect(reason: string): void {
		this.connected = false;
		this.handlers?.onDisconnect(reason);
	}

	receive(topic: string, payload: string, retained = false): void {
		this.handlers?.onMessage(topic, payload, retained);
	}

	roomAgain(): void {
		this.room = Number.POSITIVE_INFINITY;
		this.handlers?.onRoom?.();
	}

	/** Topics published since the last call. */
	topics(): string[] {
		return this.published.splice(0).map(({ topic }) => topic);
	}

	/** Messages published since the last call. */
	messages(): [topic: string, payload: string][] {
		return this.published.splice(0).map(({ topic, payload }) => [topic, payload]);
	}

	runTimers(): number[] {
		return this.timers.splice(0).map(({ milliseconds, callback }) => {
			callback();
			return milliseconds;
		});
	}
}

function status(peers: (string | PeerStatus)[] = ["waukeen"], reachable = true): Status {
	return {
		router: {
			version: "1.0.0",
			router: "r1",
			pid: 7,
			started: "2025-11-24T03:00:00Z",
			protection: "owned",
			table: "custom_bgp",
			repairs: 0,
			flushed: 0,
			bird: { reachable },
		},
		peers: peers.map((peer) =>
			typeof peer === "string" ? { name: peer, state: "Established", flaps: 0 } : peer,
		),
	};
}

let bench: Bench;
beforeEach(() => {
	bench = new Bench();
});

const DISCOVERY = "homeassistant/device/bgpwarden_r1/config";
const PEER_DISCOVERY = "homeassistant/device/bgpwarden_r1_waukeen/config";
const EVERYTHING = [
	DISCOVERY,
	PEER_DISCOVERY,
	`${R}/availability`,
	`${R}/peer/waukeen/availability`,
	`${R}/state`,
	`${R}/peer/waukeen/state`,
];

describe("publishing", () => {
	test("everything after a connection: discovery, availability, states, all retained", () => {
		bench.publisher.update(status());
		expect(bench.published).toEqual([]);
		bench.connect();
		expect(bench.published.every(({ retain }) => retain)).toBe(true);
		expect(bench.topics()).toEqual(EVERYTHING);
	});

	test("the payloads of the design, without what is unknown", () => {
		bench.publisher.update(status());
		bench.connect();
		const messages = new Map(bench.messages());
		expect(JSON.parse(messages.get(`${R}/state`) ?? "")).toEqual({
			version: "1.0.0",
			started: "2025-11-24T03:00:00Z",
			protection: "owned",
			repairs: 0,
			flushed: 0,
			bird: { reachable: true },
		});
		expect(JSON.parse(messages.get(`${R}/peer/waukeen/state`) ?? "")).toEqual({
			name: "waukeen",
			state: "Established",
			flaps: 0,
		});
		expect(messages.get(`${R}/availability`)).toBe("online");
	});

	test("only what changed, afterwards", () => {
		bench.publisher.update(status());
		bench.connect();
		bench.topics();
		bench.publisher.update(status());
		expect(bench.topics()).toEqual([]);
		bench.publisher.update(status([{ name: "waukeen", state: "Active", flaps: 1 }]));
		expect(bench.topics()).toEqual([`${R}/peer/waukeen/state`]);
	});

	test("everything again after each connection", () => {
		bench.publisher.update(status());
		bench.connect();
		bench.topics();
		bench.disconnect("gone");
		bench.publisher.update(status([{ name: "waukeen", state: "Active", flaps: 1 }]));
		expect(bench.topics()).toEqual([]);
		bench.connect();
		expect(bench.topics()).toEqual(EVERYTHING);
		expect(bench.log).toEqual([
			"info: MQTT: 127.0.0.1:1883: connected",
			"warn: MQTT: 127.0.0.1:1883: gone",
			"info: MQTT: 127.0.0.1:1883: connected",
		]);
	});

	test("goes on where it was refused for lack of room", () => {
		bench.room = 3;
		bench.publisher.update(status());
		bench.connect();
		expect(bench.topics()).toEqual(EVERYTHING.slice(0, 3));
		bench.roomAgain();
		expect(bench.topics()).toEqual(EVERYTHING.slice(3));
	});

	test("no discovery and no birth with discovery off", () => {
		bench = new Bench({ discovery: false });
		bench.publisher.update(status());
		bench.connect();
		expect(bench.topics()).toEqual(EVERYTHING.slice(2));
		expect(bench.subscribed).not.toContain("homeassistant/status");
	});

	test("events are not retained, and dropped without a connection", () => {
		bench.publisher.event({ event_type: "bird_lost", at: "2025-11-24T03:00:00Z" });
		bench.connect();
		bench.publisher.event({ event_type: "bird_back", at: "2025-11-24T03:00:01Z", version: undefined });
		expect(bench.published).toEqual([
			{
				topic: `${R}/event`,
				payload: '{"event_type":"bird_back","at":"2025-11-24T03:00:01Z"}',
				retain: false,
			},
		]);
	});
});

describe("peers", () => {
	const cleared = (name: string) => [
		[`homeassistant/device/bgpwarden_r1_${name}/config`, ""],
		[`${R}/peer/${name}/availability`, ""],
		[`${R}/peer/${name}/state`, ""],
	];

	test("one that BIRD no longer has is taken back", () => {
		bench.publisher.update(status(["tymora", "waukeen"]));
		bench.connect();
		bench.topics();
		bench.publisher.update(status(["waukeen"]));
		expect(bench.messages()).toEqual(cleared("tymora"));
		bench.publisher.update(status(["waukeen"]));
		expect(bench.messages()).toEqual([]);
	});

	test("an unreachable BIRD makes them unavailable, not disappear", () => {
		bench.publisher.update(status());
		bench.connect();
		bench.topics();
		bench.publisher.update(status([], false));
		expect(bench.messages()).toContainEqual([`${R}/peer/waukeen/availability`, "offline"]);
		bench.publisher.update(status());
		expect(bench.messages()).toContainEqual([`${R}/peer/waukeen/availability`, "online"]);
	});

	test("what the broker holds of others from an earlier run is taken back", () => {
		bench.publisher.update(status());
		bench.connect();
		bench.topics();
		expect(bench.subscribed).toEqual(
			expect.arrayContaining([`${R}/peer/+/state`, `${R}/peer/+/availability`]),
		);
		bench.receive(`${R}/peer/waukeen/state`, "{}", true);
		expect(bench.messages()).toEqual([]);
		bench.receive(`${R}/peer/ghost/availability`, "offline", true);
		expect(bench.messages().sort()).toEqual(cleared("ghost").sort());
		bench.runTimers();
		expect(bench.unsubscribed).toEqual([`${R}/peer/+/state`, `${R}/peer/+/availability`]);
	});

	test("but not before BIRD has been read", () => {
		bench.publisher.update(status([], false));
		bench.connect();
		bench.topics();
		bench.receive(`${R}/peer/waukeen/availability`, "online", true);
		bench.receive(`${R}/peer/ghost/availability`, "online", true);
		expect(bench.messages()).toEqual([]);
		bench.publisher.update(status(["waukeen"]));
		const messages = bench.messages();
		expect(messages).toEqual(expect.arrayContaining(cleared("ghost")));
		expect(messages.filter(([, payload]) => payload === "")).toHaveLength(3);
	});

	test("our own messages coming back are not ghosts", () => {
		bench.publisher.update(status());
		bench.connect();
		bench.topics();
		bench.receive(`${R}/peer/ghost/state`, "{}", false);
		bench.receive(`${R}/peer/ghost/state`, "", true);
		expect(bench.messages()).toEqual([]);
	});
});

describe("Home Assistant's birth", () => {
	beforeEach(() => {
		bench.publisher.update(status());
		bench.connect();
		bench.topics();
		bench.timers.splice(0);
	});

	test("is answered with everything, some seconds later, once", () => {
		bench.receive("homeassistant/status", "online");
		bench.receive("homeassistant/status", "online");
		expect(bench.topics()).toEqual([]);
		expect(bench.runTimers()).toEqual([3000]);
		expect(bench.topics()).toEqual(EVERYTHING);
	});

	test("neither its death nor an old birth is", () => {
		bench.receive("homeassistant/status", "offline");
		bench.receive("homeassistant/status", "online", true);
		expect(bench.timers).toEqual([]);
	});
});

describe("commands", () => {
	test("are not listened to by default, nor obeyed", () => {
		bench.connect();
		expect(bench.subscribed.filter((topic) => topic.endsWith("command"))).toEqual([]);
		bench.receive(`${R}/command`, "flush");
		expect(bench.commands).toEqual([]);
	});

	test("reach the daemon with BIRD's name of the peer", () => {
		bench = new Bench({ commands: true });
		bench.publisher.update(status(["my.peer"]));
		bench.connect();
		expect(bench.subscribed).toEqual(expect.arrayContaining([`${R}/command`, `${R}/peer/+/command`]));
		bench.receive(`${R}/command`, "ensure\n");
		bench.receive(`${R}/command`, "flush");
		bench.receive(`${R}/peer/my_peer/command`, "restart");
		expect(bench.commands).toEqual([
			{ verb: "ensure" },
			{ verb: "flush" },
			{ verb: "restart", peer: "my.peer" },
		]);
	});

	test.each([
		[`${R}/command`, "flush", true, "a retained command would be obeyed again at every start"],
		[`${R}/command`, "restart", false, '"restart" is not ensure or flush'],
		[`${R}/command`, "x".repeat(100), false, `"${"x".repeat(40)}…" is not ensure or flush`],
		[`${R}/peer/waukeen/command`, "flush", false, '"flush" is not restart'],
		[`${R}/peer/nobody/command`, "restart", false, "BIRD has no such peer"],
	])("%s %s retained %s is refused with the reason", (topic, payload, retained, reason) => {
		bench = new Bench({ commands: true });
		bench.publisher.update(status());
		bench.connect();
		bench.receive(topic, payload, retained);
		expect(bench.commands).toEqual([]);
		expect(bench.log.at(-1)).toBe(`warn: MQTT: ${topic}: refused: ${reason}`);
	});
});

test("stop says offline for the router and its peers", async () => {
	bench.publisher.update(status());
	bench.connect();
	bench.topics();
	await bench.publisher.stop();
	expect(bench.published).toEqual([
		{ topic: `${R}/availability`, payload: "offline", retain: true },
		{ topic: `${R}/peer/waukeen/availability`, payload: "offline", retain: true },
	]);
	expect(bench.timers).toEqual([]);
});
