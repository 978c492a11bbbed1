import { afterEach, beforeEach, expect, test } from "vitest";
import { startDaemon } from "../lab/daemon.ts";
import { type Lab, startLab } from "../lab/lab.ts";
import { network } from "../lab/network.ts";
import { birdDirect, startBird } from "../lab/programs.ts";
import { until } from "../lab/wait.ts";
import { layers, startAmqtt } from "./amqtt.ts";

/** The daemon and a broker of another family: what it has to find there is what MQTT 3.1.1 says, not what mosquitto does. */
let lab: Lab;
beforeEach(async () => {
	lab = await startLab({ brokerLayers: layers });
});
afterEach(() => lab.stop());

const { peer } = network;
const base = "bgpwarden/router";
const everyTopic = [
	...[`${base}/availability`, `${base}/state`, "homeassistant/device/bgpwarden_router/config"],
	...[`${base}/peer/${peer}/availability`, `${base}/peer/${peer}/state`],
	`homeassistant/device/bgpwarden_router_${peer}/config`,
].sort();
const told = (topics: Map<string, string>) =>
	[...topics.keys()].filter((topic) => !topic.startsWith("lab/")).sort();

test("retained messages, ghosts, events, commands, the last will and a restart on amqtt", async () => {
	// Given a ghost of an earlier run
	let broker = await startAmqtt(lab.broker);
	await broker.publish(`${base}/peer/ghost/state`, '{"name":"ghost"}', { retain: true });
	await broker.publish(`${base}/peer/ghost/availability`, "online", { retain: true });
	await startBird(lab.router, birdDirect());

	// When the daemon comes, the broker has what it says, and no ghost
	const { warden, daemon } = startDaemon(lab.router, { mqtt: { commands: true } });
	await until("every topic and no ghost", async () => told(await broker.retained()), {
		holds: (topics) => topics.join() === everyTopic.join(),
		timeout: 20_000,
	});

	// A command is obeyed, and answered by an event
	const seen = await broker.subscribe();
	await broker.publish(`${base}/command`, "ensure");
	const outcome = await until("the outcome", () => seen.last(`${base}/event`));
	expect(JSON.parse(outcome?.payload ?? "")).toMatchObject({
		event_type: "command_done",
		command: "ensure",
		ok: true,
	});

	// A killed daemon is offline by its last will
	await daemon.crash();
	await until("offline", () => seen.last(`${base}/availability`)?.payload === "offline");
	const next = warden.start();
	await until("online", () => seen.last(`${base}/availability`)?.payload === "online", { timeout: 20_000 });

	// A broker that comes back without memory is told everything again
	await broker.crash();
	broker = await startAmqtt(lab.broker);
	await until("every topic again", async () => told(await broker.retained()), {
		holds: (topics) => topics.join() === everyTopic.join(),
		timeout: 30_000,
	});
	await next.stop();
	expect((await broker.retained()).get(`${base}/availability`)).toBe("offline");
});
