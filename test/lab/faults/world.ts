import { readFileSync } from "node:fs";
import { configFile, type Daemon, runDirectory, type UciOptions, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import type { Process } from "../process.ts";
import { type Bird, FakeUbus, type Mosquitto, startBird, startMosquitto } from "../programs.ts";
import { until } from "../wait.ts";
import { birdVersions } from "../world.ts";
import type { Cell, Mode } from "./cell.ts";
import { mangle, mangleProgram, wayFile } from "./mangle.ts";
import {
	GARBAGE,
	INSTALLED,
	type Program,
	quietBroker,
	REAL,
	RELAY_PORT,
	routerConfig,
	speakerConfig,
} from "./parts.ts";

/** A router with its neighbors, on which one fault after the other is played. */
export class World {
	warden: Warden;
	mode: Mode = "installed";
	/** A broker's identity, and its clients. */
	broker!: Mosquitto;
	bird!: Bird;
	speaker!: Bird;
	bus: FakeUbus | undefined;
	/** Lines that the daemon has logged. */
	lines = 0;
	/** Routes that the speaker announces. */
	routes = 1;
	requests = 0;
	/** When the daemon was started, in milliseconds since 1970. */
	startedAt = 0;
	private ending = false;
	private current: Daemon | undefined;
	private way: Cell["way"];
	private relay: Process | undefined;
	private mounts = "";

	private constructor(readonly lab: Lab) {
		this.warden = new Warden(lab.router);
	}

	get router() {
		return this.lab.router;
	}

	get daemon(): Daemon {
		if (!this.current) throw new Error("no daemon was started");
		return this.current;
	}

	static async start(): Promise<World> {
		const world = new World(await startLab());
		try {
			await world.build();
			return world;
		} catch (error) {
			await world.stop();
			throw error;
		}
	}

	private async build(): Promise<void> {
		const { router, lab, warden } = this;
		const programs = ["nft", "conntrack", "ip", "birdcl", "openssl", "qjs"].map((name) => INSTALLED[name]);
		await this.shell(
			`mkdir -p /opt/lab; cp -L ${programs.join(" ")} /usr/bin/busybox /opt/lab/; ` +
				"ln -sf busybox /opt/lab/nc",
		);
		// The same bytes each time: what they cost differs.
		const bytes = "import random, sys; random.seed(1); sys.stdout.buffer.write(random.randbytes(300000))";
		await this.shell(`python3 -c '${bytes}' >${GARBAGE}`);
		for (const host of [router, lab.broker]) host.write(mangle, mangleProgram, 0o755);
		warden.install();
		this.bird = await this.startBird();
		this.speaker = await startBird(lab.speaker, speakerConfig);
		this.broker = await startMosquitto(lab.broker, quietBroker);
		this.mounts = await this.mounted();
	}

	startBird(): Promise<Bird> {
		return startBird(this.router, routerConfig, birdVersions[0] ?? 2);
	}

	/** Starts the broker of the cell's way anew; it has forgotten everything. */
	async startBroker(): Promise<void> {
		this.broker = await startMosquitto(
			this.lab.broker,
			this.way === "tls" ? { ...quietBroker, tls: true } : quietBroker,
		);
	}

	/** Runs a script on the router. */
	shell(script: string) {
		return this.router.run(["sh", "-c", script]);
	}

	/** What the daemon is configured with in this cell. */
	get config(): UciOptions {
		const mqtt = {
			tls: { tls: true, port: 8883, ca_file: "/etc/lab.crt" },
			relay: { port: RELAY_PORT },
			plain: {},
		}[this.way ?? "plain"];
		return { main: { poll_interval: 1, protect: this.mode === "owned" }, mqtt };
	}

	/** Makes ready for a cell: its mode, its way to the broker, its bus. */
	async ready({ way, bus }: Cell, mode: Mode): Promise<void> {
		this.mode = mode;
		if (way !== this.way) {
			const tls = (kind: Cell["way"]) => kind === "tls";
			if (tls(way) !== tls(this.way)) await this.broker.stop();
			const anew = tls(way) !== tls(this.way);
			this.way = way;
			if (anew) await this.startBroker();
			if (way === "tls") this.router.write("/etc/lab.crt", this.broker.caCertificate ?? "");
			if (way === "relay" && !this.relay) {
				const argv = [mangle, wayFile, "listen", `0.0.0.0:${RELAY_PORT}`, "connect", "127.0.0.1:1883"];
				this.relay = this.lab.broker.start(argv, { name: "relay" });
				await this.relay.says(/^listening$/);
			}
		}
		if (bus) {
			this.bus = await FakeUbus.start(this.router);
			await this.shell(`cp ${INSTALLED.ubus} ${REAL.ubus}`);
		}
		this.warden.configure(this.config);
	}

	/** Starts the daemon again, as procd does, unless it was told to end. */
	respawn(): void {
		if (!this.daemon.process.running && !this.ending) this.startDaemon();
	}

	/** Tells the daemon to end. */
	terminate(): void {
		this.ending = true;
		this.daemon.process.kill("SIGTERM");
	}

	startDaemon(): Daemon {
		this.ending = false;
		this.lines = 0;
		this.startedAt = Date.now();
		this.current = this.warden.start({
			onLine: () => {
				this.lines++;
			},
		});
		return this.current;
	}

	/** Processes that the daemon has started, and their command lines. */
	children(): { readonly pid: number; readonly command: string }[] {
		const { pid } = this.daemon.process;
		const read = (path: string) => {
			try {
				return readFileSync(path, "latin1");
			} catch {
				return ""; // it has ended
			}
		};
		const pids = read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
		return pids.map((child) => ({
			pid: child,
			command: read(`/proc/${child}/cmdline`).replaceAll("\0", " ").trim(),
		}));
	}

	/** The daemon's children with such a command line. */
	child(command: RegExp): number[] {
		return this.children().flatMap((child) => (command.test(child.command) ? [child.pid] : []));
	}

	/** Sends a signal to those children, as soon as there are some. */
	async signal(command: RegExp, signal: NodeJS.Signals): Promise<void> {
		await until(`a child ${command}`, () => this.router.signalEach(this.child(command), signal), {
			holds: ({ length }) => length > 0,
			every: 10,
		});
	}

	/** What was stopped on the router goes on. */
	continueAll(): void {
		const isStopped = (pid: number) => /^State:\s+T/m.test(this.router.read(`/proc/${pid}/status`) ?? "");
		this.router.signalEach(this.router.processes().filter(isStopped), "SIGCONT");
	}

	/**
	 * Puts a shell script in front of a program. `$real` in it is the program itself; each start is counted.
	 * @param when a pattern of the first argument, for those starts only
	 */
	async fake(program: Program, script: string, when = "*"): Promise<void> {
		await this.unfake(program);
		const real = REAL[program];
		const text =
			`#!/bin/sh\ncase "$1" in ${when}) ;; *) exec ${real} "$@" ;; esac\n` +
			`echo >>/tmp/tried-${program}\n${script.replaceAll("$real", real)}\n`;
		this.router.write(`/usr/local/sbin/${program}`, text, 0o755);
	}

	async unfake(program: Program): Promise<void> {
		await this.shell(`rm -f /usr/local/sbin/${program} /tmp/tried-${program}`);
	}

	/** Waits until the program in front of the real one was started so often. */
	async tried(program: Program, times = 1): Promise<void> {
		await until(
			`${program} to be tried ${times} times`,
			() => this.router.read(`/tmp/tried-${program}`)?.length ?? 0,
			{ holds: (count) => count >= times, every: 20 },
		);
	}

	/** Takes programs away, or brings them back. */
	async uninstall(...programs: string[]): Promise<void> {
		const away = programs.map((name) => `mv ${INSTALLED[name]} ${INSTALLED[name]}.away`);
		const links = programs.map((name) => `rm -f /usr/local/sbin/${name}`);
		await this.shell([...links, ...away].join(" && "));
	}

	async reinstall(...programs: string[]): Promise<void> {
		const path = (name: string) => INSTALLED[name];
		await this.shell(
			programs.map((name) => `[ ! -e ${path(name)}.away ] || mv ${path(name)}.away ${path(name)}`).join("; "),
		);
	}

	/** How the relays spoil answers from now on; undefined: not at all. */
	async spoil(way: string | undefined): Promise<void> {
		const script = way === undefined ? `rm -f ${wayFile}` : `echo '${way}' >${wayFile}`;
		await Promise.all([this.shell(script), this.lab.broker.run(["sh", "-c", script])]);
	}

	private async mounted(): Promise<string> {
		return (await this.shell("cut -d ' ' -f 2 /proc/mounts")).stdout;
	}

	/** Ends the daemon and whatever a cell has left. @throws Error when the world is not as it was */
	async reset(): Promise<void> {
		const { router } = this;
		this.continueAll();
		for (const pid of router.processes()) if (pid !== this.bird.process.pid) process.kill(pid, "SIGKILL");
		await until("no other process on the router", () => router.processes().length <= 1);
		this.bus = undefined;
		this.current = undefined;
		await this.spoil(undefined);
		const leftovers = ["/usr/local/sbin/*", "/tmp/*", runDirectory, "/etc/bgpwarden", configFile];
		await this.shell(`rm -rf ${leftovers.join(" ")} /run/ubus ${INSTALLED.ubus}; rm -rf /run/fake-ubus`);
		await router.run([REAL.nft, "delete", "table", "inet", "custom_bgp"], { allowFailure: true });
		await router.run([REAL.conntrack, "-F"], { allowFailure: true });
		const mounts = await this.mounted();
		if (mounts !== this.mounts) throw new Error(`mounts are left:\n${mounts}`);
	}

	async stop(): Promise<void> {
		await this.lab.stop();
	}
}
