import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { blockAfter } from "../documents/markdown.ts";
import { repairing } from "../lab/daemon.ts";
import { type Lab, startLab } from "../lab/lab.ts";
import { network } from "../lab/network.ts";
import { type Mosquitto, startMosquitto } from "../lab/programs.ts";
import { establish, type Session } from "../lab/session.ts";
import { until } from "../lab/wait.ts";
import { type Expected, peerEntities, routerEntities } from "./expected.ts";
import { HomeAssistant, layers } from "./home-assistant.ts";

export const version: string = JSON.parse(
	readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
).version;
const { peer } = network;
export const routerDevice = "bgpwarden_router";
export const peerDevice = `${routerDevice}_${peer}`;
/** The names that both devices must have. */
export const deviceNames = { [routerDevice]: "bgpwarden router", [peerDevice]: `BGP ${peer} on router` };
export const everything = { ...routerEntities("router", version), ...peerEntities("router", peer) };
/** The entity id that something of the router must have; of the peer. */
export const entity = (key: string): string => everything[`${routerDevice}_${key}`]?.entity ?? `no ${key}`;
export const ofPeer = (key: string): string => entity(`${peer}_${key}`);
export const config = { mqtt: { commands: true }, main: { poll_interval: 2, ...repairing } };

/** An example of the document, for this router. */
export const example = (after: string) =>
	blockAfter("docs/home-assistant.md", after).replaceAll("gateway", "router");
export const automations = example("A notification when a session is down").replace(
	'for: "00:02:00"',
	"for: 1",
);

/** States that a test may have moved on are not looked at again. */
const anyState = Object.fromEntries(
	Object.entries(everything).map(([id, wanted]) => [id, { ...wanted, state: /./ }]),
);

/** One real Home Assistant beside one mosquitto, and a router with a session that is up. Each test leaves it so. */
export class Scene {
	/** What the event entity has shown since the test began. */
	readonly events: { type: string; attributes: Record<string, unknown> }[] = [];

	private constructor(
		readonly lab: Lab,
		public broker: Mosquitto,
		readonly home: HomeAssistant,
		public session: Session,
	) {}

	static async start(): Promise<Scene> {
		const lab = await startLab({ brokerLayers: layers });
		try {
			const broker = await startMosquitto(lab.broker);
			const [home, session] = await Promise.all([
				HomeAssistant.start(lab.broker, automations),
				establish(lab, config),
			]);
			const scene = new Scene(lab, broker, home, session);
			await home.untilState(ofPeer("session"), "on", { timeout: 30_000 });
			await scene.watchEvents();
			return scene;
		} catch (error) {
			await lab.stop();
			throw error;
		}
	}

	async stop(): Promise<void> {
		await this.home.stop();
		await this.lab.stop();
	}

	/** Collects what the event entity shows from now on; a restarted Home Assistant has to be asked again. */
	async watchEvents(): Promise<void> {
		await this.home.api.listen("state_changed", (event) => {
			const { data } = event as {
				data: { entity_id: string; new_state: { attributes: Record<string, unknown> } | null };
			};
			const attributes = data.new_state?.attributes;
			if (data.entity_id !== entity("event") || typeof attributes?.event_type !== "string") return;
			this.events.push({ type: attributes.event_type, attributes });
		});
	}

	untilEvents(...types: readonly string[]): Promise<readonly string[]> {
		return until(`the events ${types.join(", ")}`, () => this.events.map(({ type }) => type), {
			holds: (seen) => types.every((type) => seen.includes(type)),
			timeout: 20_000,
		});
	}

	/** What the first event of that type had to say. */
	detailsOf(eventType: string): Record<string, unknown> | undefined {
		return this.events.find(({ type }) => type === eventType)?.attributes;
	}

	/** Waits for every entity to be there, as the same one and with any value. */
	async untilComplete(
		timeout: number,
		expected: Readonly<Record<string, Expected>> = anyState,
	): Promise<void> {
		await until("everything in Home Assistant", () => this.differences(expected), {
			holds: (found) => found.length === 0,
			timeout,
			every: 500,
		});
	}

	/** What is not as expected, one line each. */
	private async differences(expected: Readonly<Record<string, Expected>>): Promise<string[]> {
		const { home } = this;
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
			const friendlyName = [deviceNames[device], wanted.name].filter(Boolean).join(" ");
			const about: [string, unknown, unknown][] = [
				["entity id", entry.entity_id, wanted.entity],
				["name", entry.original_name, wanted.name],
				["friendly name", state.attributes.friendly_name, friendlyName],
				["category", entry.entity_category, wanted.category ?? null],
				["device", entry.device_id, devices.get(device)?.id],
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
}
