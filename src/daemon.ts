import { ConfigurationKeeper } from "./config/keeper.ts";
import { type Mistakes, settingsOf } from "./config/read.ts";
import { createLog, type Log } from "./log.ts";
import type { Config } from "./model/config.ts";
import { missingZones } from "./model/fw4-zone.ts";
import type { TracedPacket } from "./model/packet-trace.ts";
import type { Status } from "./model/status.ts";
import { Alarm } from "./platform/alarm.ts";
import type { Platform, Timer } from "./platform/types.ts";
import { Reporter } from "./report/reporter.ts";
import { earlierOpens } from "./report/run-files.ts";
import { readBirdConfiguration } from "./system/bird/conf/read-files.ts";
import { type BirdPoller, createBirdPoller } from "./system/bird/poller.ts";
import { type ControlKeeper, keepControl } from "./system/control/keep-control.ts";
import { Inspector } from "./system/kernel/inspector.ts";
import { endLeftovers, markChildren } from "./system/kernel/leftovers.ts";
import { startLookout } from "./system/lookout.ts";
import { TableKeeper } from "./system/nft/keep-table.ts";
import { createMonitor, type Monitor } from "./system/nft/monitor.ts";
import { createNft, type Nft } from "./system/nft/nft.ts";
import { createProtection, type Protection } from "./system/nft/protection.ts";
import { RuleLookup } from "./system/nft/rule-lookup.ts";
import { Strangers } from "./system/nft/strangers.ts";
import { readFirewall } from "./system/openwrt/firewall.ts";
import { createServices, type Services } from "./system/openwrt/services.ts";
import { perform } from "./system/perform.ts";
import type { Action } from "./warden/actions.ts";
import { aboutPeers, isAboutPeers } from "./warden/diagnosis/record-packets.ts";
import type { WardenEvent } from "./warden/events.ts";
import { initialState, isEstablished, type WardenState } from "./warden/state.ts";
import { mayShow, statusOf } from "./warden/status.ts";
import { nextDeadline, step } from "./warden/warden.ts";

export interface DaemonOptions {
	readonly version: string;
	readonly configPath: string;
	readonly runDirectory: string;
}

/** Milliseconds in which the daemon has ended once it is told to; procd kills it after 5,000. */
const STOP_PATIENCE = 2500;

/** Connects programs, warden and reports; the only module that knows all of them. */
export class Daemon {
	readonly nft: Nft;
	readonly table: TableKeeper;
	readonly inspector: Inspector;
	monitor: Monitor;
	private state: WardenState;
	private readonly log: Log;
	private readonly configuration: ConfigurationKeeper;
	private readonly protection: Protection;
	private readonly rules: RuleLookup;
	private readonly reporter: Reporter;
	private bird: BirdPoller;
	private readonly services: Services;
	private readonly control: ControlKeeper;
	private lookout: Timer | undefined;
	private readonly tick: Alarm;
	private readonly strangers = new Strangers();
	private stopping = false;
	/** The state was handed to the reporter once. */
	private shown = false;

	/** Does nothing yet. */
	constructor(
		readonly platform: Platform,
		private readonly options: DaemonOptions,
		public config: Config,
	) {
		this.log = createLog(platform, config.main.logLevel);
		this.state = initialState(settingsOf(config), platform.now());
		this.tick = new Alarm(platform, () => this.dispatch({ type: "tick" }));
		this.nft = createNft(platform);
		this.inspector = new Inspector(platform);
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
		this.configuration = new ConfigurationKeeper({
			files: platform.files,
			path: options.configPath,
			onProblem: (kind, text) => this.dispatch({ type: "problem", kind, text }),
			onMistake: (text) => this.log("error", text),
		});
		this.monitor = this.createMonitor();
		this.bird = this.createBird();
		this.services = this.createServices();
		this.control = keepControl(platform, {
			directory: options.runDirectory,
			onCommand: (command) => this.dispatch({ type: "command", command }),
			onProblem: (text) => this.dispatch({ type: "problem", kind: "control", text }),
			onWarning: (text) => this.log("warn", text),
		});
	}

	/** Starts everything; returns at once. @param mistakes of the configuration file, in whose place another one is used */
	start(mistakes?: Mistakes): void {
		const { platform } = this;
		this.configuration.started(mistakes);
		this.state = { ...this.state, earlier: earlierOpens(platform.files, this.options.runDirectory) };
		this.table.fallback = mistakes?.defaults === true;
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
		this.control.start();
		this.configuration.keep();
		this.checkZones();
		endLeftovers(platform, (text) => this.log("info", text));
		this.lookout = startLookout(platform, {
			monitor: () => this.monitor,
			isSafe: () => this.state.table.owned || this.state.table.released === true,
			onLook: () => {
				this.reporter.check();
				this.control.check();
				if (this.configuration.check()) this.reload();
				this.checkTableFile();
			},
		});
	}

	/**
	 * Says goodbye and exits. The table stays, since the router must not lose its sessions to a restart of the daemon, and
	 * without an owner, since a service that is stopped must not keep anybody from changing it.
	 */
	private stop(): void {
		if (this.stopping) return;
		// Also one that it was not asked to read: with `enabled 0` the service is stopped and not reloaded.
		this.configuration.keep();
		this.stopping = true;
		this.log("info", "bgpwarden is stopping; the table stays in place");
		this.tick.set(undefined);
		this.monitor.stop();
		this.bird.stop();
		this.services.stop();
		this.control.stop();
		this.lookout?.cancel();
		const exit = () => this.platform.exit(0);
		// The broker may not answer, and nft may hang.
		this.platform.after(STOP_PATIENCE, exit);
		Promise.all([this.reporter.stop(), this.protection.release()]).then(exit);
	}

	private reload(): void {
		const config = this.configuration.reload();
		if (!config) return;
		const old = this.config;
		this.config = config;
		this.table.fallback = false;
		this.log.level = config.main.logLevel;
		this.protection.configure(config.main.protect);
		this.dispatch({ type: "configured", settings: settingsOf(config) });
		if (old.main.table !== config.main.table) {
			this.monitor.stop();
			this.monitor = this.createMonitor();
			this.monitor.start();
		}
		if (old.main.birdSocket !== config.main.birdSocket) {
			this.bird.stop();
			this.bird = this.createBird();
			this.bird.start();
		}
		this.reporter.configure(config);
		this.configuration.keep();
		this.checkZones();
		this.checkTableFile();
	}

	private checkTableFile(): void {
		for (const event of this.table.checkFile()) this.dispatch(event);
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
		const shows = mayShow(this.state, state);
		this.state = state;
		for (const action of actions) {
			this.perform(action).catch((error: unknown) => {
				this.log("error", `${action.type}: ${error instanceof Error ? error.message : String(error)}`);
			});
		}
		this.tick.set(nextDeadline(this.state));
		if (shows || !this.shown) this.reporter.update(() => this.status());
		this.shown = true;
	}

	private status(): Status {
		const { version } = this.options;
		const router = this.reporter.routerId;
		return statusOf(this.state, { version, router, pid: this.platform.pid, ...this.table.saved });
	}

	/** See `Programs`. */
	isUp(peer: string): boolean {
		const record = this.state.peers.get(peer);
		return record !== undefined && isEstablished(record);
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
					this.control.reply(action.id, { ok: action.ok, text: action.text });
				return;
			case "replace_watch":
				this.monitor.replace(action.reason);
				return;
			case "read_bird":
				this.bird.read();
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
			onEnd: (reason, paused) => this.dispatch({ type: "watch_ended", reason, paused }),
			onForeign: ({ touch, actor }) => this.dispatch({ type: "table_touched", touch, actor }),
			onOwn: (pid) => {
				this.protection.confirm(pid);
				this.dispatch({ type: "own_transaction" });
			},
			onOthers: (change) => this.dispatch({ type: "ruleset_changed", ...change }),
			onPacket: (packet) => {
				if (isAboutPeers(this.state, packet)) this.dispatch({ type: "session_sign" });
				else this.strangerSent(packet);
			},
			onTraces: (traces) => this.rules.add(aboutPeers(this.state, traces), this.config.main.table),
			onGap: () => this.dispatch({ type: "watch_gap" }),
			onGarbage: (text) => this.log("warn", `nft monitor: cannot parse: ${text.slice(0, 80)}`),
		});
	}

	private strangerSent(packet: TracedPacket): void {
		const now = this.platform.now().monotonic;
		if (this.strangers.dials(packet, this.state.table.ports, now))
			this.dispatch({ type: "stranger_dialed", address: packet.source, interface: packet.iif });
		if (this.strangers.packet(now)) this.dispatch({ type: "syn_flood" });
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
}
