import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Daemon, repairing, startDaemon } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdDirect, startBird, startMosquitto } from "../programs.ts";
import { untilWatched } from "../session.ts";
import { pause, until } from "../wait.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

const { router, broker: brokerHost, speaker, peer } = network;
const routerTopics = [
	"bgpwarden/router/availability",
	"bgpwarden/router/state",
	"homeassistant/device/bgpwarden_router/config",
];
const peerTopics = [
	`bgpwarden/router/peer/${peer}/availability`,
	`bgpwarden/router/peer/${peer}/state`,
	`homeassistant/device/bgpwarden_router_${peer}/config`,
];
const everyTopic = [...routerTopics, ...peerTopics].sort();
const isDiscovery = (topic: string) => topic.endsWith("/config");

const untilConnected = (daemon: Daemon) =>
	daemon.untilStatus("the broker connected", ({ mqtt }) => mqtt?.connected === true, { timeout: 15_000 });
const linesAboutBroker = (daemon: Daemon) => daemon.process.lines.filter((line) => line.includes("MQTT"));

/** Takes the table away and waits until it is back. */
async function wipe(daemon: Daemon, repairs: number): Promise<void> {
	await lab.router.nft("flush ruleset");
	await daemon.untilStatus(`${repairs} repairs`, (status) => status.router.repairs === repairs);
	await lab.router.run(["nft", "list", "table", "inet", "custom_bgp"]);
}

/** A conntrack entry as a dead session leaves it. */
async function leaveStaleEntry(): Promise<void> {
	const ends = ["-s", speaker.address, "-d", router.lan, "--sport", "40000", "--dport", "179"];
	await lab.router.run(["conntrack", "-I", "-p", "tcp", ...ends, "--state", "ESTABLISHED", "-t", "300"]);
}

describe("a broker that is not there", () => {
	test("absent at the start, then there, then restarted without its memory", async () => {
		// Given a daemon without a broker
		await startBird(lab.router, birdDirect());
		const { daemon } = startDaemon(lab.router, { main: repairing });
		const status = await daemon.untilStatus("a reason", ({ mqtt }) => mqtt?.reason !== undefined);
		expect(status.mqtt).toMatchObject({
			connected: false,
			reason: expect.stringMatching(/refused/i),
		});
		await daemon.untilStatus("the table", ({ router }) => router.protection === "installed");
		await untilWatched(lab.router);
		await wipe(daemon, 1);
		expect(linesAboutBroker(daemon)).toHaveLength(1);

		// When it comes, it is told everything
		const first = await startMosquitto(lab.broker);
		await untilConnected(daemon);
		const told = await until("every topic", () => first.retained(), {
			holds: (topics) => topics.size >= everyTopic.length,
		});
		expect([...told.keys()].sort()).toEqual(everyTopic);
		expect(told.get("bgpwarden/router/availability")).toBe("online");

		// When it goes, the table is looked after all the same
		await first.stop();
		await daemon.untilStatus("not connected", ({ mqtt }) => mqtt?.connected === false);
		await wipe(daemon, 2);

		// When it is back and has forgotten, it is told everything again
		const second = await startMosquitto(lab.broker);
		await untilConnected(daemon);
		const again = await until("every topic", () => second.retained(), {
			holds: (topics) => topics.size >= everyTopic.length,
		});
		expect([...again.keys()].sort()).toEqual(everyTopic);
		for (const topic of everyTopic.filter((name) => name.endsWith("/config")))
			expect(again.get(topic)).toBe(told.get(topic));
		expect(JSON.parse(again.get("bgpwarden/router/state") ?? "")).toMatchObject({ repairs: 2 });
	});

	test.each([
		{ what: "no route", host: "192.0.2.1", port: 1883, reason: /unreachable/i },
		{ what: "nobody at the address", host: "192.168.10.99", port: 1883, reason: /no route to host/i },
		{ what: "a closed port", host: brokerHost.address, port: 1884, reason: /refused/i },
		{ what: "a name nobody knows", host: "broker.invalid", port: 1883, reason: /bad address/i },
	])("$what: one clear line, and a corrected configuration connects", async ({ host, port, reason }) => {
		await startMosquitto(lab.broker);
		const { warden, daemon } = startDaemon(lab.router, { mqtt: { host, port } });
		const status = await daemon.untilStatus("a reason", ({ mqtt }) => mqtt?.reason !== undefined);
		expect(status.mqtt?.broker).toBe(`${host}:${port}`);
		expect(status.mqtt?.reason).toMatch(reason);
		expect(linesAboutBroker(daemon)).toEqual([expect.stringMatching(reason)]);

		warden.configure({});
		daemon.reload();
		await untilConnected(daemon);
	});
});

test("a wrong password: the log and the status say so, and the right one connects", async () => {
	await startMosquitto(lab.broker, { username: "router", password: "a b'c" });
	const { warden, daemon } = startDaemon(lab.router, { mqtt: { username: "router", password: "wrong" } });
	const refused = /refused.*password/;
	await daemon.process.says(refused);
	await daemon.untilStatus("the reason", ({ mqtt }) => refused.test(mqtt?.reason ?? ""));
	expect((await warden.cli(["status"])).stdout).toMatch(refused);
	expect(linesAboutBroker(daemon)).toEqual([expect.stringMatching(refused)]);

	warden.configure({ mqtt: { username: "router", password: "a b'c" } });
	daemon.reload();
	await untilConnected(daemon);
	expect((await warden.cli(["status"])).stdout).not.toMatch(refused);
	expect(daemon.process.lines.join("\n")).not.toContain("a b'c");
});

test("TLS: the broker is believed only with a certificate of the right authority", async () => {
	const broker = await startMosquitto(lab.broker, { tls: true });
	const newKey = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
	const other = ["-subj", "/CN=somebody else", "-keyout", "/etc/other.key", "-out", "/etc/other.crt"];
	await lab.router.run(["openssl", ...newKey, ...other]);
	lab.router.write("/etc/lab.crt", broker.caCertificate ?? "");
	const tls = { tls: true, port: 8883 };

	const { warden, daemon } = startDaemon(lab.router, { mqtt: { ...tls, ca_file: "/etc/other.crt" } });
	const refused = /certificate was refused/;
	await daemon.process.says(refused);
	await daemon.untilStatus("the reason", ({ mqtt }) => refused.test(mqtt?.reason ?? ""));
	expect(linesAboutBroker(daemon)).toHaveLength(1);

	warden.configure({ mqtt: { ...tls, ca_file: "/etc/lab.crt" } });
	daemon.reload();
	await untilConnected(daemon);
	await until("every topic", () => broker.retained(), {
		holds: (topics) => routerTopics.every((topic) => topics.has(topic)),
	});
});

describe("commands", () => {
	test("ensure, flush and restart are obeyed; a retained one and nonsense are refused", async () => {
		// Given a stale entry and a command that somebody left retained
		const broker = await startMosquitto(lab.broker);
		await broker.publish("bgpwarden/router/command", "flush", { retain: true });
		const bird = await startBird(lab.router, birdDirect());
		const { daemon } = startDaemon(lab.router, { mqtt: { commands: true }, main: repairing });
		await daemon.process.says(/bgpwarden\/router\/command: 'flush' refused: a retained command/);
		await daemon.untilStatus(
			"the peer and the table",
			({ peers, router }) => peers.length === 1 && router.protection === "installed",
		);
		await untilWatched(lab.router);
		await leaveStaleEntry();

		await broker.publish("bgpwarden/router/command", "reboot");
		await daemon.process.says(/command: 'reboot' refused: not the word ensure or flush/);
		expect((await daemon.untilStatus("anything", () => true)).router.flushed).toBe(0);
		await broker.publish("bgpwarden/router/command", "flush");
		await daemon.untilStatus("one entry deleted", (status) => status.router.flushed === 1);

		// One command in a second is obeyed.
		await pause(1100);
		await broker.publish(`bgpwarden/router/peer/${peer}/command`, "restart");
		await bird.process.says(/Restarting protocol waukeen/);
		await daemon.process.says(/^peer waukeen: restarted in BIRD on request$/);

		// An ensure finds what a deaf monitor has not heard
		const monitor = lab.router
			.processes()
			.find((pid) => lab.router.read(`/proc/${pid}/cmdline`)?.startsWith("nft\0monitor"));
		lab.router.signal(monitor, "SIGSTOP");
		await lab.router.nft("delete table inet custom_bgp");
		await pause(1100);
		await broker.publish("bgpwarden/router/command", "ensure");
		await daemon.untilStatus("a repair", (status) => status.router.repairs === 1);
		await lab.router.run(["nft", "list", "table", "inet", "custom_bgp"]);
	});

	test("they are not even listened to unless they are switched on", async () => {
		const broker = await startMosquitto(lab.broker);
		const seen = await broker.subscribe();
		const { daemon } = startDaemon(lab.router);
		await untilConnected(daemon);
		await broker.publish("bgpwarden/router/command", "flush");
		// What comes after the command is answered; the command was not.
		const told = seen.messages.length;
		await broker.publish("homeassistant/status", "online");
		await until("everything again", () =>
			seen.messages.slice(told).some(({ topic }) => topic === "homeassistant/device/bgpwarden_router/config"),
		);
		// Each command that is heard, obeyed or not, is answered by an event.
		const events = seen.messages.filter(({ topic }) => topic === "bgpwarden/router/event");
		expect(events.map(({ payload }) => payload).join("\n")).not.toContain("command_done");
		expect(daemon.process.lines.join("\n")).not.toContain("refused");
	});
});

describe("a broker gone mad", () => {
	/** Megabytes that the daemon occupies. */
	const resident = (daemon: Daemon) => {
		const status = lab.router.read(`/proc/${daemon.process.pid}/status`) ?? "";
		return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
	};

	test("a message of 100 MB is skipped with one line each time, and everything goes on", async () => {
		// mosquitto 2.1 would refuse it: its limit is 2 MB unless told otherwise. This is what MQTT itself allows.
		const broker = await startMosquitto(lab.broker, { more: ["max_packet_size 268435455"] });
		await lab.broker.run(["sh", "-c", "head -c 100000000 /dev/zero > /tmp/large"]);
		const large = (topic: string, ...flags: string[]) =>
			lab.broker.run(["mosquitto_pub", "-h", "127.0.0.1", "-t", topic, "-f", "/tmp/large", ...flags]);
		// One that the broker keeps, where each connection looks
		await large("bgpwarden/router/peer/ghost/state", "-r");
		const { daemon } = startDaemon(lab.router, { mqtt: { commands: true }, main: repairing });
		await daemon.process.says(/MQTT: the broker sent a message of 100000\d+ bytes, more than 65536: skipped/);
		await untilConnected(daemon);
		// And one of QoS 1 as a command, while somebody listens for what becomes of the next one
		const seen = await broker.subscribe();
		await large("bgpwarden/router/command", "-q", "1");
		await until("the second line", () => linesAboutBroker(daemon), {
			holds: (lines) => lines.filter((line) => line.includes("skipped")).length === 2,
			timeout: 20_000,
		});
		expect(resident(daemon)).toBeLessThan(12);
		await pause(1100);
		await broker.publish("bgpwarden/router/command", "ensure");
		await until("the outcome", () => seen.last("bgpwarden/router/event"));
		await wipe(daemon, 1);
		expect((await daemon.untilStatus("anything", () => true)).mqtt?.connected).toBe(true);
	});
});

test("a router that gets another name leaves no ghost under the old one, and a renamed host keeps its name", async () => {
	const broker = await startMosquitto(lab.broker);
	await startBird(lab.router, birdDirect());
	const { warden, daemon } = startDaemon(lab.router);
	const kept = async () => [...(await broker.retained()).keys()].filter((topic) => !topic.startsWith("lab/"));
	await until("every topic", kept, { holds: (topics) => topics.length === everyTopic.length });

	await lab.router.run(["hostname", "another"]);
	await daemon.stop();
	const next = warden.start();
	await until("online again", () => broker.retained(), {
		holds: (topics) => topics.get("bgpwarden/router/availability") === "online",
	});
	expect((await kept()).sort()).toEqual(everyTopic);

	warden.configure({ main: { router_id: "renamed" } });
	next.reload();
	await until("the new topics alone", kept, {
		holds: (topics) => topics.length === everyTopic.length && topics.every((topic) => /renamed/.test(topic)),
		timeout: 20_000,
	});
});

describe("two routers with one id", () => {
	test("each says so, and what to do about it, until the other is gone", async () => {
		await startMosquitto(lab.broker);
		const first = startDaemon(lab.router);
		await untilConnected(first.daemon);
		const second = startDaemon(lab.speaker, { main: { router_id: "router" } });
		const said = /another router.* 'router' as well.* Give each router its own 'option router_id'/;
		for (const { daemon } of [first, second])
			await daemon.untilStatus("the other one", ({ router }) => said.test(router.problem ?? ""), {
				timeout: 100_000,
			});
		await second.daemon.stop();
		await first.daemon.untilStatus("nothing of it", ({ router }) => !said.test(router.problem ?? ""), {
			timeout: 100_000,
		});
	}, 300_000);
});

describe("Home Assistant", () => {
	/** What homeassistant/components/mqtt/schemas.py takes; any other key makes it refuse the message. */
	const rootKeys = [
		...["device", "origin", "components", "qos", "encoding", "state_topic", "command_topic"],
		...["availability", "availability_mode", "availability_topic", "availability_template"],
		...["payload_available", "payload_not_available"],
	];
	const deviceKeys = [
		...["identifiers", "connections", "name", "manufacturer", "model", "model_id", "via_device"],
		...["hw_version", "sw_version", "serial_number", "suggested_area", "configuration_url"],
	];
	const originKeys = ["name", "sw_version", "support_url"];

	test("its birth is answered with everything, in words it takes", async () => {
		const broker = await startMosquitto(lab.broker);
		await startBird(lab.router, birdDirect());
		const { daemon } = startDaemon(lab.router);
		await untilConnected(daemon);
		const told = await until("every topic", () => broker.retained(), {
			holds: (topics) => topics.size === everyTopic.length,
		});
		for (const [topic, payload] of told) {
			if (!isDiscovery(topic)) continue;
			const { device, origin, components, ...rest } = JSON.parse(payload);
			for (const key of Object.keys(rest)) expect(rootKeys).toContain(key);
			for (const key of Object.keys(device)) expect(deviceKeys).toContain(key);
			for (const key of Object.keys(origin)) expect(originKeys).toContain(key);
			expect(Object.keys(components).length).toBeGreaterThan(0);
			for (const component of Object.values(components) as Record<string, unknown>[]) {
				// With its platform alone it takes a button back.
				expect(component.platform).toEqual(expect.any(String));
				if (Object.keys(component).length > 1) expect(component.unique_id).toEqual(expect.any(String));
			}
		}

		const seen = await broker.subscribe();
		await broker.publish("homeassistant/status", "online");
		// Discovery first: a state of an entity that is not known yet would be lost. What changes in the seconds before the answer
		// begins is told as ever, and once more after it.
		const [discovery, others] = [
			everyTopic.filter(isDiscovery),
			everyTopic.filter((topic) => !isDiscovery(topic)),
		];
		const afterDiscovery = () => {
			const fresh = seen.messages.filter((message) => !message.retain).map(({ topic }) => topic);
			const announced = discovery.map((topic) => fresh.indexOf(topic));
			return announced.includes(-1) ? [] : fresh.slice(Math.max(...announced) + 1);
		};
		await until("everything again", afterDiscovery, {
			holds: (topics) => others.every((topic) => topics.includes(topic)),
		});
	});

	test("the last will: a killed daemon becomes unavailable, and its connection ends with it", async () => {
		const broker = await startMosquitto(lab.broker);
		const seen = await broker.subscribe();
		const { daemon } = startDaemon(lab.router);
		await until("online", () => seen.last("bgpwarden/router/availability")?.payload === "online");
		await daemon.crash();
		await until("offline", () => seen.last("bgpwarden/router/availability")?.payload === "offline");
		expect((await broker.retained()).get("bgpwarden/router/availability")).toBe("offline");
		const programs = () => lab.router.processes().map((pid) => lab.router.read(`/proc/${pid}/comm`));
		await until("no nc", programs, { holds: (names) => !names.includes("nc\n") });
	});
});
