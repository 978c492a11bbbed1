import type { Config } from "../config/types.ts";
import type { Log } from "../log.ts";
import type { Platform, Timer } from "../platform/types.ts";
import type { Command, ProblemKind } from "../warden/events.ts";
import type { WardenState } from "../warden/state.ts";
import { statusOf } from "../warden/status.ts";
import { StatusFiles } from "./files.ts";
import { Publisher } from "./mqtt/publisher.ts";
import type { EventType, ReportedEvent } from "./status.ts";

/** Changes within so many milliseconds are told together. */
const TOGETHER = 50;
/** Milliseconds until a state that could not be written is tried again. */
const RETRY = 5000;
const HOSTNAME = "/proc/sys/kernel/hostname";

export interface ReporterOptions {
	readonly version: string;
	readonly runDirectory: string;
	readonly config: Config;
	/** A command came over MQTT. */
	readonly onCommand: (command: Command) => void;
	readonly onProblem: (kind: ProblemKind, text: string | undefined) => void;
}

/** Tells what the warden knows: to the run directory's files and to MQTT. */
export class Reporter {
	private readonly files: StatusFiles;
	private config: Config;
	private publisher: Publisher | undefined;
	/** What the broker's side said last while it is not connected. */
	private mqttReason: string | undefined;
	private timer: Timer | undefined;
	private retry: Timer | undefined;
	private state: WardenState | undefined;

	constructor(
		private readonly platform: Platform,
		private readonly log: Log,
		private readonly options: ReporterOptions,
	) {
		this.config = options.config;
		this.files = new StatusFiles(platform.files, options.runDirectory);
	}

	start(): void {
		this.publisher = this.createPublisher();
		this.publisher?.start();
	}

	/** Takes over another configuration; the broker is left and met again only if its part changed. */
	configure(config: Config): void {
		const identity = ({ mqtt, main }: Config) => JSON.stringify([mqtt, main.routerId]);
		const same = identity(this.config) === identity(config);
		this.config = config;
		if (same) return;
		const old = this.publisher;
		this.publisher = undefined;
		Promise.resolve(old?.stop()).then(() => {
			this.publisher = this.createPublisher();
			this.publisher?.start();
			this.soon();
		});
	}

	/** Says goodbye to the broker; takes at most 2.5 s. */
	async stop(): Promise<void> {
		this.timer?.cancel();
		this.tell();
		this.retry?.cancel();
		await this.publisher?.stop();
	}

	/** Takes the newest state; it is told within 50 ms, if something in it is new. */
	update(state: WardenState): void {
		this.state = state;
		this.soon();
	}

	event(type: EventType, details: Readonly<Record<string, string | number | boolean | undefined>>): void {
		const { wall } = this.platform.now();
		const at = `${new Date(wall).toISOString().slice(0, 23)}Z`;
		const event: ReportedEvent = { event_type: type, at, ...details };
		this.publisher?.event(event);
		const failure = this.files.event(event);
		// That this file could be written does not mean that the other could.
		if (failure !== undefined && this.state?.problems.files === undefined) this.problem(failure);
	}

	private soon(): void {
		this.timer ??= this.platform.after(TOGETHER, () => {
			this.timer = undefined;
			this.tell();
		});
	}

	private tell(): void {
		if (!this.state) return;
		const { version } = this.options;
		const status = statusOf(this.state, { version, router: this.routerId(), pid: this.platform.pid });
		const { host, port } = this.config.mqtt;
		const mqtt = this.publisher && {
			broker: `${host}:${port}`,
			connected: this.publisher.connectedToBroker,
			...(this.publisher.connectedToBroker || !this.mqttReason ? {} : { reason: this.mqttReason }),
		};
		this.problem(this.files.status(mqtt ? { ...status, mqtt } : status));
		this.publisher?.update(status);
	}

	private problem(failure: string | undefined): void {
		const text = failure && `the state cannot be written: ${failure}`;
		if (text !== this.state?.problems.files) this.options.onProblem("files", text);
		if (text === undefined) return;
		this.retry ??= this.platform.after(RETRY, () => {
			this.retry = undefined;
			this.soon();
		});
	}

	private createPublisher(): Publisher | undefined {
		if (!this.config.mqtt.enabled) return undefined;
		return new Publisher(this.platform, this.config.mqtt, this.routerId(), {
			onCommand: this.options.onCommand,
			onLog: (level, line) => {
				this.mqttReason = line.replace(/^MQTT: /, "");
				this.log(level, line);
				this.soon();
			},
		});
	}

	private routerId(): string {
		if (this.config.main.routerId !== "") return this.config.main.routerId;
		try {
			return this.platform.files.read(HOSTNAME).trim() || "router";
		} catch {
			return "router";
		}
	}
}
