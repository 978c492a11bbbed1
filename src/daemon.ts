import {
	keepLastGood,
	type Mistakes,
	mistakeProblem,
	readConfiguration,
	settingsOf,
	USING_LAST_GOOD,
} from "./config/read.ts";
import { createLog, type Log } from "./log.ts";
import type { Config } from "./model/config.ts";
import { missingZones } from "./model/fw4-zone.ts";
import type { Status } from "./model/status.ts";
import type { Platform, Timer } from "./platform/types.ts";
import { Reporter } from "./report/reporter.ts";
import { readBirdConfiguration } from "./system/bird/conf/read-files.ts";
import { type BirdPoller, createBirdPoller } from "./system/bird/poller.ts";
import { type Control, openControl } from "./system/control/fifo.ts";
import { endLeftovers, markChildren } from "./system/kernel/leftovers.ts";
import { TableKeeper } from "./system/nft/keep-table.ts";
import { createMonitor, type Monitor } from "./system/nft/monitor.ts";
import { createNft, type Nft } from "./system/nft/nft.ts";
import { createProtection, type Protection } from "./system/nft/protection.ts";
import { RuleLookup } from "./system/nft/rule-lookup.ts";
import { readFirewall } from "./system/openwrt/firewall.ts";
import { createServices, type Services } from "./system/openwrt/services.ts";
import { perform } from "./system/perform.ts";
import type { Action } from "./warden/actions.ts";
import { aboutPeers } from "./warden/diagnosis/record-packets.ts";
import type { WardenEvent } from "./warden/events.ts";
import { initialState, type WardenState } from "./warden/state.ts";
import { statusOf } from "./warden/status.ts";
import { nextDeadline, step } from "./warden/warden.ts";

/** Milliseconds until the control FIFO is tried again, for a run directory that cannot be written. */
const CONTROL_RETRY = 5000;

export interface DaemonOptions {
	readonly version: string;
	readonly configPath: string;
	readonly runDirectory: string;
}

/** Connects programs, warden and reports; the only module that knows all of them. */
export class Daemon {
	readonly nft: Nft;
	readonly table: TableKeeper;
	monitor: Monitor;
	private state: WardenState;
	private readonly log: Log;
	private readonly protection: Protection;
	private readonly rules: RuleLookup;
	private readonly reporter: Reporter;
	private bird: BirdPoller;
	private readonly services: Services;
	private control: Control | undefined;
	private controlRetry: Timer | undefined;
	private tick: { timer: Timer; at: number } | undefined;
	private stopping = false;
	/** What is used when a reload finds mistakes, as a clause. */
	private instead = USING_LAST_GOOD;

	/** Does nothing yet. */
	constructor(
		readonly platform: Platform,
		private readonly options: DaemonOptions,
		public config: Config,
	) {
		this.log = createLog(platform, config.main.logLevel);
		this.state = initialState(settingsOf(config), platform.now());
		this.nft = createNft(platform);
		const info = (text: string) => this.log("info", text);
		this.protection = createProtection(platform, this.nft, {
			own: config.main.protect,
			onLost: (reason) => this.dispatch({ type: "owner_lost", reason }),
			onInfo: info,
		});
		this.rules = new RuleLookup(this.nft, (traces) => this.dispatch({ type: "packets_traced", traces }));
		this.table = new TableKeeper(platform, this.nft, this.protection, (text) => this.log("info", text));
		this.reporter = new Reporter(platform, this.log, {
			runDirectory: options.runDirectory,
			config,
			onCommand: (command) => this.dispatch({ type: "command", command }),
			onProblem: (kind, text) => this.dispatch({ type: "problem", kind, text }),
		});
		this.monitor = this.createMonitor();
		this.bird = this.createBird();
		this.services = this.createServices();
	}

	/** Starts everything; returns at once. @param mistakes of the configuration file, in whose place another one is used */
	start(mistakes?: Mistakes): void {
		const { platform } = this;
		if (mistakes) {
			this.badConfiguration(mistakes);
			this.instead = mistakes.instead;
			this.table.fallback = mistakes.defaults;
		}
		this.log("info", `bgpwarden ${this.options.version} is starting (${platform.engine})`);
		for (const signal of ["SIGTERM", "SIGINT"] as const) platform.onSignal(signal, () => this.stop());
		platform.onSignal("SIGHUP", () => this.reload());
		markChildren(platform);
		// The table first: everything else can wait.
		this.protection.prepare();
		this.monitor.start();
		this.dispatch({ type: "started" });
		this.bird.start();
		this.services.start();
		this.reporter.start();
		this.openControl();
		this.keepConfiguration();
		this.checkZones();
		endLeftovers(platform, (text) => this.log("info", text));
	}

	/**
	 * Says goodbye and exits. The table stays, since the router must not lose its sessions to a restart of the daemon, and
	 * without an owner, since a service that is stopped must not keep anybody from changing it.
	 */
	private stop(): void {
		if (this.stopping) return;
		// Also one that it was not asked to read: with `enabled 0` the service is stopped and not reloaded.
		this.keepConfiguration();
		this.stopping = true;
		this.log("info", "bgpwarden is stopping; the table stays in place");
		this.tick?.timer.cancel();
		this.monitor.stop();
		this.bird.stop();
		this.services.stop();
		this.control?.close();
		this.controlRetry?.cancel();
		const last = [this.reporter.stop(), this.protection.release()];
		Promise.all(last).then(() => this.platform.exit(0));
	}

	private reload(): void {
		const read = readConfiguration(this.platform.files, this.options.configPath);
		if ("errors" in read) {
			this.badConfiguration({ errors: read.errors, instead: this.instead, defaults: this.table.fallback });
			return;
		}
		const old = this.config;
		this.config = read.config;
		this.table.fallback = false;
		this.log.level = read.config.main.logLevel;
		this.protection.configure(read.config.main.protect);
		this.dispatch({ type: "problem", kind: "config", text: undefined });
		this.dispatch({ type: "configured", settings: settingsOf(read.config) });
		if (old.main.table !== read.config.main.table) {
			this.monitor.stop();
			this.monitor = this.createMonitor();
			this.monitor.start();
		}
		if (old.main.birdSocket !== read.config.main.birdSocket) {
			this.bird.stop();
			this.bird = this.createBird();
			this.bird.start();
		}
		this.reporter.configure(read.config);
		this.keepConfiguration();
		this.checkZones();
		for (const event of this.table.checkFile()) this.dispatch(event);
	}

	private badConfiguration(mistakes: Mistakes): void {
		// A problem is logged as it is noted; the first error is in it.
		this.dispatch({ type: "problem", kind: "config", text: mistakeProblem(mistakes) });
		for (const error of mistakes.errors.slice(1)) this.log("error", error);
	}

	/** A file with mistakes leaves the copy as it is. */
	private keepConfiguration(): void {
		const { platform, options } = this;
		const read = readConfiguration(platform.files, options.configPath);
		if ("errors" in read) return;
		const text = keepLastGood(platform.files, options.configPath, read.text);
		this.instead =
			text === undefined ? USING_LAST_GOOD : "keeping the last good configuration, which could not be saved";
		this.dispatch({ type: "problem", kind: "last_good", text });
	}

	private checkZones(): void {
		const zones = readFirewall(this.platform.files)?.zones;
		const missing = zones && missingZones(this.config, zones);
		this.dispatch({ type: "problem", kind: "zone", text: missing?.join("; ") || undefined });
	}

	/** One event: the warden decides, the daemon acts. Nothing that an action does may end the daemon. */
	private dispatch(event: WardenEvent): void {
		if (this.stopping) return;
		// The hook of fw4's asks for it after each start and reload.
		if (event.type === "command" && event.command.verb === "ensure") this.checkZones();
		const { state, actions } = step(this.state, event, this.platform.now());
		this.state = state;
		for (const action of actions) {
			this.perform(action).catch((error: unknown) => {
				this.log("error", `${action.type}: ${error instanceof Error ? error.message : String(error)}`);
			});
		}
		this.planTick();
		this.reporter.update(() => this.status());
	}

	private status(): Status {
		const { version } = this.options;
		const router = this.reporter.routerId;
		return statusOf(this.state, { version, router, pid: this.platform.pid, ...this.table.saved });
	}

	private planTick(): void {
		const at = nextDeadline(this.state);
		if (at === this.tick?.at) return;
		this.tick?.timer.cancel();
		this.tick = undefined;
		if (at === undefined) return;
		// Never 0: qjs serves expired timers before descriptors, so a chain of them would shut out everything else.
		const timer = this.platform.after(Math.max(1, at - this.platform.now().monotonic), () => {
			this.tick = undefined;
			this.dispatch({ type: "tick" });
		});
		this.tick = { timer, at };
	}

	private async perform(action: Action): Promise<void> {
		// qjs ends the process for a promise that is rejected before it has a handler.
		await undefined;
		switch (action.type) {
			case "log":
				this.log(action.level, action.text);
				return;
			case "report":
				this.reporter.event(action);
				return;
			case "reply":
				if (!this.reporter.outcome(action.id, action.ok, action.text))
					this.control?.reply(action.id, { ok: action.ok, text: action.text });
				return;
			case "replace_watch":
				this.monitor.replace(action.reason);
				return;
			case "read_bird":
				this.bird.read();
				for (const event of this.table.checkFile()) this.dispatch(event);
				return;
			case "read_services":
				this.services.read();
				return;
			default:
				for (const event of await perform(action, this)) this.dispatch(event);
		}
	}

	private createMonitor(): Monitor {
		return createMonitor(this.platform, {
			table: this.config.main.table,
			isOwn: (pid) => this.nft.isOwn(pid),
			mark: () => this.table.mark,
			onStart: () => this.dispatch({ type: "watch_started" }),
			onEnd: (reason) => this.dispatch({ type: "watch_ended", reason }),
			onForeign: ({ touch, actor }) => this.dispatch({ type: "table_touched", touch, actor }),
			onOwn: (pid) => {
				this.protection.confirm(pid);
				this.dispatch({ type: "own_transaction" });
			},
			onOthers: (change) => this.dispatch({ type: "ruleset_changed", ...change }),
			onPacket: () => this.dispatch({ type: "session_sign" }),
			onTraces: (traces) => this.rules.add(aboutPeers(this.state, traces), this.config.main.table),
			onGap: () => this.dispatch({ type: "watch_gap" }),
			onGarbage: (text) => this.log("warn", `nft monitor: cannot parse: ${text.slice(0, 80)}`),
		});
	}

	private createBird(): BirdPoller {
		return createBirdPoller(this.platform, {
			socket: this.config.main.birdSocket,
			onUp: (version) => this.dispatch({ type: "bird_up", ...(version === undefined ? {} : { version }) }),
			onLost: (reason) => this.dispatch({ type: "bird_lost", reason }),
			onConfigured: (socket) => this.readBirdConfiguration(socket),
			onReading: (reading) => this.dispatch({ type: "bird_read", reading }),
		});
	}

	/** The file as it is now: right after BIRD has read it, the two are the same. */
	private readBirdConfiguration(socket: string): void {
		const file = readBirdConfiguration(this.platform.files, socket);
		const configuration = "error" in file ? undefined : file.configuration;
		this.dispatch({ type: "bird_configured", configuration });
	}

	private createServices(): Services {
		return createServices(this.platform, {
			onChange: (event) => this.dispatch({ type: "service", ...event }),
			onConfigChange: (name) => name === "firewall" && this.checkZones(),
			onProcesses: (processes) => this.dispatch({ type: "services_read", processes }),
			onInfo: (text) => this.log("info", text),
			onGarbage: (text) => this.log("warn", `ubus: cannot parse: ${text}`),
		});
	}

	private async openControl(): Promise<void> {
		try {
			this.control = await openControl(this.platform, {
				directory: this.options.runDirectory,
				onCommand: (command) => this.dispatch({ type: "command", command }),
				onGarbage: (line) => this.log("warn", `control: invalid request: ${line}`),
			});
			this.dispatch({ type: "problem", kind: "control", text: undefined });
		} catch (error) {
			const text = `cannot receive requests: ${(error as Error).message}`;
			this.dispatch({ type: "problem", kind: "control", text });
			this.controlRetry = this.platform.after(CONTROL_RETRY, () => this.openControl());
		}
	}
}
