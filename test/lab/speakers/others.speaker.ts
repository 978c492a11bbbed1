import { afterEach, beforeEach, expect, test } from "vitest";
import { type Daemon, startDaemon, type Warden } from "../daemon.ts";
import { type Lab, nodeAddresses, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdPeering, startBird, startCalico, startFrr } from "../programs.ts";
import { until } from "../wait.ts";

/** Who else speaks BGP to the router, or tries to. */

let lab: Lab;
beforeEach(async () => {
	lab = await startLab({ nodes: 2 });
	await startBird(lab.router, birdPeering({ extra: "bfd off;" }));
});
afterEach(() => lab.stop());

const start = () =>
	startDaemon(lab.router, {
		mqtt: { enabled: false },
		peers: [{ name: network.peer, interface: network.router.lanInterface }],
	});

async function untilUp(daemon: Daemon): Promise<void> {
	await daemon.untilStatus("the session", ({ peers: [peer] }) => peer?.state === "Established", {
		timeout: 30_000,
	});
}

/** What `doctor` finds that is not green. */
async function findings(warden: Warden): Promise<{ id: string; subject: string }[]> {
	const { stdout } = await warden.cli(["doctor", "--json"]);
	const { causes, review } = JSON.parse(stdout);
	return [...causes, ...review].filter(({ level }) => level !== "green");
}

test("Calico's BIRD has the session, and FRR on the same node dials for ever", async () => {
	const { warden, daemon } = start();
	// Without graceful restart BIRD refuses a second connection.
	await startCalico(lab.speaker, { gracefulRestart: false });
	await untilUp(daemon);
	await startFrr(lab.speaker, { bfd: false, connectTime: 5 });
	const status = await daemon.untilStatus(
		"a second speaker",
		({ peers: [peer] }) => peer?.note?.startsWith("second-speaker: ") === true,
		{ timeout: 150_000 },
	);
	expect(status.peers[0]).toMatchObject({ state: "Established", level: "green", speaker: "bird", flaps: 0 });
	expect(status.peers[0]?.note).toContain("BIRD (Calico) on this node has the session");
	expect((await findings(warden)).map(({ id, subject }) => [id, subject])).toContainEqual([
		"second-speaker",
		network.peer,
	]);
}, 240_000);

test("Calico's BIRD with its graceful restart and FRR take the session from each other", async () => {
	const { warden, daemon } = start();
	await startCalico(lab.speaker);
	await untilUp(daemon);
	await startFrr(lab.speaker, { bfd: false, connectTime: 5 });
	const status = await daemon.untilStatus(
		"two speakers that take turns",
		({ peers: [peer] }) => peer?.explanation?.includes("two speakers on the node") === true,
		{ timeout: 90_000 },
	);
	expect(status.peers[0]).toMatchObject({ diagnosis: "flapping" });
	expect(status.peers[0]?.remedy).toContain("let one of the two announce the services");
	expect((await findings(warden)).map(({ id }) => id)).toContain("flapping");
}, 180_000);

test("a node dials that bird.conf does not know: it is listed beside the one that speaks", async () => {
	const { warden, daemon } = start();
	await startFrr(lab.speaker, { bfd: false });
	await untilUp(daemon);
	const [, node] = lab.nodes;
	if (!node) throw new Error("no second node");
	const { address } = nodeAddresses(1);
	await startFrr(node, { bfd: false, address, connectTime: 5 });
	await daemon.untilStatus(
		"the unknown node",
		({ router }) => router.unknown_dialers?.some((each) => each.address === address) === true,
		{ timeout: 60_000 },
	);
	expect(await findings(warden)).toContainEqual(
		expect.objectContaining({ id: "unknown-node", subject: address }),
	);
	const { stdout } = await warden.cli(["doctor"]);
	expect(stdout).toContain(`Nodes that speak BGP: speaker (${network.speaker.address}, FRR).`);
}, 120_000);

/**
 * The longest, in ms: the kernel takes a silent host for reachable for up to 45 s (1.5 times base_reachable_time), the next
 * inspection (15 s) has it asked, and the one after that sees that it did not answer.
 */
const NOTICED_WITHIN = 45_000 + 2 * 15_000 + 10_000;

test("a node that the cluster has lost is told as such, and the other one is fine", async () => {
	const { warden, daemon } = start();
	const frr = await startFrr(lab.speaker, { bfd: false });
	await untilUp(daemon);
	await frr.stop();
	await lab.speaker.link("eth0", "down");
	await until("the cause", () => findings(warden), {
		holds: (found) => found.some(({ id, subject }) => id === "peer-unreachable" && subject === network.peer),
		timeout: NOTICED_WITHIN,
		every: 1000,
	});
}, 150_000);
