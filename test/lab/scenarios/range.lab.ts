import { afterEach, beforeEach, expect, test } from "vitest";
import { startDaemon } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdPeering, startBird, startFrr, startMosquitto } from "../programs.ts";
import { untilSettled } from "../session.ts";

const { peer, speaker } = network;
const RANGE = "192.168.1.0/24";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

const bird = birdPeering({ range: RANGE });

test("a range is a peer: with no node, with one, and when that has gone", async () => {
	// Given BIRD with a range, and no node that dials
	const broker = await startMosquitto(lab.broker);
	await startBird(lab.router, bird);
	const { warden, daemon } = startDaemon(lab.router);
	const waits = await daemon.untilStatus(
		"no node",
		({ peers: [range] }) => range?.diagnosis === "range-waiting",
		{ timeout: 30_000 },
	);

	// Then it is there, and nobody says that all is well
	expect(waits.peers).toMatchObject([
		{ name: peer, neighbor_range: RANGE, connected: 0, level: "red", state: "Passive" },
	]);
	expect((await warden.cli(["status"])).code).toBe(1);
	expect((await warden.cli(["doctor"])).code).toBe(1);
	const topics = await broker.retained();
	expect(topics.get(`bgpwarden/router/peer/${peer}/state`)).toContain('"connected":0');
	const discovery = topics.get(`homeassistant/device/bgpwarden_router_${peer}/config`) ?? "";
	expect(discovery).toContain("Connected nodes");

	// When a node dials
	const frr = await startFrr(lab.speaker);
	const up = await daemon.untilStatus(
		"the node under its range",
		({ peers }) => peers.length === 2 && peers.every(({ diagnosis }) => diagnosis === "healthy"),
		{ timeout: 40_000 },
	);

	// Then the range is up, with the node below it
	const range = up.peers.find(({ name }) => name === peer);
	expect(range).toMatchObject({ connected: 1, state: "Established", level: "green" });
	expect(range?.explanation).toContain("1 of its nodes is connected");
	const node = up.peers.find(({ name }) => name !== peer);
	expect(node).toMatchObject({ range: peer, neighbor_address: speaker.address, level: "green" });
	expect(up.router.level).toBe("green");
	expect((await warden.cli(["status"])).code).toBe(0);
	expect((await warden.cli(["doctor"])).stdout).not.toContain("ERROR");

	// When the node's speaker ends, once its session has come to rest
	await untilSettled(frr);
	const lost = warden.status()?.peers.find(({ name }) => name === peer)?.flaps ?? Number.NaN;
	await frr.crash();

	// Then both are down, and the range says why
	const down = await daemon.untilStatus(
		"the loss",
		({ peers }) => peers.every(({ level }) => level === "red") && peers.some(({ diagnosis }) => diagnosis),
		{ timeout: 30_000 },
	);
	expect(down.peers.find(({ name }) => name === peer)).toMatchObject({ connected: 0, flaps: lost + 1 });
	expect((await warden.cli(["doctor"])).code).toBe(1);
});
