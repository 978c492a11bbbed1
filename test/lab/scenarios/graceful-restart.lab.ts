import { afterEach, beforeEach, expect, test } from "vitest";
import { repairing, startDaemon } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdPeering, startBird, startFrr } from "../programs.ts";
import { untilEstablished } from "../session.ts";
import { pause, until } from "../wait.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

/** Beyond the 30 s after which a peer that is down for no known reason is restarted. */
const RESTARTED_AFTER = 40_000;

test("a speaker that restarts keeps its routes in BIRD, whatever is repaired meanwhile", async () => {
	// MetalLB's enableGracefulRestart; BFD would end the session at once, and the routes with it.
	const options = { bfd: false, gracefulRestart: true };
	const bird = await startBird(lab.router, birdPeering({ extra: "bfd off;" }));
	const speaker = await startFrr(lab.speaker, options);
	const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false }, main: repairing });
	await untilEstablished(daemon, { timeout: 30_000 });
	const routes = () => bird.control("show route");
	await until("the service's route", routes, { holds: (text) => text.includes(network.peer) });

	const told = warden.events().length;
	await speaker.crash();
	const [waits] = await daemon
		.untilStatus("the loss", ({ peers }) => peers[0]?.state !== "Established")
		.then(({ peers }) => peers);
	expect(waits?.state).toBe("Passive");
	expect(await bird.control(`show protocols all ${network.peer}`)).toContain(
		"Neighbor graceful restart active",
	);
	await lab.router.nft("delete table inet custom_bgp");
	await daemon.untilStatus("a repair", ({ router }) => router.repairs === 1);
	await pause(RESTARTED_AFTER);

	expect(await routes()).toContain(network.peer);
	const types = warden
		.events()
		.slice(told)
		.map(({ event_type }) => event_type);
	expect(types).toContain("peer_down");
	expect(types).not.toContain("peer_nudged");
	expect(warden.status()?.peers[0]?.evidence?.at(-1)).toContain("keeps its routes for a graceful restart");

	await startFrr(lab.speaker, options);
	await untilEstablished(daemon, { timeout: 30_000 });
	await until("the service's route", routes, { holds: (text) => text.includes(network.peer) });
	// Its waits alone may take more than a minute.
}, 150_000);
