import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { configFile, uciConfig } from "../lab/daemon.ts";
import { network } from "../lab/network.ts";
import { birdBgp, birdMultihop, startBird, startFrr } from "../lab/programs.ts";
import { sessionMark, untilEstablished } from "../lab/session.ts";
import { pause, until } from "../lab/wait.ts";
import { isRelease } from "./home-assistant.ts";
import {
	automations,
	config,
	deviceNames,
	entity,
	everything,
	example,
	ofPeer,
	peerDevice,
	routerDevice,
	Scene,
	version,
} from "./scene.ts";

/** What a release of Home Assistant may do in a way of its own: asserted is what it says of itself. */
let scene: Scene;
const { peer } = network;

beforeAll(async () => {
	scene = await Scene.start();
}, 120_000);
afterAll(() => scene?.stop());
beforeEach(() => {
	scene.events.length = 0;
});

describe("discovery", () => {
	test("every entity exists, with the right device, name, class, unit, category and state", async () => {
		await scene.untilComplete(15_000, everything);
		const entries = [...(await scene.home.entities()).keys()];
		expect(entries.sort()).toEqual(Object.keys(everything).sort());
	});

	test("the router is a device, and the peer one behind it", async () => {
		const devices = await scene.home.devices();
		expect([...devices.keys()].sort()).toEqual([routerDevice, peerDevice]);
		const router = devices.get(routerDevice);
		expect(router).toMatchObject({
			name: deviceNames[routerDevice],
			manufacturer: "bgpwarden",
			sw_version: version,
		});
		expect(devices.get(peerDevice)).toMatchObject({
			name: deviceNames[peerDevice],
			via_device_id: router?.id,
		});
	});

	test("Home Assistant has nothing to complain about", () => {
		expect(scene.home.complaints()).toEqual([]);
	});
});

describe("the document's examples", () => {
	test("every entity that they name exists", async () => {
		const states = await scene.home.states();
		const named =
			[automations, example("A card for a dashboard")].join("\n").match(/[a-z_]+\.bgpwarden_\w+/g) ?? [];
		expect(named.length).toBeGreaterThan(8);
		for (const id of named) expect([...states.keys()]).toContain(id);
	});

	test("the automations are taken, and tell who took the table away", async () => {
		expect((await scene.home.states()).get("automation.bgp_session_down")?.state).toBe("on");
		await scene.lab.router.run(["sh", "-c", "nft delete table inet custom_bgp; sleep 0.2"]);
		const told = () =>
			scene.home.api.call<{ title: string; message: string }[]>({ type: "persistent_notification/get" });
		await until("a notification", told, {
			holds: (notes) =>
				notes.some(({ title, message }) => /table was taken/.test(title) && /^by nft/.test(message)),
		});
		await scene.home.untilState(entity("repairs"), "1");
	});
});

describe("values follow", () => {
	test("a wiped table: the repair, who made it necessary, and the events", async () => {
		await scene.lab.router.run(["sh", "-c", "nft flush ruleset; sleep 0.2"]);
		await scene.home.untilState(entity("repairs"), "2");
		const by = await scene.home.untilState(entity("last_repair_by"), ({ state }) =>
			/^nft .pid \d+/.test(state),
		);
		const repair = await scene.home.untilState(entity("last_repair"), ({ state }) => state !== "unknown");
		expect(Date.parse(by.last_changed) - Date.parse(repair.state)).toBeLessThan(15_000);
		expect(repair.attributes).toMatchObject({ reason: "deleted", pid: expect.any(Number) });
		await scene.home.untilState(entity("protection"), "off");
		await scene.untilEvents("table_lost", "table_restored");
		expect(scene.detailsOf("table_lost")).toMatchObject({ by: "nft" });
	});

	test("a flap of the session, on the peer's device and as events", async () => {
		await scene.session.frr.stop();
		await scene.home.untilState(ofPeer("session"), "off");
		await scene.home.untilState(ofPeer("state"), ({ state }) => state !== "Established");
		await scene.home.untilState(ofPeer("flaps"), "1");
		await scene.home.untilState(ofPeer("bfd"), "off");
		await scene.untilEvents("peer_down");
		const told = () => scene.home.api.call<{ title: string }[]>({ type: "persistent_notification/get" });
		await until("the document's automation", told, {
			holds: (notes) => notes.some(({ title }) => title === `${deviceNames[peerDevice]} is down`),
		});
		scene.session = { ...scene.session, frr: await startFrr(scene.lab.speaker) };
		// After an error BIRD would wait for a minute.
		await scene.session.bird.control(`restart ${peer}`);
		await scene.home.untilState(ofPeer("session"), "on", { timeout: 40_000 });
		await scene.home.untilState(ofPeer("bfd"), "on");
		await scene.home.untilState(ofPeer("imported"), "1");
		await scene.untilEvents("peer_down", "peer_up");
		expect(scene.detailsOf("peer_up")).toMatchObject({ peer });
	});

	test("BIRD that cannot be asked: the peer is unavailable, the router says why", async () => {
		await scene.session.bird.stop();
		await scene.home.untilState(entity("bird"), "off");
		await scene.home.untilState(ofPeer("session"), "unavailable");
		await scene.untilEvents("bird_lost");
		scene.session = { ...scene.session, bird: await startBird(scene.lab.router, birdMultihop()) };
		await scene.home.untilState(entity("bird"), "on");
		await scene.home.untilState(ofPeer("session"), "on", { timeout: 40_000 });
		await scene.untilEvents("bird_back");
	});
});

describe("buttons", () => {
	/** Presses a button; one command in a second is obeyed. */
	const press = async (id: string): Promise<void> => {
		await pause(1100);
		await scene.home.press(id);
	};
	const outcome = () => scene.detailsOf("command_done");

	test("Ensure and Flush act, and say how it went", async () => {
		await press(entity("ensure"));
		await scene.untilEvents("command_done");
		expect(outcome()).toMatchObject({ command: "ensure", ok: true, text: expect.stringMatching(/table/) });
		scene.events.length = 0;
		const ends = ["-s", network.speaker.address, "-d", network.router.lan, "--sport", "40000"];
		const entry = ["-p", "tcp", ...ends, "--dport", "179", "--state", "ESTABLISHED", "-t", "300"];
		await scene.lab.router.run(["conntrack", "-I", ...entry]);
		await press(entity("flush"));
		await scene.untilEvents("command_done", "conntrack_flushed");
		expect(outcome()).toMatchObject({ command: "flush", ok: true });
		expect((await scene.lab.router.run(["conntrack", "-L"])).stdout).not.toContain("sport=40000");
	});

	test("Restart restarts the peer in BIRD", async () => {
		const before = await sessionMark(scene.session);
		await press(ofPeer("restart"));
		await scene.untilEvents("command_done");
		expect(outcome()).toMatchObject({ command: "restart", peer, ok: true });
		await untilEstablished(scene.session.daemon, { timeout: 40_000 });
		await scene.home.untilState(ofPeer("session"), "on");
		expect(await sessionMark(scene.session)).not.toBe(before);
	});

	test("go when commands are switched off, and come back", async () => {
		const buttons = async () =>
			[...(await scene.home.states()).keys()].filter((id) => id.startsWith("button.bgp"));
		scene.lab.router.write(configFile, uciConfig({ ...config, mqtt: { commands: false } }));
		scene.session.daemon.reload();
		await until("no buttons", buttons, { holds: (ids) => ids.length === 0, timeout: 20_000 });
		scene.lab.router.write(configFile, uciConfig(config));
		scene.session.daemon.reload();
		await until("the buttons", buttons, { holds: (ids) => ids.length === 3, timeout: 20_000 });
		await scene.untilComplete(20_000);
	});
});

describe("peers that come and go", () => {
	test("one that is removed from BIRD is gone; one that comes back is the same device, edits included where they can be", async () => {
		const other = birdBgp("my.other-1", "192.168.1.77", 65077, "multihop 2;").replace(
			"protocol bgp my.other-1",
			"protocol bgp 'my.other-1'",
		);
		const device = async () =>
			[...(await scene.home.devices()).values()].find(({ name }) => /my\.other-1/.test(name));
		await scene.session.bird.configure(birdMultihop(other));
		const first = await until("the other peer", device, { timeout: 20_000 });
		await scene.home.api.call({
			type: "config/device_registry/update",
			device_id: first?.id,
			name_by_user: "Kept",
		});
		await scene.session.bird.configure(birdMultihop());
		await until("no other peer", async () => (await device()) === undefined, { timeout: 20_000 });
		const gone = await scene.home.states();
		expect([...gone.keys()].filter((id) => id.includes("my_other"))).toEqual([]);
		// A topic that has just had a message is taken back a second later.
		const kept = async () =>
			[...(await scene.broker.retained()).keys()].filter((topic) => topic.includes("my_other"));
		await until("nothing kept by the broker", kept, { holds: (topics) => topics.length === 0 });

		await scene.session.bird.configure(birdMultihop(other));
		const again = await until("the other peer again", device, { timeout: 20_000 });
		// Before, Home Assistant forgot what a person had edited.
		const name = isRelease("2025.7") ? "Kept" : null;
		expect(again).toMatchObject({ id: first?.id, name_by_user: name });
		await scene.session.bird.configure(birdMultihop());
		await until("no other peer", async () => (await device()) === undefined, { timeout: 20_000 });
		expect(scene.home.complaints()).toEqual([]);
	});
});

describe("survives", () => {
	test("a killed daemon: everything is unavailable within the keepalive, then back", async () => {
		const available = async () => {
			const states = await scene.home.states();
			return Object.values(everything).filter(({ entity: id }) => states.get(id)?.state !== "unavailable");
		};
		await scene.session.daemon.crash();
		await until("everything unavailable", available, { holds: (ids) => ids.length === 0, timeout: 30_000 });
		scene.session = { ...scene.session, daemon: scene.session.warden.start() };
		await scene.untilComplete(30_000);
		await scene.home.untilState(ofPeer("session"), "on", { timeout: 30_000 });
		expect(scene.home.complaints()).toEqual([]);
	});

	test("an upgrade of bgpwarden and a restart of Home Assistant: complete, and entity ids as they were", async () => {
		// Given another router, as bgpwarden announced it before there was object_id, and an id of somebody's own
		const { home, broker } = scene;
		const topic = "homeassistant/device/bgpwarden_attic/config";
		const announced = (await broker.retained()).get("homeassistant/device/bgpwarden_router/config") ?? "";
		const upgraded = announced.replaceAll(/bgpwarden(.)router/g, "bgpwarden$1attic");
		const old = JSON.parse(upgraded);
		old.device.sw_version = "0.0.1";
		for (const component of Object.values<{ object_id?: string }>(old.components)) delete component.object_id;
		await broker.publish(topic, JSON.stringify(old), { retain: true });
		const ids = async () => {
			const entities = [...(await home.entities())].filter(([id]) => id.startsWith("bgpwarden_attic"));
			return Object.fromEntries(entities.map(([id, { entity_id }]) => [id, entity_id]));
		};
		const count = Object.keys(old.components).length;
		const before = await until("the other router", ids, {
			holds: (all) => Object.keys(all).length === count,
		});
		await home.api.call({
			type: "config/entity_registry/update",
			entity_id: before.bgpwarden_attic_repairs,
			new_entity_id: "sensor.my_own",
		});

		// When this version announces it
		await broker.publish(topic, upgraded, { retain: true });
		const announcedBy = async () => (await home.devices()).get("bgpwarden_attic")?.sw_version;
		await until("the upgrade", announcedBy, { holds: (by) => by === version });
		const expected = { ...before, bgpwarden_attic_repairs: "sensor.my_own" };
		expect(await ids()).toEqual(expected);

		// Then the ids stay, and Home Assistant is complete again when it comes back
		await home.restart();
		await scene.untilComplete(30_000);
		expect(await ids()).toEqual(expected);
		expect(home.complaints()).toEqual([]);
	});
});
