import { beforeEach, describe, expect, test } from "vitest";
import type { MqttConfig } from "../../../src/model/config.ts";
import type { PeerStatus, Status } from "../../../src/model/status.ts";
import type { Platform } from "../../../src/platform/types.ts";
import type { LinkHandlers, Message, MqttLink } from "../../../src/report/mqtt/link.ts";
import { Publisher } from "../../../src/report/mqtt/publisher.ts";
import { peerId } from "../../../src/report/topics.ts";
import { mqttConfig } from "./broker.ts";

const R = "bgpwarden/r1";

/** A link whose broker takes as many messages as `room` says, and a clock that stands still between `advance`s. */
class Bench {
	readonly published: Message[] = [];
	readonly subscribed: string[] = [];
	readonly unsubscribed: string[] = [];
	readonly commands: unknown[] = [];
	readonly outcomes: unknown[] = [];
	readonly foreign: (string | undefined)[] = [];
	readonly log: string[] = [];
	room = Number.POSITIVE_INFINITY;
	/** Whether the broker acknowledges at once. */
	acknowledges = true;
	connected = false;
	publisher: Publisher;
	private now = 0;
	private timers: { at: number; callback: () => void }[] = [];
	private handlers: LinkHandlers | undefined;

	constructor(config: Partial<MqttConfig> = {}) {
		const platform = {
			random: () => 0.5,
			now: () => ({ monotonic: this.now, wall: this.now }),
			after: (milliseconds: number, callback: () => void) => {
				const timer = { at: this.now + milliseconds, callback };
				this.timers.push(timer);
				return {
					cancel: () => {
						this.timers = this.timers.filter((other) => other !== timer);
					},
				};
			},
		} as unknown as Platform;
		const bench = this;
		this.publisher = new Publisher(
			platform,
			mqttConfig(1883, config),
			"r1",
			{
				onCommand: (command) => this.commands.push(command),
				onOutcome: (outcome) => this.outcomes.push(outcome),
				onForeign: (text) => this.foreign.push(text),
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
					publish(topic, payload, { retain, acknowledged }) {
						if (!bench.connected || bench.room <= 0) return false;
						bench.room--;
						bench.published.push({ topic, payload, retain });
						if (bench.acknowledges) acknowledged?.();
						return true;
					},
					subscribe(topics, done) {
						bench.subscribed.push(...topics);
						done?.();
					},
					unsubscribe: (topics) => void bench.unsubscribed.push(...topics),
				};
			},
		);
	}

	/** Connects, and lets the random moment come. */
	connect(): void {
		this.meet();
		this.advance(2500);
	}

	meet(): void {
		this.connected = true;
		this.handlers?.onConnect();
	}

	disconnect(reason: string): void {
		this.connected = false;
		this.handlers?.onLost?.();
		this.handlers?.onDisconnect(reason);
	}

	receive(topic: string, payload: string, retained = false): void {
		this.handlers?.onMessage(topic, payload, retained);
	}

	roomAgain(): void {
		this.room = Number.POSITIVE_INFINITY;
		this.handlers?.onRoom?.();
	}

	advance(milliseconds: number): void {
		const end = this.now + milliseconds;
		for (;;) {
			const [next] = this.timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
			if (!next) break;
			this.timers = this.timers.filter((timer) => timer !== next);
			this.now = next.at;
			next.callback();
		}
		this.now = end;
	}

	get waitingTimers(): number {
		return this.timers.length;
	}

	/** Topics published since the last call. */
	topics(): string[] {
		return this.published.splice(0).map(({ topic }) => topic);
	}

	/** Messages published since the last call. */
	messages(): [topic: string, payload: string][] {
		return this.published.splice(0).map(({ topic, payload }) => [topic, payload]);
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

/** A bench with everything published. */
function settled(config: Partial<MqttConfig> = {}, peers: (string | PeerStatus)[] = ["waukeen"]): Bench {
	bench = new Bench(config);
	bench.publisher.update(status(peers));
	bench.connect();
	bench.topics();
	bench.advance(5000);
	return bench;
}

describe("publishing", () => {
	test("everything, at a random moment after a connection: discovery, availability, states, all retained", () => {
		bench.publisher.update(status());
		expect(bench.published).toEqual([]);
		bench.meet();
		bench.advance(2499);
		expect(bench.published).toEqual([]);
		bench.advance(1);
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
		settled();
		bench.publisher.update(status());
		expect(bench.topics()).toEqual([]);
		bench.publisher.update(status([{ name: "waukeen", state: "Active", flaps: 1 }]));
		expect(bench.topics()).toEqual([`${R}/peer/waukeen/state`]);
	});

	test("at most one message on a topic in a second, and the latest wins", () => {
		settled();
		for (let flaps = 1; flaps <= 100; flaps++) {
			bench.publisher.update(status([{ name: "waukeen", state: "Active", flaps }]));
			bench.advance(100);
		}
		bench.advance(1000);
		const flaps = bench.messages().map(([, payload]) => JSON.parse(payload).flaps);
		expect(flaps).toEqual([1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
	});

	test("everything again after each connection", () => {
		settled();
		bench.disconnect("gone");
		bench.publisher.update(status([{ name: "waukeen", state: "Active", flaps: 1 }]));
		bench.advance(60_000);
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

	test("online again, when the broker publishes the last will of an older connection late", () => {
		settled();
		bench.receive(`${R}/availability`, "offline");
		expect(bench.messages()).toEqual([[`${R}/availability`, "online"]]);
	});

	test("a warning at each connection that is not verified", () => {
		bench = new Bench({ tls: true, tlsInsecure: true });
		bench.connect();
		bench.disconnect("gone");
		bench.connect();
		expect(bench.log.filter((line) => /^warn: .*not verified \(tls_insecure\)/.test(line))).toHaveLength(2);
	});
});

describe("events", () => {
	const event = (number: number) => ({
		event_type: "bird_lost" as const,
		at: "2025-11-24T03:00:00Z",
		number,
	});
	const numbers = () =>
		bench
			.messages()
			.flatMap(([topic, payload]) => (topic === `${R}/event` ? JSON.parse(payload).number : []));

	test("are not retained", () => {
		settled();
		bench.publisher.event({ event_type: "bird_back", at: "2025-11-24T03:00:01Z", version: undefined });
		expect(bench.published).toEqual([
			{
				topic: `${R}/event`,
				payload: '{"event_type":"bird_back","at":"2025-11-24T03:00:01Z"}',
				retain: false,
			},
		]);
	});

	test("wait for a connection, and come after the states", () => {
		bench.publisher.update(status());
		bench.publisher.event(event(1));
		bench.connect();
		expect(bench.topics()).toEqual([...EVERYTHING, `${R}/event`]);
	});

	test("beyond 200 of them the oldest are dropped, and the next one says how many", () => {
		for (let number = 1; number <= 250; number++) bench.publisher.event(event(number));
		bench.publisher.update(status());
		bench.connect();
		bench.advance(300_000);
		const events = bench.messages().flatMap(([topic, payload]) => (topic === `${R}/event` ? [payload] : []));
		expect(events).toHaveLength(200);
		expect(JSON.parse(events[0] ?? "")).toMatchObject({ number: 51, dropped: 50 });
		expect(JSON.parse(events[1] ?? "")).not.toHaveProperty("dropped");
		expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ number: 250 });
	});

	test("a storm of them goes out ten at once, then one a second", () => {
		settled();
		for (let number = 1; number <= 20; number++) bench.publisher.event(event(number));
		expect(numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
		bench.advance(1000);
		expect(numbers()).toEqual([11]);
		bench.advance(9000);
		expect(numbers()).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20]);
	});

	test("what was not acknowledged comes again on the next connection", () => {
		settled();
		bench.acknowledges = false;
		bench.publisher.event(event(1));
		bench.publisher.event(event(2));
		expect(numbers()).toEqual([1, 2]);
		bench.disconnect("gone");
		bench.acknowledges = true;
		bench.publisher.event(event(3));
		bench.connect();
		expect(numbers()).toEqual([1, 2, 3]);
	});
});

describe("peers", () => {
	const cleared = (name: string) => [
		[`homeassistant/device/bgpwarden_r1_${name}/config`, ""],
		[`${R}/peer/${name}/availability`, ""],
		[`${R}/peer/${name}/state`, ""],
	];

	test("one that BIRD no longer has is taken back, and is itself when it is back", () => {
		settled({}, ["tymora", "waukeen"]);
		bench.publisher.update(status(["waukeen"]));
		expect(bench.messages()).toEqual(cleared("tymora"));
		bench.publisher.update(status(["waukeen"]));
		bench.advance(5000);
		expect(bench.messages()).toEqual([]);
		bench.publisher.update(status(["tymora", "waukeen"]));
		expect(bench.topics()).toEqual(cleared("tymora").map(([topic]) => topic));
	});

	test("one that goes while there is no connection is taken back on the next", () => {
		settled({}, ["tymora", "waukeen"]);
		bench.disconnect("gone");
		bench.publisher.update(status(["waukeen"]));
		bench.connect();
		expect(bench.messages()).toEqual(expect.arrayContaining(cleared("tymora")));
	});

	test("an unreachable BIRD makes them unavailable, not disappear", () => {
		settled();
		bench.publisher.update(status([], false));
		expect(bench.messages()).toContainEqual([`${R}/peer/waukeen/availability`, "offline"]);
		bench.advance(1000);
		bench.publisher.update(status());
		expect(bench.messages()).toContainEqual([`${R}/peer/waukeen/availability`, "online"]);
	});
});

describe("what the broker holds from an earlier run", () => {
	const cleared = (name: string) =>
		[
			[`${R}/peer/${name}/availability`, ""],
			[`${R}/peer/${name}/state`, ""],
			[`homeassistant/device/bgpwarden_r1_${name}/config`, ""],
		].sort();
	const discovery = (router: string, peer: string) =>
		JSON.stringify({
			device: { identifiers: [`bgpwarden_${router}_${peer}`], via_device: `bgpwarden_${router}` },
			availability: [{ topic: `bgpwarden/${router}/availability` }],
		});
	beforeEach(() => {
		bench.publisher.update(status());
		bench.meet();
	});

	test("of peers that BIRD does not have is taken back", () => {
		bench.receive(`${R}/peer/waukeen/state`, "{}", true);
		bench.receive(`${R}/peer/ghost/availability`, "offline", true);
		bench.advance(2500);
		const messages = bench.messages();
		expect(messages.filter(([, payload]) => payload === "").sort()).toEqual(cleared("ghost"));
	});

	test("discovery alone is enough, if it is this router's", () => {
		bench.receive("homeassistant/device/bgpwarden_r1_ghost/config", discovery("r1", "ghost"), true);
		bench.receive("homeassistant/device/bgpwarden_r1_b_peer/config", discovery("r1_b", "peer"), true);
		bench.receive("homeassistant/device/bgpwarden_r1_c/config", "no JSON", true);
		bench.receive("homeassistant/device/other/config", discovery("r2", "ghost"), true);
		bench.advance(2500);
		expect(bench.messages().filter(([, payload]) => payload === "")).toEqual([
			["homeassistant/device/bgpwarden_r1_ghost/config", ""],
		]);
	});

	test("is not listened to for longer than it takes, and the discovery of all others only once", () => {
		const all = "homeassistant/device/+/config";
		expect(bench.subscribed).toContain(all);
		bench.advance(900);
		bench.receive("homeassistant/device/other/config", "{}", true);
		bench.advance(900);
		expect(bench.unsubscribed).toEqual([]);
		bench.advance(100);
		expect(bench.unsubscribed).toContain(all);
		bench.disconnect("gone");
		bench.subscribed.length = 0;
		bench.meet();
		expect(bench.subscribed).toContain(`${R}/peer/+/state`);
		expect(bench.subscribed).not.toContain(all);
	});

	test("is not touched before BIRD has been read", () => {
		bench = new Bench();
		bench.publisher.update(status([], false));
		bench.meet();
		bench.receive(`${R}/peer/waukeen/availability`, "online", true);
		bench.receive(`${R}/peer/ghost/availability`, "online", true);
		bench.advance(10_000);
		expect(bench.messages().filter(([, payload]) => payload === "")).toEqual([]);
		bench.publisher.update(status(["waukeen"]));
		expect(
			bench
				.messages()
				.filter(([, payload]) => payload === "")
				.sort(),
		).toEqual(cleared("ghost"));
	});

	test("our own messages coming back are not ghosts", () => {
		bench.receive(`${R}/peer/ghost/state`, "{}", false);
		bench.receive(`${R}/peer/ghost/state`, "", true);
		bench.advance(2500);
		expect(bench.messages().filter(([, payload]) => payload === "")).toEqual([]);
	});
});

describe("another router with the same id", () => {
	const state = (started: string) => JSON.stringify({ started });
	const meetAndRead = (started: string) => {
		bench.disconnect("gone");
		bench.meet();
		bench.receive(`${R}/state`, state(started), true);
		bench.advance(40_000);
	};
	beforeEach(() => {
		settled();
	});

	test("is told when the broker holds, twice, what we have not published; and forgotten when it is gone", () => {
		meetAndRead("2025-01-01T00:00:00Z");
		expect(bench.foreign).toEqual([]);
		meetAndRead("2025-01-01T00:00:00Z");
		expect(bench.foreign).toEqual([expect.stringMatching(/another router, .*'r1'.*option router_id/)]);
		bench.advance(600_000);
		expect(bench.foreign.at(-1)).toBeUndefined();
	});

	test("is suspected when the broker hangs up again and again", () => {
		for (let times = 0; times < 5; times++) {
			bench.meet();
			bench.advance(4000);
			bench.disconnect("the broker closed the connection");
			expect(bench.foreign).toHaveLength(times < 2 ? 0 : 1);
		}
		expect(bench.foreign[0]).toMatch(/ends every connection .* another router 'r1'.*option router_id/);
	});

	test("is not suspected because of our own state", () => {
		for (let times = 0; times < 5; times++) meetAndRead("2025-11-24T03:00:00Z");
		expect(bench.foreign).toEqual([]);
	});

	test("is not suspected because of what an earlier run has left", () => {
		for (let times = 0; times < 5; times++) {
			bench = new Bench();
			bench.publisher.update(status());
			bench.meet();
			bench.receive(`${R}/state`, state("2025-01-01T00:00:00Z"), true);
			bench.advance(2500);
			expect(bench.foreign).toEqual([]);
		}
	});
});

describe("Home Assistant's birth", () => {
	beforeEach(() => {
		settled();
	});

	test("is answered with everything, at a random moment, once", () => {
		bench.receive("homeassistant/status", "online");
		bench.receive("homeassistant/status", "online");
		expect(bench.topics()).toEqual([]);
		bench.advance(2500);
		expect(bench.topics()).toEqual(EVERYTHING);
		bench.advance(10_000);
		expect(bench.topics()).toEqual([]);
	});

	test("neither its death nor an old birth is", () => {
		bench.receive("homeassistant/status", "offline");
		bench.receive("homeassistant/status", "online", true);
		bench.advance(10_000);
		expect(bench.topics()).toEqual([]);
	});
});

describe("commands", () => {
	test("are not listened to by default, nor obeyed", () => {
		bench.connect();
		expect(bench.subscribed.filter((topic) => topic.endsWith("command"))).toEqual([]);
		bench.receive(`${R}/command`, "flush");
		expect(bench.commands).toEqual([]);
		expect(bench.outcomes).toEqual([]);
	});

	test("reach the daemon with BIRD's name of the peer, one in a second", () => {
		settled({ commands: true }, ["my.peer"]);
		expect(bench.subscribed).toEqual(expect.arrayContaining([`${R}/command`, `${R}/peer/+/command`]));
		bench.receive(`${R}/command`, "ensure");
		for (let times = 0; times < 100; times++) bench.receive(`${R}/command`, "flush");
		bench.advance(1000);
		bench.receive(`${R}/peer/${peerId("my.peer")}/command`, "restart");
		expect(bench.commands).toEqual([{ verb: "ensure" }, { verb: "restart", peer: "my.peer" }]);
		const refused = { command: "flush", ok: false, text: "refused: more than one command in a second" };
		expect(bench.outcomes).toEqual([refused]);
		expect(bench.log.filter((line) => line.includes("refused"))).toHaveLength(1);
	});

	test.each([
		[`${R}/command`, "restart", "not the word ensure or flush"],
		[`${R}/command`, "flush\n", "not the word ensure or flush"],
		[`${R}/command`, "Flush", "not the word ensure or flush"],
		[`${R}/peer/waukeen/command`, "flush", "not the word restart"],
		[`${R}/peer/nobody/command`, "restart", "BIRD has no such peer"],
	])("%s %j is refused with the reason, in the log and by an event", (topic, payload, reason) => {
		settled({ commands: true });
		bench.receive(topic, payload);
		expect(bench.commands).toEqual([]);
		const word = payload.replace("\n", "\\x0a");
		expect(bench.log.at(-1)).toBe(`warn: MQTT: ${topic}: '${word}' refused: ${reason}`);
		expect(bench.outcomes).toEqual([
			expect.objectContaining({ command: word, ok: false, text: `refused: ${reason}` }),
		]);
	});

	test("retained ones are refused with a line in the log", () => {
		settled({ commands: true });
		bench.receive(`${R}/command`, "flush", true);
		expect(bench.commands).toEqual([]);
		expect(bench.outcomes).toEqual([]);
		expect(bench.log.at(-1)).toBe(`warn: MQTT: ${R}/command: 'flush' refused: a retained command`);
	});

	test("dirty ones harm neither log nor event", () => {
		settled({ commands: true });
		bench.receive(`${R}/command`, `\u001b[31m\u0000${"x".repeat(60_000)}`);
		expect(bench.log.at(-1)).toMatch(/'\\x1b\[31m\\x00x+…' refused/);
		expect(bench.log.at(-1)?.length).toBeLessThan(200);
		expect(JSON.stringify(bench.outcomes).length).toBeLessThan(200);
	});
});

describe("the end", () => {
	test("says offline for the router and its peers, after that what is waiting", async () => {
		settled();
		for (let number = 0; number < 11; number++)
			bench.publisher.event({ event_type: "bird_lost", at: "2025-11-24T03:00:00Z", number });
		bench.topics();
		await bench.publisher.stop();
		expect(bench.published).toEqual([
			{ topic: `${R}/availability`, payload: "offline", retain: true },
			{ topic: `${R}/peer/waukeen/availability`, payload: "offline", retain: true },
			expect.objectContaining({ topic: `${R}/event`, retain: false }),
		]);
	});

	test("as a router that is called otherwise from now on takes back all that it has published", async () => {
		settled();
		await bench.publisher.retire();
		expect(bench.published).toEqual(EVERYTHING.map((topic) => ({ topic, payload: "", retain: true })));
	});
});
