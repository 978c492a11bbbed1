import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Host } from "../lab/host.ts";
import { rootfsName } from "../lab/paths.ts";
import type { Process } from "../lab/process.ts";
import { until } from "../lab/wait.ts";
import { Api, CLIENT_ID, type DeviceEntry, type EntityEntry, rest, type State } from "./client.ts";

/** Which release the tests run against, as in test/ha/home-assistant-RELEASE.txt: year and month. */
const release = process.env.HA ?? "2025.11";
const program = `home-assistant-${release}`;
/** Layers of a host that can run it. */
export const layers = [program, rootfsName] as const;

/** Whether the tests run against this release or a later one. */
export function isRelease(first: string): boolean {
	return release.localeCompare(first, "en", { numeric: true }) >= 0;
}

const PORT = 8123;
const directory = "/config";
const configuration = `homeassistant:
  name: Lab
  country: FO
  currency: EUR
  time_zone: UTC
  unit_system: metric
  latitude: 0
  longitude: 0
  elevation: 0
  external_url: http://127.0.0.1:8123
  internal_url: http://127.0.0.1:8123
http:
frontend:
automation: !include automations.yaml
logger:
  default: info
`;

/** The first start, up to the owner: the other steps would propose integrations whose packages the lab does not have. */
const onboarding = JSON.stringify({
	...{ version: 4, minor_version: 1, key: "onboarding" },
	data: { done: ["core_config", "analytics", "integration"] },
});

/** Home Assistant running on a host of the lab, signed in to. */
export class HomeAssistant {
	private process: Process | undefined;
	private readonly scratch = mkdtempSync(join(tmpdir(), "bgpwarden-ha-"));
	private relay: ChildProcess | undefined;
	private token = "";
	private connection: Api | undefined;
	/** What it printed all starts together. */
	private readonly lines: string[] = [];

	private constructor(private readonly host: Host) {}

	/**
	 * Starts it for the first time: creates its owner and adds the broker on the same host.
	 * @param automations as automations.yaml has them
	 */
	static async start(host: Host, automations = "[]"): Promise<HomeAssistant> {
		const home = new HomeAssistant(host);
		host.write(`${directory}/configuration.yaml`, configuration);
		host.write(`${directory}/automations.yaml`, automations);
		host.write(`${directory}/.storage/onboarding`, onboarding);
		await home.openRelay();
		await home.run();
		await home.onboard();
		await home.connect();
		await home.addBroker();
		return home;
	}

	get api(): Api {
		if (!this.connection) throw new Error("Home Assistant is not running");
		return this.connection;
	}

	/** What signs a browser in, for 30 minutes. */
	get accessToken(): string {
		return this.token;
	}

	/** Stops it as its own restart does, and starts it again. */
	async restart(): Promise<void> {
		await this.halt();
		await this.run();
		await this.connect();
	}

	async stop(): Promise<void> {
		await this.halt();
		this.relay?.kill("SIGKILL");
		rmSync(this.scratch, { recursive: true, force: true });
	}

	/** All states by entity id. */
	async states(): Promise<Map<string, State>> {
		const states = await this.api.call<State[]>({ type: "get_states" });
		return new Map(states.map((state) => [state.entity_id, state]));
	}

	/** The devices that MQTT has brought, by identifier. */
	async devices(): Promise<Map<string, DeviceEntry>> {
		const all = await this.api.call<DeviceEntry[]>({ type: "config/device_registry/list" });
		const ours = all.flatMap((device) => {
			const identifier = device.identifiers.find(([domain]) => domain === "mqtt")?.[1];
			return identifier === undefined ? [] : [[identifier, device] as const];
		});
		return new Map(ours);
	}

	/** The entities that MQTT has brought, by unique id. */
	async entities(): Promise<Map<string, EntityEntry>> {
		const all = await this.api.call<EntityEntry[]>({ type: "config/entity_registry/list" });
		return new Map(
			all.filter(({ platform }) => platform === "mqtt").map((entry) => [entry.unique_id, entry] as const),
		);
	}

	/** Waits for an entity's state. @returns it */
	async untilState(
		entityId: string,
		wanted: string | ((state: State) => boolean),
		options: { readonly timeout?: number } = {},
	): Promise<State> {
		const holds = (state: State | undefined) =>
			state !== undefined && (typeof wanted === "string" ? state.state === wanted : wanted(state));
		const what = typeof wanted === "string" ? `${entityId} to be ${wanted}` : `${entityId}`;
		const state = await until(what, async () => (await this.states()).get(entityId), {
			holds,
			timeout: 15_000,
			every: 200,
			...options,
		});
		if (!state) throw new Error(`${entityId} is gone`);
		return state;
	}

	/** Presses a button as a person does in the frontend. */
	async press(entityId: string): Promise<void> {
		await this.api.call({
			type: "call_service",
			domain: "button",
			service: "press",
			target: { entity_id: entityId },
		});
	}

	/** Warnings and errors in its log with what belongs to them, without the one that the lab's own command line earns. */
	complaints(): string[] {
		const entries: string[] = [];
		for (const line of this.lines) {
			if (/^\d{4}-\d\d-\d\d /.test(line)) entries.push(line);
			else entries.push(`${entries.pop() ?? ""}\n${line}`);
		}
		return entries.filter(
			(entry) => /^.{24}(WARNING|ERROR|CRITICAL)/.test(entry) && !entry.includes("Skipping pip installation"),
		);
	}

	private get socketPath(): string {
		return join(this.scratch, "api");
	}

	/** A way from here into the host's network: a Unix socket has no namespace. */
	private async openRelay(): Promise<void> {
		const script = fileURLToPath(new URL("relay.mjs", import.meta.url));
		const inside = ["-t", String(this.host.pid), "-n", "--", process.execPath, script];
		const relay = spawn("nsenter", [...inside, this.socketPath, String(PORT)], { stdio: "pipe" });
		this.relay = relay;
		await new Promise<void>((resolve, reject) => {
			relay.stdout.once("data", () => resolve());
			relay.once("close", () => reject(new Error("the relay to Home Assistant did not start")));
		});
	}

	private async run(): Promise<void> {
		const argv = [`/opt/${program}/bin/python`, "-m", "homeassistant", "-c", directory, "--skip-pip"];
		const started = this.host.start(argv, {
			name: "homeassistant",
			env: { PYTHONUNBUFFERED: "1" },
			onLine: (line) => void this.lines.push(line),
		});
		this.process = started;
		await started.says(/Home Assistant initialized/, 60_000);
		await until("the API", () => rest(this.socketPath, "GET", "/manifest.json"), { timeout: 30_000 });
	}

	private async connect(): Promise<void> {
		this.connection = await until("the API to let us in", () => Api.connect(this.socketPath, this.token));
		await until(
			"Home Assistant to have started",
			() => this.api.call<{ state: string }>({ type: "get_config" }).then(({ state }) => state === "RUNNING"),
			{ timeout: 30_000 },
		);
	}

	private async halt(): Promise<void> {
		this.connection?.close();
		this.connection = undefined;
		await this.process?.end("SIGTERM", 30_000);
	}

	private post<T>(path: string, body: unknown): Promise<T> {
		return rest<T>(this.socketPath, "POST", path, { body, token: this.token });
	}

	private async onboard(): Promise<void> {
		const user = { name: "Lab", username: "lab", password: "lab", language: "en", client_id: CLIENT_ID };
		const { auth_code } = await rest<{ auth_code: string }>(
			this.socketPath,
			"POST",
			"/api/onboarding/users",
			{ body: user },
		);
		const form = { grant_type: "authorization_code", code: auth_code, client_id: CLIENT_ID };
		const granted = await rest<{ access_token: string }>(this.socketPath, "POST", "/auth/token", { form });
		this.token = granted.access_token;
	}

	/** The configuration flow that a person goes through in the frontend. */
	private async addBroker(): Promise<void> {
		const flows = "/api/config/config_entries/flow";
		const { flow_id, data_schema } = await this.post<{
			flow_id: string;
			data_schema: readonly { readonly name: string }[];
		}>(flows, { handler: "mqtt" });
		// A section of the form that 2025's releases do not have
		const other_settings = data_schema.some(({ name }) => name === "other_settings")
			? { set_client_cert: false, set_ca_cert: "off" }
			: undefined;
		const result = await this.post<{ type: string }>(`${flows}/${flow_id}`, {
			broker: "127.0.0.1",
			port: 1883,
			other_settings,
		});
		if (result.type !== "create_entry") throw new Error(`MQTT was not added: ${JSON.stringify(result)}`);
	}
}
