import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { configFile, uciConfig } from "../lab/daemon.ts";
import { network } from "../lab/network.ts";
import { startMosquitto, startProxy, trackedBgp } from "../lab/programs.ts";
import { until } from "../lab/wait.ts";
import { config, entity, ofPeer, Scene } from "./scene.ts";

/** What the daemon and the broker do, as Home Assistant shows it; its release makes no difference. */
let scene: Scene;
const { peer } = network;

beforeAll(async () => {
	scene = await Scene.start();
}, 120_000);
afterAll(() => scene?.stop());
beforeEach(() => {
	scene.events.length = 0;
});

test("a table that is owned, where nothing can be wiped", async () => {
	scene.lab.router.write(configFile, uciConfig({ ...config, main: { ...config.main, protect: true } }));
	scene.session.daemon.reload();
	await scene.home.untilState(entity("protection_mode"), "owned");
	await scene.home.untilState(entity("protection"), "off");
	scene.lab.router.write(configFile, uciConfig(config));
	scene.session.daemon.reload();
	await scene.home.untilState(entity("protection_mode"), "installed");
});

test("the ghost is away and back in Home Assistant as on the router, with what was done about it", async () => {
	// Given a proxy that catches the session while the daemon is away
	await scene.session.daemon.stop();
	await scene.home.untilState(ofPeer("session"), "unavailable");
	await scene.lab.router.nft("delete table inet custom_bgp");
	const proxy = await startProxy(scene.lab.router);
	await scene.session.bird.control(`restart ${peer}`);
	await until(
		"a caught session",
		async () => [(await scene.session.bird.peer()).bgp, await trackedBgp(scene.lab.router)],
		{
			holds: ([state, entries]) => state !== "Established" && (entries?.length ?? 0) > 0,
			timeout: 60_000,
		},
	);

	// When it comes back
	scene.session = { ...scene.session, daemon: scene.session.warden.start() };
	await scene.home.untilState(ofPeer("session"), "on", { timeout: 40_000 });
	await scene.home.untilState(entity("flushed"), ({ state }) => Number(state) > 0);
	await scene.untilEvents("conntrack_flushed", "peer_up");
	await scene.home.untilState(entity("problem"), "off");
	await proxy.end("SIGKILL");
	await scene.lab.router.nft("delete table inet proxy");
	expect(scene.home.complaints()).toEqual([]);
});

test("the broker restarted and emptied: complete within 30 s", async () => {
	await scene.broker.stop();
	scene.broker = await startMosquitto(scene.lab.broker);
	await scene.untilComplete(30_000);
	const { size } = await until("what the broker keeps", () => scene.broker.retained(), {
		holds: (topics) => topics.has("homeassistant/device/bgpwarden_router/config"),
		timeout: 30_000,
	});
	expect(size).toBeGreaterThanOrEqual(6);
	// Home Assistant says itself that its broker was away; how depends on whether it was just reading.
	const away = /(components[./]mqtt[./]client|paho\.mqtt\.client)\b/;
	const about = scene.home.complaints().filter((line) => !away.test(line));
	expect(about).toEqual([]);
});

test("both emptied while the daemon is away: it tells everything to a Home Assistant that knows nothing", async () => {
	await scene.session.daemon.stop();
	await scene.home.restart();
	await scene.broker.stop();
	scene.broker = await startMosquitto(scene.lab.broker);
	scene.session = { ...scene.session, daemon: scene.session.warden.start() };
	await scene.untilComplete(40_000);
	await scene.watchEvents();
	await scene.lab.router.nft("delete table inet custom_bgp");
	await scene.untilEvents("table_restored");
});
