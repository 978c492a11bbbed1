import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Daemon, daemonFile, repairing, Warden } from "../lab/daemon.ts";
import { type Lab, startLab } from "../lab/lab.ts";
import { network } from "../lab/network.ts";
import { birdMultihop, type Mosquitto, startBird, startFrr, startMosquitto } from "../lab/programs.ts";
import { buildOldVersion } from "../lab/upgrade/old-version.ts";
import { until } from "../lab/wait.ts";
import type { EntityEntry } from "./client.ts";
import { HomeAssistant, layers } from "./home-assistant.ts";
import { version } from "./scene.ts";

/** A Home Assistant that has known a router since 0.1.0: what it has of it is the same after the upgrade. */
let lab: Lab;
let broker: Mosquitto;
let home: HomeAssistant;

beforeEach(async () => {
	lab = await startLab({ brokerLayers: layers });
	broker = await startMosquitto(lab.broker);
	home = await HomeAssistant.start(lab.broker);
}, 120_000);
afterEach(async () => {
	await home?.stop();
	await lab?.stop();
});

const { peer } = network;

/** A router with a session that is up, and 0.1.0's daemon. */
async function startOld(routerId: string): Promise<{ warden: Warden; daemon: Daemon }> {
	const old = buildOldVersion();
	const warden = new Warden(lab.router);
	lab.router.write(daemonFile, readFileSync(old.bundle, "utf8"));
	warden.configure({
		mqtt: { commands: true },
		main: { router_id: routerId, poll_interval: 2, ...repairing },
	});
	const daemon = warden.start();
	await startBird(lab.router, birdMultihop());
	await startFrr(lab.speaker);
	await home.untilState(`binary_sensor.bgpwarden_${routerId}_${peer}_session`, "on", { timeout: 60_000 });
	await until("every state", unavailable, { holds: ({ length }) => length === 0, timeout: 30_000 });
	return { warden, daemon };
}

async function unavailable(): Promise<string[]> {
	const known = [...(await home.entities()).values()];
	const states = await home.states();
	return known
		.map(({ entity_id }) => entity_id)
		.filter((id) => (states.get(id)?.state ?? "unavailable") === "unavailable");
}

/** The entry's own id, by which a person's changes and statistics hang on it. */
const entryId = (entry: EntityEntry | undefined) => (entry as (EntityEntry & { id: string }) | undefined)?.id;

async function registered() {
	const [entities, devices] = [await home.entities(), await home.devices()];
	return {
		entries: Object.fromEntries(
			[...entities].map(([id, entry]) => [id, `${entryId(entry)} ${entry.entity_id}`]),
		),
		entityIds: [...entities.values()].map(({ entity_id }) => entity_id).sort(),
		devices: Object.fromEntries(
			[...devices].map(([identifier, { id, name }]) => [identifier, `${id} ${name}`]),
		),
		names: [...devices.values()].map(({ name }) => name).sort(),
		versions: [...devices.values()].map(({ sw_version }) => sw_version).filter((each) => each !== null),
	};
}

async function upgrade({ warden, daemon }: { warden: Warden; daemon: Daemon }): Promise<void> {
	await daemon.stop();
	warden.install();
	warden.start();
	const newest = async () => (await registered()).versions;
	await until("the new version", newest, {
		holds: (all) => all.length > 0 && all.every((each) => each === version),
		timeout: 30_000,
	});
	await until("every state", unavailable, { holds: ({ length }) => length === 0, timeout: 30_000 });
}

test("the same devices and entities, with what a person has changed, also after Home Assistant's own restart", async () => {
	const old = await startOld("router");
	const changed = "sensor.bgpwarden_router_repairs";
	const update = {
		type: "config/entity_registry/update",
		entity_id: changed,
		new_entity_id: "sensor.my_own",
	};
	await home.api.call(update);
	await until("the new name", async () => (await home.states()).has("sensor.my_own"));
	const before = await registered();
	expect(Object.keys(before.devices)).toHaveLength(2);
	expect(before.versions.every((each) => each === "0.1.0")).toBe(true);

	await upgrade(old);

	const after = await registered();
	// There may be entities that 0.1.0 did not have.
	expect(after.entries).toMatchObject(before.entries);
	expect(after.devices).toEqual(before.devices);
	await home.restart();
	await until("every state", unavailable, { holds: ({ length }) => length === 0, timeout: 30_000 });
	expect((await registered()).entries).toEqual(after.entries);
	expect((await registered()).devices).toEqual(before.devices);
	expect(home.complaints()).toEqual([]);
}, 300_000);

test("a router with an underscore in its id: other ids of discovery, and the same entity ids, each once", async () => {
	const old = await startOld("edge_gw");
	const before = await registered();
	expect(before.names).toHaveLength(2);

	await upgrade(old);

	const after = await registered();
	expect(after.entityIds).toEqual(expect.arrayContaining(before.entityIds));
	// None of another name beside it, such as `…_2`
	expect(after.entityIds.filter((id) => /_\d+$/.test(id))).toEqual(
		before.entityIds.filter((id) => /_\d+$/.test(id)),
	);
	expect(after.names).toEqual(before.names);
	const kept = [...(await broker.retained()).keys()].filter((topic) =>
		topic.startsWith("homeassistant/device/"),
	);
	expect(kept).toHaveLength(2);
	expect(home.complaints()).toEqual([]);
}, 300_000);
