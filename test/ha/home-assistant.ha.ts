import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { configFile, repairing, uciConfig } from "../lab/daemon.ts";
import { type Lab, startLab } from "../lab/lab.ts";
import { network } from "../lab/network.ts";
import {
	birdBgp,
	birdMultihop,
	type Mosquitto,
	startBird,
	startFrr,
	startMosquitto,
	startProxy,
	trackedBgp,
} from "../lab/programs.ts";
import { readmeBlock } from "../lab/readme.ts";
import { establish, type Session, sessionMark, untilEstablished } from "../lab/session.ts";
import { pause, until } from "../lab/wait.ts";
import { type Expected, peerEntities, routerEntities } from "./expected.ts";
import { HomeAssistant, layers } from "./home-assistant.ts";

/**
 * One real Home Assistant beside one mosquitto, and a router with a session that is up. Each test leaves it so; what is
 * asserted is what Home Assistant says of itself.
 */
let lab: Lab;
let broker: Mosquitto;
let home: HomeAssistant;
let session: Session;
/** Entity ids, with one event each that the event entity has shown. */
const events: { type: string; attributes: Record<string, unknown> }[] = [];

const version: string = JSON.parse(
	readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
).version;
const { peer } = network;
const routerDevice = "bgpwarden_router";
const peerDevice = `${routerDevice}_${peer}`;
const everything = { ...routerEntities("router", version), ...peerEntities("router", peer) };
const entity = (key: string): string => everything[`${routerDevice}_${key}`]?.entity ?? `no ${key}`;
const ofPeer = (key: string): string => entity(`${peer}_${key}`);
const config = { mqtt: { commands: true }, main: { poll_interval: 2, ...repairing } };

/** The README's, for this router. */
const example = (after: string) => readmeBlock(after).replaceAll("gateway", "router");
const automations = example("Told when a session is down").replace('for: "00:02:00"', "for: 1");

/** Collects what the event entity shows from now on; a restarted Home Assistant has to be asked again. */
async function watchEvents(): Promise<void> {
	await home.api.listen("state_changed", (event) => {
		const { data } = event as {
			data: { entity_id: string; new_state: { attributes: Record<string, unknown> } | null };
		};
		const attributes = data.new_state?.attributes;
		if (data.entity_id !== entity("event") || typeof attributes?.event_type !== "string") return;
		events.push({ type: attributes.event_type, attributes });
	});
}

const untilEvents = (...types: readonly string[]) =>
	until(`the events ${types.join(", ")}`, () => events.map(({ type }) => type), {
		holds: (seen) => types.every((type) => seen.includes(type)),
		timeout: 20_000,
	});

beforeAll(async () => {
	lab = await startLab({ brokerLayers: layers });
	broker = await startMosquitto(lab.broker);
	[home, session] = await Promise.all([HomeAssistant.start(lab.broker, automations), establish(lab, config)]);
	await home.untilState(ofPeer("session"), "on", { timeout: 30_000 });
	await watchEvents();
}, 120_000);
afterAll(async () => {
	await home?.stop();
	await lab?.stop();
});
beforeEach(() => {
	events.length = 0;
});

/** What is not as expected, one line each. */
async function differences(expected: Readonly<Record<string, Expected>>): Promise<string[]> {
	const [states, entries, devices] = await Promise.all([home.states(), home.entities(), home.devices()]);
	const found: string[] = [];
	for (const [uniqueId, wanted] of Object.entries(expected)) {
		const entry = entries.get(uniqueId);
		const state = states.get(wanted.entity);
		if (!entry || !state) {
			found.push(`${uniqueId}: ${entry ? `no state ${wanted.entity}` : "not registered"}`);
			continue;
		}
		const device = uniqueId.startsWith(peerDevice) ? peerDevice : routerDevice;
		const about: [string, unknown, unknown][] = [
			["entity id", entry.entity_id, wanted.entity],
			["name", entry.original_name, wanted.name],
			["category", entry.entity_category, wanted.category ?? null],
			["device", entry.device_id, devices.get(device)?.id],
			["named after the device", entry.has_entity_name, true],
		];
		for (const [what, is, shouldBe] of about)
			if (is !== shouldBe) found.push(`${uniqueId}: ${what}: ${is}, not ${shouldBe}`);
		const right =
			typeof wanted.state === "string" ? state.state === wanted.state : wanted.state.test(state.state);
		if (!right || state.state === "unavailable")
			found.push(`${uniqueId}: state ${state.state}, not ${wanted.state}`);
		try {
			expect(state.attributes).toMatchObject(wanted.attributes ?? {});
		} catch {
			found.push(`${uniqueId}: attributes ${JSON.stringify(state.attributes)}`);
		}
	}
	return found;
}

/** States that a test may have moved on are not looked at again. */
const anyState = Object.fromEntries(
	Object.entries(everything).map(([id, wanted]) => [id, { ...wanted, state: /./ }]),
);

const untilComplete = (timeout: number) =>
	until("everything in Home Assistant", () => differences(anyState), {
		holds: (found) => found.length === 0,
		timeout,
		every: 500,
	});

describe("discovery", () => {
	test("every entity exists, with the right device, name, class, unit, category and state", async () => {
		await until("everything", () => differences(everything), {
			holds: (found) => found.length === 0,
			timeout: 15_000,
			every: 500,
		});
		const entries = [...(await home.entities()).keys()];
		expect(entries.sort()).toEqual(Object.keys(everything).sort());
	});

	test("the router is a device, and the peer one behind it", async () => {
		const devices = await home.devices();
		expect([...devices.keys()].sort()).toEqual([routerDevice, peerDevice]);
		const router = devices.get(routerDevice);
		expect(router).toMatchObject({
			name: "bgpwarden router",
			manufacturer: "bgpwarden",
			sw_version: version,
		});
		expect(devices.get(peerDevice)).toMatchObject({
			name: `BGP ${peer} on router`,
			via_device_id: router?.id,
		});
	});

	test("Home Assistant has nothing to complain about", () => {
		expect(home.complaints()).toEqual([]);
	});
});

describe("the README's examples", () => {
	test("every entity that they name exists", async () => {
		const states = await home.states();
		const named =
			[automations, example("A card for a dashboard")].join("\n").match(/[a-z_]+\.bgpwarden_\w+/g) ?? [];
		expect(named.length).toBeGreaterThan(8);
		for (const id of named) expect([...states.keys()]).toContain(id);
	});

	test("the automations are taken, and tell who took the table away", async () => {
		expect((await home.states()).get("automation.bgp_session_down")?.state).toBe("on");
		await lab.router.run(["sh", "-c", "nft delete table inet custom_bgp; sleep 0.2"]);
		const told = () =>
			home.api.call<{ title: string; message: string }[]>({ type: "persistent_notification/get" });
		await until("a notification", told, {
			holds: (notes) =>
				notes.some(({ title, message }) => /table was taken/.test(title) && /^by nft/.test(message)),
		});
		await home.untilState(entity("repairs"), "1");
	});
});

describe("values follow", () => {
	test("a wiped table: the repair, who made it necessary, and the events", async () => {
		await lab.router.run(["sh", "-c", "nft flush ruleset; sleep 0.2"]);
		await home.untilState(entity("repairs"), "2");
		const by = await home.untilState(entity("last_repair_by"), ({ state }) => /^nft .pid \d+/.test(state));
		const repair = await home.untilState(entity("last_repair"), ({ state }) => state !== "unknown");
		expect(Date.parse(by.last_changed) - Date.parse(repair.state)).toBeLessThan(15_000);
		expect(repair.attributes).toMatchObject({ reason: "deleted", pid: expect.any(Number) });
		await home.untilState(entity("protection"), "off");
		await untilEvents("table_lost", "table_restored");
		expect(events.find(({ type }) => type === "table_lost")?.attributes).toMatchObject({ by: "nft" });
	});

	test("a table that is owned, where nothing can be wiped", async () => {
		lab.router.write(configFile, uciConfig({ ...config, main: { ...config.main, protect: true } }));
		session.daemon.reload();
		await home.untilState(entity("protection_mode"), "owned");
		await home.untilState(entity("protection"), "off");
		lab.router.write(configFile, uciConfig(config));
		session.daemon.reload();
		await home.untilState(entity("protection_mode"), "installed");
	});

	test("a flap of the session, on the peer's device and as events", async () => {
		await session.frr.stop();
		await home.untilState(ofPeer("session"), "off");
		await home.untilState(ofPeer("state"), ({ state }) => state !== "Established");
		await home.untilState(ofPeer("flaps"), "1");
		await home.untilState(ofPeer("bfd"), "off");
		await untilEvents("peer_down");
		const told = () => home.api.call<{ title: string }[]>({ type: "persistent_notification/get" });
		await until("the README's automation", told, {
			holds: (notes) => notes.some(({ title }) => title === `BGP ${peer} on router is down`),
		});
		session = { ...session, frr: await startFrr(lab.speaker) };
		// After an error BIRD would wait for a minute.
		await session.bird.control(`restart ${peer}`);
		await home.untilState(ofPeer("session"), "on", { timeout: 40_000 });
		await home.untilState(ofPeer("bfd"), "on");
		await home.untilState(ofPeer("imported"), "1");
		await untilEvents("peer_down", "peer_up");
		expect(events.find(({ type }) => type === "peer_up")?.attributes).toMatchObject({ peer });
	});

	test("BIRD that cannot be asked: the peer is unavailable, the router says why", async () => {
		await session.bird.stop();
		await home.untilState(entity("bird"), "off");
		await home.untilState(ofPeer("session"), "unavailable");
		await untilEvents("bird_lost");
		session = { ...session, bird: await startBird(lab.router, birdMultihop()) };
		await home.untilState(entity("bird"), "on");
		await home.untilState(ofPeer("session"), "on", { timeout: 40_000 });
		await untilEvents("bird_back");
	});
});

describe("the ghost", () => {
	test("is away and back in Home Assistant as on the router, with what was done about it", async () => {
		// Given a proxy that catches the session while the daemon is away
		await session.daemon.stop();
		await home.untilState(ofPeer("session"), "unavailable");
		await lab.router.nft("delete table inet custom_bgp");
		const proxy = await startProxy(lab.router);
		await session.bird.control(`restart ${peer}`);
		await until(
			"a caught session",
			async () => [(await session.bird.peer()).bgp, await trackedBgp(lab.router)],
			{
				holds: ([state, entries]) => state !== "Established" && (entries?.length ?? 0) > 0,
				timeout: 60_000,
			},
		);

		// When it comes back
		session = { ...session, daemon: session.warden.start() };
		await home.untilState(ofPeer("session"), "on", { timeout: 40_000 });
		await home.untilState(entity("flushed"), ({ state }) => Number(state) > 0);
		await untilEvents("conntrack_flushed", "peer_up");
		await home.untilState(entity("problem"), "off");
		await proxy.end("SIGKILL");
		await lab.router.nft("delete table inet proxy");
		expect(home.complaints()).toEqual([]);
	});
});

describe("buttons", () => {
	/** Presses a button; one command in a second is obeyed. */
	const press = async (id: string): Promise<void> => {
		await pause(1100);
		await home.press(id);
	};
	const outcome = () => events.find(({ type }) => type === "command_done")?.attributes;

	test("Ensure and Flush act, and say how it went", async () => {
		await press(entity("ensure"));
		await untilEvents("command_done");
		expect(outcome()).toMatchObject({ command: "ensure", ok: true, text: expect.stringMatching(/table/) });
		events.length = 0;
		const ends = ["-s", network.speaker.address, "-d", network.router.lan, "--sport", "40000"];
		const entry = ["-p", "tcp", ...ends, "--dport", "179", "--state", "ESTABLISHED", "-t", "300"];
		await lab.router.run(["conntrack", "-I", ...entry]);
		await press(entity("flush"));
		await untilEvents("command_done", "conntrack_flushed");
		expect(outcome()).toMatchObject({ command: "flush", ok: true });
		expect((await lab.router.run(["conntrack", "-L"])).stdout).not.toContain("sport=40000");
	});

	test("Restart restarts the peer in BIRD", async () => {
		const before = await sessionMark(session);
		await press(ofPeer("restart"));
		await untilEvents("command_done");
		expect(outcome()).toMatchObject({ command: "restart", peer, ok: true });
		await untilEstablished(session.daemon, { timeout: 40_000 });
		await home.untilState(ofPeer("session"), "on");
		expect(await sessionMark(session)).not.toBe(before);
	});

	test("go when commands are switched off, and come back", async () => {
		const buttons = async () => [...(await home.states()).keys()].filter((id) => id.startsWith("button.bgp"));
		lab.router.write(configFile, uciConfig({ ...config, mqtt: { commands: false } }));
		session.daemon.reload();
		await until("no buttons", buttons, { holds: (ids) => ids.length === 0, timeout: 20_000 });
		lab.router.write(configFile, uciConfig(config));
		session.daemon.reload();
		await until("the buttons", buttons, { holds: (ids) => ids.length === 3, timeout: 20_000 });
		await untilComplete(20_000);
	});
});

describe("peers that come and go", () => {
	test("one that is removed from BIRD is gone; one that comes back is the same device, edits included", async () => {
		const other = birdBgp("my.other-1", "192.168.1.77", 65077, "multihop 2;").replace(
			"protocol bgp my.other-1",
			"protocol bgp 'my.other-1'",
		);
		const device = async () =>
			[...(await home.devices()).values()].find(({ name }) => /my\.other-1/.test(name));
		await session.bird.configure(birdMultihop(other));
		const first = await until("the other peer", device, { timeout: 20_000 });
		await home.api.call({
			type: "config/device_registry/update",
			device_id: first?.id,
			name_by_user: "Kept",
		});
		await session.bird.configure(birdMultihop());
		await until("no other peer", async () => (await device()) === undefined, { timeout: 20_000 });
		const gone = await home.states();
		expect([...gone.keys()].filter((id) => id.includes("my_other"))).toEqual([]);
		const kept = [...(await broker.retained()).keys()];
		expect(kept.filter((topic) => topic.includes("my_other"))).toEqual([]);

		await session.bird.configure(birdMultihop(other));
		const again = await until("the other peer again", device, { timeout: 20_000 });
		expect(again).toMatchObject({ id: first?.id, name_by_user: "Kept" });
		await session.bird.configure(birdMultihop());
		await until("no other peer", async () => (await device()) === undefined, { timeout: 20_000 });
		expect(home.complaints()).toEqual([]);
	});
});

describe("survives", () => {
	test("a killed daemon: everything is unavailable within the keepalive, then back", async () => {
		const available = async () => {
			const states = await home.states();
			return Object.values(everything).filter(({ entity: id }) => states.get(id)?.state !== "unavailable");
		};
		await session.daemon.crash();
		await until("everything unavailable", available, { holds: (ids) => ids.length === 0, timeout: 30_000 });
		session = { ...session, daemon: session.warden.start() };
		await untilComplete(30_000);
		await home.untilState(ofPeer("session"), "on", { timeout: 30_000 });
		expect(home.complaints()).toEqual([]);
	});

	test("Home Assistant restarted: complete within 30 s", async () => {
		await home.restart();
		await untilComplete(30_000);
		await watchEvents();
		expect(home.complaints()).toEqual([]);
	});

	test("the broker restarted and emptied: complete within 30 s", async () => {
		await broker.stop();
		broker = await startMosquitto(lab.broker);
		await untilComplete(30_000);
		const { size } = await until("what the broker keeps", () => broker.retained(), {
			holds: (topics) => topics.has("homeassistant/device/bgpwarden_router/config"),
			timeout: 30_000,
		});
		expect(size).toBeGreaterThanOrEqual(6);
		// Home Assistant says itself that its broker was away.
		const about = home.complaints().filter((line) => !/components[./]mqtt[./]client/.test(line));
		expect(about).toEqual([]);
	});

	test("both emptied while the daemon is away: it tells everything to a Home Assistant that knows nothing", async () => {
		await session.daemon.stop();
		await home.restart();
		await broker.stop();
		broker = await startMosquitto(lab.broker);
		session = { ...session, daemon: session.warden.start() };
		await untilComplete(40_000);
		await watchEvents();
		await lab.router.nft("delete table inet custom_bgp");
		await untilEvents("table_restored");
	});
});
