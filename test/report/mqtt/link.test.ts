import { type AddressInfo, createServer } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { createMqttLink, type MqttLink } from "../../../src/report/mqtt/link.ts";
import { mqttConfig, TestBroker, testPlatform } from "./broker.ts";

const identity = { clientId: "bgpwarden-r1", willTopic: "bgpwarden/r1/availability" };
const broker = new TestBroker();
const links: MqttLink[] = [];

afterEach(async () => {
	await Promise.all(links.splice(0).map((link) => link.stop()));
	await broker.stop();
	broker.published.length = 0;
	broker.port = 0;
});

async function startLink(config = mqttConfig(broker.port), waits: number[] = [], speed = 20) {
	const log: string[] = [];
	const messages: [topic: string, payload: string, retained: boolean][] = [];
	const link = createMqttLink(await testPlatform(waits, speed), config, identity, {
		onConnect: () => log.push("connected"),
		onDisconnect: (reason) => log.push(reason),
		onMessage: (...message) => messages.push(message),
		onRoom: () => log.push("room"),
		onProblem: (problem) => log.push(problem),
	});
	links.push(link);
	link.start();
	return { link, log, messages };
}

const eventually = (assertion: () => void) => vi.waitFor(assertion, { timeout: 10_000, interval: 10 });

test("publishes with QoS 1 and receives what it subscribes to, umlauts included", async () => {
	await broker.start();
	await broker.publish("held", "from before", true);
	const { link, log, messages } = await startLink(mqttConfig(broker.port), [], 1);
	expect(link.publish("too/early", "x", { retain: true })).toBe(false);
	await eventually(() => expect(log).toEqual(["connected"]));

	link.subscribe(["held", "echo"]);
	expect(link.publish("echo", "schön – 🙂", { retain: false })).toBe(true);
	await eventually(() =>
		expect(messages.sort()).toEqual([
			["echo", "schön – 🙂", false],
			["held", "from before", true],
		]),
	);
	expect(broker.published.map(({ topic }) => topic)).not.toContain("too/early");
});

/** Whether a timer is the wait before a try. */
const isRetry = (wait: number) => wait >= 1250 && wait < 5000;

test("connects again when the broker comes back, and says the reason once", async () => {
	await broker.start();
	const waits: number[] = [];
	const { log } = await startLink(mqttConfig(broker.port), waits);
	await eventually(() => expect(log).toEqual(["connected"]));
	await broker.stop();
	await eventually(() => expect(waits.filter(isRetry)).toHaveLength(3));
	await broker.start();
	await eventually(() => expect(log.at(-1)).toBe("connected"));

	expect(log.slice(1, -1)).toEqual([
		"the broker closed the connection",
		"nc: can't connect to remote host (127.0.0.1): ECONNREFUSED",
	]);
	expect(broker.published).toContainEqual({ topic: identity.willTopic, payload: "offline", retain: true });
});

test("tries after 1 s, doubling to 6 s, while there is no broker", async () => {
	await broker.start();
	const config = mqttConfig(broker.port);
	await broker.stop();
	const waits: number[] = [];
	const { log } = await startLink(config, waits, 1000);
	await eventually(() => expect(waits.length).toBeGreaterThanOrEqual(8));
	// From the beginning of one try to that of the next, a quarter of chance with it.
	for (const [index, longest] of [1250, 2500, 5000, 5000, 5000, 5000, 5000, 5000].entries()) {
		expect(waits[index]).toBeLessThanOrEqual(longest);
		expect(waits[index]).toBeGreaterThanOrEqual(1250);
	}
	expect(Math.max(...waits)).toBeGreaterThan(4000);
	expect(log).toHaveLength(1);
});

test("says that the password is wrong, once", async () => {
	await broker.start("secret");
	const waits: number[] = [];
	const { log, link } = await startLink(mqttConfig(broker.port, { username: "u", password: "wrong" }), waits);
	await eventually(() => expect(waits.filter(isRetry).length).toBeGreaterThanOrEqual(3));
	expect(log).toEqual(["the broker refused user name or password"]);
	expect(link.connected).toBe(false);
});

test("accepts the right password", async () => {
	await broker.start("secret");
	const { log } = await startLink(mqttConfig(broker.port, { username: "u", password: "secret" }));
	await eventually(() => expect(log).toEqual(["connected"]));
});

test("leaves a broker that answers pings and acknowledges nothing, and keeps what it was not told", async () => {
	// Packet types of MQTT 3.1.1, section 2.2.1: CONNECT is answered by CONNACK, PINGREQ by PINGRESP.
	const server = createServer((socket) => {
		socket.on("error", () => {});
		socket.on("data", (data) => {
			const type = (data[0] ?? 0) >> 4;
			if (type === 1) socket.write(Uint8Array.of(0x20, 2, 0, 0));
			if (type === 12) socket.write(Uint8Array.of(0xd0, 0));
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	const { link, log } = await startLink(mqttConfig(port), [], 100);
	await eventually(() => expect(link.connected).toBe(true));
	let acknowledged = 0;
	link.publish("topic", "x", { retain: true, acknowledged: () => acknowledged++ });
	await eventually(() => expect(log).toContain("the broker has acknowledged nothing for 45 s"));
	expect(acknowledged).toBe(0);
	await link.stop();
	await new Promise((resolve) => server.close(resolve));
});

const publish = (topic: readonly number[]) => [0x30, topic.length + 3, 0, topic.length, ...topic, 0x78];
const answers = (type: number, body: readonly number[]) =>
	Array.from({ length: 9 }, (_, id) => [type, body.length + 2, 0, id + 1, ...body]).flat();

test.each([
	["SUBACK for nothing", answers(0x90, [0]), "the broker sent SUBACK, which nobody asked for"],
	["UNSUBACK for nothing", answers(0xb0, []), "the broker sent UNSUBACK, which nobody asked for"],
	["PUBACK for nothing", answers(0x40, []), "the broker sent PUBACK, which nobody asked for"],
	["an empty topic", publish([]), "the broker sent a message on what is no topic"],
	["a topic with a wildcard", publish([0x61, 0x2b]), "the broker sent a message on what is no topic"],
	["a topic with a zero", publish([0x61, 0x00]), "the broker sent a message on what is no topic"],
	["a topic that is not UTF-8", publish([0x61, 0xff]), "the broker sent a message on what is no topic"],
])("leaves a broker that sends %s", async (_, bytes, reason) => {
	const server = createServer((socket) => {
		socket.on("error", () => {});
		socket.once("data", () => socket.write(Uint8Array.of(0x20, 2, 0, 0, ...bytes)));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	const { link, log } = await startLink(mqttConfig(port));
	await eventually(() => expect(log).toContain(reason));
	await link.stop();
	await new Promise((resolve) => server.close(resolve));
});

test("refuses more messages than it may have in flight, and tells when there is room", async () => {
	await broker.start();
	const { link, log } = await startLink(mqttConfig(broker.port), [], 1);
	await eventually(() => expect(link.connected).toBe(true));
	let taken = 0;
	while (taken < 10_000 && link.publish(`many/${taken}`, "x", { retain: false })) taken++;
	expect(taken).toBeLessThan(500);
	await eventually(() => expect(log).toEqual(["connected", "room"]));
	expect(broker.published.filter(({ topic }) => topic.startsWith("many/"))).toHaveLength(taken);
	expect(link.publish("large", "x".repeat(1_000_000), { retain: false })).toBe(true);
	expect(link.publish("next", "x".repeat(1000), { retain: false })).toBe(false);
});

test("stops with its last messages acknowledged and without the will, even when it had much in flight", async () => {
	await broker.start();
	// Its patience with the broker is not what is tested.
	const { link, log } = await startLink(mqttConfig(broker.port), [], 0.05);
	await eventually(() => expect(link.connected).toBe(true));
	while (link.publish("before", "x", { retain: false }));
	const stopped = link.stop([{ topic: "goodbye", payload: "now", retain: true }]);
	expect(link.publish("after", "x", { retain: false })).toBe(false);
	await stopped;
	expect(link.connected).toBe(false);
	// The test's broker acknowledges before it reports.
	await eventually(() =>
		expect(broker.published.filter(({ topic }) => topic !== "before")).toEqual([
			{ topic: "goodbye", payload: "now", retain: true },
		]),
	);
	expect(link.publish("later", "x", { retain: false })).toBe(false);
	expect(log).toEqual(["connected"]);
});

test("stops while the broker cannot be reached, or before it was started", async () => {
	const { link } = await startLink(mqttConfig(1));
	await link.stop([{ topic: "goodbye", payload: "now", retain: true }]);
	await link.stop();
	expect(link.connected).toBe(false);
});

test("an exception in a handler is a problem told, not the end", async () => {
	await broker.start();
	const problems: string[] = [];
	const link = createMqttLink(await testPlatform(), mqttConfig(broker.port), identity, {
		onConnect: () => link.subscribe(["in"]),
		onDisconnect: (reason) => problems.push(reason),
		onMessage() {
			throw new Error("not today");
		},
		onProblem: (problem) => problems.push(problem),
	});
	links.push(link);
	link.start();
	await eventually(() => expect(link.connected).toBe(true));
	await eventually(async () => {
		await broker.publish("in", "x");
		expect(problems).toContain("MQTT: not today");
	});
	expect(link.connected).toBe(true);
});
