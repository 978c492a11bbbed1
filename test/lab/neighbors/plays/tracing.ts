import { pause } from "../../wait.ts";
import type { Ledger } from "../ledger.ts";
import type { Play } from "../play.ts";
import { startTraffic, untilForwarded } from "../programs/packets.ts";
import { birdChanges, inWorld, linesOf, sessionKept, stops, type World, wipes } from "../world.ts";

const PER_SECOND = 2000;
/** Milliseconds for which it is watched. */
const WATCHED = 10_000;

const hooks = ["prerouting", "input", "forward", "output", "postrouting"] as const;

/** Somebody traces every packet of the router, and has rules enough for many lines about each. */
const watcher = `table inet watcher {
${hooks
	.map(
		(hook) => `chain ${hook} {
type filter hook ${hook} priority ${hook === "prerouting" || hook === "output" ? "raw - 10" : "filter"}; policy accept;
${hook === "prerouting" || hook === "output" ? "meta nftrace set 1" : ""}
meta l4proto udp counter
meta l4proto tcp counter
}`,
	)
	.join("\n")}
}
`;

export const TRACING: readonly Play[] = [
	{
		group: "tracing",
		name: `every packet traced, ${PER_SECOND} a second`,
		quick: true,
		run: (ledger) => inWorld(ledger, {}, (world) => trace(world, ledger)),
	},
];

async function trace(world: World, ledger: Ledger): Promise<void> {
	const { lab } = world;
	const traffic = await startTraffic(lab.speaker, PER_SECOND);
	await untilForwarded(lab.broker);
	await lab.router.nft(watcher);
	const began = performance.now();
	// A flush would end the tracing.
	await wipes(world, ledger, 4, ["delete"]);
	await birdChanges(world, ledger);
	await pause(Math.max(0, WATCHED - (performance.now() - began)));
	ledger.note(`${traffic.perSecond().toFixed(0)} packets a second`);
	sessionKept(world, ledger);
	ledger.cost(world.meter.read(), "flooded");
	ledger.lines(linesOf(world).length);
	await stops(world, ledger);
	await traffic.stop();
}
