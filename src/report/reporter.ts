import type { Log } from "../log.ts";
import type { Command } from "../model/command.ts";
import type { Config } from "../model/config.ts";
import type { EventReport, ReportedEvent } from "../model/event.ts";
import type { ProblemKind } from "../model/problem.ts";
import type { Status } from "../model/status.ts";
import type { Platform, Timer } from "../platform/types.ts";
import type { MqttCommand } from "./mqtt/incoming-commands.ts";
import { Publisher } from "./mqtt/publisher.ts";
import { RouterId } from "./router-id.ts";
import { StatusFiles } from "./run-files.ts";

/** Changes within this many milliseconds are published together. */
const TOGETHER = 50;
/** After each publication there is a pause of this many times what it has taken: with 1,000 peers that is no small thing. */
const PAUSE = 20;
/** Milliseconds that this pause lasts at most: whoever reads the status is not to be told what is long over. */
const LONGEST_PAUSE = 5000;
/** Commands of MQTT whose outcome is waited for, at most. */
const COMMANDS = 32;
/** Milliseconds until a state that could not be written is tried again. */
const RETRY = 5000;

export interface ReporterOptions {
	readonly runDirectory: string;
	readonly config: Config;
	/** A command came over MQTT. */
	readonly onCommand: (command: Command) => void;
	readonly onProblem: (kind: ProblemKind, text: string | undefined) => void;
}

/** Publishes the status and the events: in the run directory's files and over MQTT. */
export class Reporter {
	private readonly files: StatusFiles;
	private config: Config;
	private publisher: Publisher | undefined;
	private changes: Promise<void> = Promise.resolve();
	private stopped = false;
	/** What the broker's side said last while it is not connected. */
	private mqttReason: string | undefined;
	private timer: Timer | undefined;
	private retry: Timer | undefined;
	private status: (() => Status) | undefined;
	/** Why the run directory cannot be written, as reported last. */
	private filesProblem: string | undefined;
	private readonly id: RouterId;
	/** Commands of MQTT that wait for their outcome, by id. */
	private readonly commands = new Map<string, MqttCommand>();
	private commandCount = 0;
	/** When the status may be published again, monotonic ms. */
	private notBefore = 0;

	constructor(
		private readonly platform: Platform,
		private readonly log: Log,
		private readonly options: ReporterOptions,
	) {
		this.config = options.config;
		this.files = new StatusFiles(platform.files, options.runDirectory);
		this.id = new RouterId(platform.files);
	}

	start(): void {
		this.publisher = this.createPublisher();
		this.publisher?.start();
	}

	/** Takes over another configuration; the broker is left and met again only if its part changed. */
	configure(config: Config): void {
		const before = this.config;
		const identity = ({ mqtt, main }: Config) => JSON.stringify([mqtt, main.routerId]);
		if (identity(before) === identity(config)) {
			this.config = config;
			this.publisher?.retry();
			return;
		}
		const places = ({ mqtt, main }: Config) =>
			[mqtt.baseTopic, mqtt.discovery, mqtt.discoveryPrefix, this.id.get(main.routerId)].join();
		const moved = config.mqtt.enabled && places(before) !== places(config);
		this.config = config;
		this.options.onProblem("router_id", undefined);
		this.options.onProblem("mqtt_message", undefined);
		// What was published elsewhere, or under another name, would stay for ever.
		const change = async () => {
			const old = this.publisher;
			this.publisher = undefined;
			const left = await (moved ? old?.retire() : old?.stop());
			if (this.stopped) return;
			this.publisher = this.createPublisher();
			this.publisher?.remove(left ?? []);
			this.publisher?.start();
			this.publishSoon();
		};
		// One after the other: two publishers would take the connection from each other for ever.
		this.changes = this.changes.then(change);
	}

	/** Says goodbye to the broker; takes at most 2.5 s. */
	async stop(): Promise<void> {
		this.timer?.cancel();
		this.publish();
		this.retry?.cancel();
		this.stopped = true;
		await this.publisher?.stop();
	}

	/** This router's id in topics, as it is. */
	get routerId(): string {
		return this.id.get(this.config.main.routerId);
	}

	/** Looks whether the files are those that were written last: somebody may have removed them. */
	check(): void {
		if (this.files.isIntact) return;
		this.files.forget();
		this.publishSoon();
	}

	/** Something may have changed. @param status makes the status; called within 50 ms, once for all changes of that time */
	update(status: () => Status): void {
		this.status = status;
		this.publishSoon();
	}

	/** How a command went. @returns whether it was one of MQTT's, whose outcome is an event */
	outcome(id: string, ok: boolean, text: string): boolean {
		const command = this.commands.get(id);
		if (!command) return false;
		this.commands.delete(id);
		const details = { command: command.verb, peer: command.peer, ok, text };
		this.event({ event: "command_done", details });
		return true;
	}

	event({ event: type, details }: EventReport): void {
		const { wall } = this.platform.now();
		const at = `${new Date(wall).toISOString().slice(0, 23)}Z`;
		const event = { event_type: type, at, ...details } as ReportedEvent;
		this.publisher?.event(event);
		const failure = this.files.event(event);
		// That this file could be written does not mean that the other could.
		if (failure !== undefined && this.filesProblem === undefined) this.problem(failure);
	}

	private publishSoon(): void {
		const wait = Math.max(TOGETHER, this.notBefore - this.platform.now().monotonic);
		this.timer ??= this.platform.after(wait, () => {
			this.timer = undefined;
			const began = this.platform.now().monotonic;
			this.publish();
			const now = this.platform.now().monotonic;
			this.notBefore = now + Math.min((now - began) * PAUSE, LONGEST_PAUSE);
		});
	}

	private publish(): void {
		if (!this.status) return;
		const status = this.status();
		const { host, port } = this.config.mqtt;
		const connected = this.publisher?.connectedToBroker ?? false;
		const reason = connected ? this.publisher?.refusal : this.mqttReason;
		const mqtt = this.publisher && { broker: `${host}:${port}`, connected, ...(reason ? { reason } : {}) };
		this.problem(this.files.status(mqtt ? { ...status, mqtt } : status));
		this.publisher?.update(status);
	}

	private problem(failure: string | undefined): void {
		const text = failure && `cannot write the state: ${failure}`;
		if (text !== this.filesProblem) {
			this.filesProblem = text;
			this.options.onProblem("files", text);
		}
		if (text === undefined) return;
		this.retry ??= this.platform.after(RETRY, () => {
			this.retry = undefined;
			this.publishSoon();
		});
	}

	private createPublisher(): Publisher | undefined {
		const { mqtt, main } = this.config;
		if (!mqtt.enabled) return undefined;
		return new Publisher(this.platform, mqtt, this.id.get(main.routerId), {
			onCommand: (command) => this.command(command),
			onOutcome: (outcome) => this.event({ event: "command_done", details: { ...outcome } }),
			onForeign: (text) => this.options.onProblem("router_id", text),
			onRefused: (text) => this.options.onProblem("mqtt_message", text),
			onConnect: () => {
				const line = this.id.remember(main.routerId);
				if (line) this.log("info", `MQTT: ${line}`);
			},
			onLog: (level, line) => {
				this.mqttReason = line.replace(/^MQTT: /, "");
				this.log(level, line);
				this.publishSoon();
			},
		});
	}

	private command(command: MqttCommand): void {
		// No request of the control FIFO can have a colon in its id.
		const id = `mqtt:${++this.commandCount}`;
		this.commands.set(id, command);
		const [oldest] = this.commands.keys();
		if (oldest !== undefined && this.commands.size > COMMANDS) this.commands.delete(oldest);
		this.options.onCommand({ ...command, id });
	}
}
