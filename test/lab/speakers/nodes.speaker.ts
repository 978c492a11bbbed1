import { afterEach, beforeEach, expect, test } from "vitest";
import { type Daemon, startDaemon, type Warden } from "../daemon.ts";
import { type Lab, nodeAddresses, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { type Bird, birdPeering, type Frr, startBird, startFrr } from "../programs.ts";
import { until } from "../wait.ts";
import { RouteWatch } from "./route-watch.ts";

/** A cluster of three nodes that announce the same service, whoever of them is there. */

const NODES = 3;
const addresses = Array.from({ length: NODES }, (_, index) => nodeAddresses(index).address);

let lab: Lab;
let bird: Bird;
let warden: Warden;
let daemon: Daemon;
let speakers: Frr[];

const startSpeaker = (index: number): Promise<Frr> => {
	const host = lab.nodes[index];
	const address = addresses[index];
	if (!host || address === undefined) throw new Error(`no node ${index}`);
	return startFrr(host, { address });
};

/** Waits until the service's route has exactly these next hops. */
async function untilVia(expected: readonly string[]): Promise<void> {
	const show = ["ip", "route", "show", network.service];
	await until(`next hops ${expected}`, async () => (await lab.router.run(show)).stdout, {
		holds: (route) =>
			addresses.every((address) => route.includes(`via ${address} `) === expected.includes(address)),
		timeout: 30_000,
	});
}

beforeEach(async () => {
	lab = await startLab({ nodes: NODES });
	bird = await startBird(
		lab.router,
		birdPeering({ range: "192.168.1.0/24", mergePaths: true, extra: "graceful restart aware;" }),
	);
	({ warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false } }));
	speakers = await Promise.all(addresses.map((_, index) => startSpeaker(index)));
	await untilVia(addresses);
	await daemon.untilStatus(
		"all nodes are healthy",
		({ peers }) =>
			peers.length === NODES + 1 &&
			peers.every(({ state, diagnosis }) => state === "Established" && diagnosis === "healthy"),
		{ timeout: 30_000 },
	);
});
afterEach(() => lab.stop());

test("a rolling restart of the speakers never leaves the service without a route", async () => {
	const watch = await RouteWatch.start(lab.router, network.service);
	for (const index of addresses.keys()) {
		await speakers[index]?.stop();
		await untilVia(addresses.filter((_, other) => other !== index));
		speakers[index] = await startSpeaker(index);
		await untilVia(addresses);
	}
	expect(await watch.gone()).toBe(0);
	const names = warden.status()?.peers.flatMap(({ node }) => (node === undefined ? [] : [node]));
	expect(names?.sort()).toEqual(["node2", "node3", "speaker"]);
});

test("a node whose power is cut leaves the service's route to the others, and comes back", async () => {
	const [, node] = lab.nodes;
	if (!node) throw new Error("no second node");
	const watch = await RouteWatch.start(lab.router, network.service);
	await node.killAll();
	await node.link("eth0", "down");
	await untilVia(addresses.filter((_, index) => index !== 1));
	await daemon.untilStatus("the node's peer is down", ({ peers }) =>
		peers.some(({ neighbor_address, level }) => neighbor_address === addresses[1] && level === "red"),
	);

	await node.link("eth0", "up");
	speakers[1] = await startSpeaker(1);
	await untilVia(addresses);
	expect(await watch.gone()).toBe(0);
	expect(await bird.control("show protocols")).toContain("Established");
});
