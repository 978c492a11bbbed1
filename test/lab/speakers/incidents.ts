import { network } from "../network.ts";
import { startProxy } from "../programs.ts";
import { pause, until } from "../wait.ts";
import { RouteWatch } from "./route-watch.ts";
import type { Stage } from "./stage.ts";

/** What may happen to a router and a node. Each returns when the other side can come back, of `performance.now()`. */

const caught = new RegExp(`^caught (::ffff:)?(${network.speaker.address}|${network.speaker.address6})$`);

/**
 * A ghost: while the daemon was not there, somebody has emptied the ruleset, and a proxy's redirect has caught the
 * speaker's next connection. Then the table comes back.
 */
export async function ghost(stage: Stage): Promise<number> {
	const { lab, bird } = stage;
	if (stage.isProtected) await stage.daemon.stop();
	await lab.router.nft("flush ruleset");
	const proxy = await startProxy(lab.router);
	await bird.control(`restart ${network.peer}`);
	await proxy.says(caught, stage.kind.patience * 1000);
	await until("BFD up, BGP not", () => bird.peer(), {
		holds: ({ bgp, bfd }) => bgp !== "Established" && (!stage.kind.bfd || bfd === "Up"),
		timeout: 20_000,
	});
	await stage.putTable();
	return performance.now();
}

export interface Away {
	/** Ms. */
	readonly away: number;
	/** Whether the programs are told to end, or cut off; default false. */
	readonly orderly?: boolean;
}

/** A power cut of the router, or its reboot: it is away, and starts with the table before BIRD. */
export async function rebootRouter(stage: Stage, { away, orderly = false }: Away): Promise<number> {
	const { lab } = stage;
	if (orderly) {
		if (stage.isProtected) await stage.daemon.stop();
		await stage.bird.stop();
	}
	await lab.powerOff();
	await pause(away);
	const back = performance.now();
	await lab.powerOn();
	await stage.putTable();
	await stage.startRouter();
	return back;
}

/** The speaker's container is killed, or (orderly) its pod deleted as by a rolling restart, and started again. */
export async function restartSpeaker(stage: Stage, { away, orderly = false }: Away): Promise<number> {
	await (orderly ? stage.speaker.stop() : stage.speaker.crash());
	await pause(away);
	const back = performance.now();
	await stage.startSpeaker();
	return back;
}

/** The node's power is cut, and its speaker starts again when it is back. */
export async function rebootNode(stage: Stage, { away }: Pick<Away, "away">): Promise<number> {
	await stage.lab.speaker.killAll();
	await stage.lab.speaker.link("eth0", "down");
	await pause(away);
	return startNode(stage);
}

/** Another machine, of another name, takes the node's place, with its address or another one in the same subnet. */
export async function replaceNode(
	stage: Stage,
	{ name = "replacement", address }: { readonly name?: string; readonly address?: string } = {},
): Promise<number> {
	const node = stage.lab.speaker;
	await node.killAll();
	await node.link("eth0", "down");
	await node.run(["ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"]);
	await node.run(["hostname", name]);
	if (address !== undefined) await node.run(["ip", "address", "flush", "dev", "eth0"]);
	if (address !== undefined) await node.configure("eth0", [`${address}/24`]);
	return startNode(stage);
}

async function startNode(stage: Stage): Promise<number> {
	const back = performance.now();
	await stage.lab.speaker.link("eth0", "up");
	await stage.lab.speaker.run(["ip", "route", "replace", "default", "via", network.router.lan]);
	await stage.startSpeaker();
	return back;
}

/** Plays something and says how long the service had no route on the router meanwhile, in ms. */
export async function withoutRoute(stage: Stage, play: () => Promise<unknown>): Promise<number> {
	const watch = await RouteWatch.start(stage.lab.router, network.service);
	try {
		await play();
		return await watch.gone();
	} finally {
		await watch.stop();
	}
}
