import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EventType, StoredEvent } from "../../../src/model/event.ts";
import type { PeerStatus } from "../../../src/model/status.ts";
import { repairing, startDaemon, type Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import {
	birdBgp,
	birdDirect,
	birdMultihop,
	type Mosquitto,
	type Subscriber,
	startBird,
	startFrr,
	startMosquitto,
} from "../programs.ts";
import { until } from "../wait.ts";

let lab: Lab;
let broker: Mosquitto;
let seen: Subscriber;
beforeEach(async () => {
	lab = await startLab();
	broker = await startMosquitto(lab.broker);
	seen = await broker.subscribe();
});
afterEach(() => lab.stop());

const quick = { main: { poll_interval: 2 } };
const second = birdBgp("second", "192.168.1.3", 65010);
const topic = (peer: string, leaf: string) => `bgpwarden/router/peer/${peer}/${leaf}`;

/** Waits until the newest message on a topic is this one. */
const untilTold = (name: string, payload: string, timeout = 10_000) =>
	until(`${name} to be ${payload}`, () => seen.last(name)?.payload, {
		holds: (told) => told === payload,
		timeout,
	});

/** Waits until the peer's state on the broker is this one. */
const untilState = (peer: string, state: string, timeout = 20_000) =>
	until(
		`${peer} to be ${state} on the broker`,
		() => JSON.parse(seen.last(topic(peer, "state"))?.payload || "{}"),
		{ holds: (told: Partial<PeerStatus>) => told.state === state, timeout },
	);

/** Waits until this many events of a type stand in the file, and returns the newest. */
async function untilEvent(warden: Warden, type: EventType, count = 1, timeout = 15_000) {
	const probe = () => warden.events().filter((event) => event.event_type === type);
	const found = await until(`${count} ${type}`, probe, { holds: (all) => all.length >= count, timeout });
	return found.at(-1);
}

const retainedOf = async (peer: string) =>
	[...(await broker.retained()).keys()].filter((name) => name.includes(peer)).sort();

const everyTopicOf = (peer: string) => [
	topic(peer, "availability"),
	topic(peer, "state"),
	`homeassistant/device/bgpwarden_router_${peer}/config`,
];

describe("BIRD comes and goes", () => {
	test("absent at the start, started, stopped, started, crashed, started", async () => {
		// Given a daemon and no BIRD
		const { warden, daemon } = startDaemon(lab.router, quick);
		await daemon.untilStatus("connected, no BIRD", ({ mqtt }) => mqtt?.connected === true);
		await until(
			"the state on the broker",
			() => JSON.parse(seen.last("bgpwarden/router/state")?.payload ?? "{}"),
			{
				holds: ({ bird, protection }) => bird?.reachable === false && protection !== "missing",
			},
		);

		// When BIRD starts, its peer is there and comes up
		const first = await startBird(lab.router, birdMultihop());
		await startFrr(lab.speaker);
		await untilTold(topic(network.peer, "availability"), "online");
		await untilState(network.peer, "Established");

		// When it stops, nothing can be said about the peer; when it is back, all is well again
		await first.stop();
		await untilTold(topic(network.peer, "availability"), "offline");
		expect((await untilEvent(warden, "bird_lost"))?.reason).toBeTruthy();
		const again = await startBird(lab.router, birdMultihop());
		await untilTold(topic(network.peer, "availability"), "online");
		await untilEvent(warden, "bird_back");
		await untilState(network.peer, "Established");

		// The same with a crash, which leaves the socket behind
		await again.crash();
		await untilTold(topic(network.peer, "availability"), "offline");
		await untilEvent(warden, "bird_lost", 2);
		await startBird(lab.router, birdMultihop());
		await untilTold(topic(network.peer, "availability"), "online");
		await untilEvent(warden, "bird_back", 2);
		await untilState(network.peer, "Established");
		expect(seen.last("bgpwarden/router/availability")?.payload).toBe("online");
		expect(daemon.process.running).toBe(true);
	});

	test("hung: no answer is an outage, and it ends by itself", async () => {
		const bird = await startBird(lab.router, birdDirect());
		const { warden, daemon } = startDaemon(lab.router, { main: { ...quick.main, ...repairing } });
		await untilTold(topic(network.peer, "availability"), "online");

		bird.process.kill("SIGSTOP");
		await untilTold(topic(network.peer, "availability"), "offline", 15_000);
		expect(await untilEvent(warden, "bird_lost")).toMatchObject({
			reason: expect.stringMatching(/^birdcl: no answer in 3 s$/),
		});
		// The table is looked after all the same
		await lab.router.nft("flush ruleset");
		await daemon.untilStatus("a repair", ({ router }) => router.repairs === 1);

		bird.process.kill("SIGCONT");
		await untilTold(topic(network.peer, "availability"), "online", 15_000);
		await untilEvent(warden, "bird_back");
		const clients = lab.router
			.processes()
			.filter((pid) => lab.router.read(`/proc/${pid}/comm`) === "birdcl\n");
		expect(clients).toHaveLength(1);
	});
});

describe("peers come and go", () => {
	test("reconfigured: the added peer appears everywhere, of the removed one nothing stays", async () => {
		const bird = await startBird(lab.router, birdDirect());
		const { daemon } = startDaemon(lab.router, quick);
		await untilState(network.peer, "Passive");
		await until("its retained messages", () => retainedOf(network.peer), {
			holds: (topics) => topics.length === 3,
		});
		expect(await retainedOf(network.peer)).toEqual(everyTopicOf(network.peer));

		await bird.configure(birdDirect(second));
		await untilState("second", "Passive");
		await bird.configure(birdDirect(second).replace(/protocol bgp waukeen \{[\s\S]*?\n\}\n/, ""));
		for (const gone of everyTopicOf(network.peer)) await untilTold(gone, "");

		expect(await retainedOf(network.peer)).toEqual([]);
		expect(await retainedOf("second")).toEqual(everyTopicOf("second"));
		const status = await daemon.untilStatus("one peer", ({ peers }) => peers.length === 1);
		expect(status.peers[0]).toMatchObject({ name: "second", neighbor_address: "192.168.1.3" });
	});

	test("removed while the daemon was not running: its ghost is taken back", async () => {
		const bird = await startBird(lab.router, birdDirect(second));
		const { warden, daemon } = startDaemon(lab.router, quick);
		await untilState("second", "Passive");
		await until("its retained messages", () => retainedOf("second"), {
			holds: (topics) => topics.length === 3,
		});
		await daemon.stop();
		await untilTold(topic("second", "availability"), "offline");
		expect(await retainedOf("second")).toEqual(everyTopicOf("second"));

		await bird.configure(birdDirect());
		warden.start();
		for (const gone of everyTopicOf("second")) await untilTold(gone, "");
		await untilTold(topic(network.peer, "availability"), "online");
		expect(await retainedOf("second")).toEqual([]);
		expect(await retainedOf(network.peer)).toEqual(everyTopicOf(network.peer));
	});

	test("a session's way down and up is told, with BIRD's reason", async () => {
		await startBird(lab.router, birdMultihop());
		const frr = await startFrr(lab.speaker);
		const { warden } = startDaemon(lab.router, quick);
		await untilState(network.peer, "Established");

		await frr.stop();
		const down = await untilEvent(warden, "peer_down");
		expect(down).toMatchObject({ peer: network.peer, last_error: expect.stringMatching(/\w/) });
		const flapped = await until(
			"one flap on the broker",
			() => JSON.parse(seen.last(topic(network.peer, "state"))?.payload ?? "{}"),
			{ holds: (told: Partial<PeerStatus>) => told.flaps === 1 },
		);
		expect(flapped.last_error).toBe(down?.last_error);

		await startFrr(lab.speaker);
		await untilState(network.peer, "Established", 30_000);
		await untilEvent(warden, "peer_up");
		const told = seen.messages.filter((message) => message.topic === "bgpwarden/router/event");
		const types = told.map((message) => (JSON.parse(message.payload) as StoredEvent).event_type);
		expect(types).toEqual(expect.arrayContaining(["peer_down", "peer_up"]));
		expect(told.every((message) => !message.retain)).toBe(true);
	});
});

test("BIRD 2 is read as well", async () => {
	await startBird(lab.router, birdMultihop(), 2);
	await startFrr(lab.speaker);
	const { daemon } = startDaemon(lab.router, quick);
	const status = await daemon.untilStatus(
		"Established, with BFD and one route",
		({ peers }) => peers[0]?.state === "Established" && peers[0].bfd === "up" && peers[0].imported === 1,
		{ timeout: 25_000 },
	);
	expect(status.router.bird).toMatchObject({ reachable: true, version: expect.stringMatching(/^2\./) });
	expect(status.peers).toEqual([
		expect.objectContaining({
			name: network.peer,
			neighbor_address: network.speaker.address,
			neighbor_as: network.speaker.as,
			local_as: network.router.as,
			imported: 1,
			exported: 0,
			preferred: 1,
		}),
	]);
	expect(Date.parse(status.peers[0]?.since ?? "")).toBeGreaterThan(Date.now() - 60_000);
});
