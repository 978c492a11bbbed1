import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseUci } from "../../src/lib/uci.ts";
import { type Json, PROCD_FUNCTIONS, procdMessages } from "../package/procd.ts";
import { uciFunctions } from "../package/router.ts";
import { configFile, daemonFile } from "./daemon.ts";
import type { Host } from "./host.ts";
import { bundle } from "./paths.ts";
import type { Process, RunResult, StartOptions } from "./process.ts";

const initScript = "/etc/init.d/bgpwarden";
const functions = "/lib/functions.sh";
const pidFile = "/var/run/bgpwarden.pid";
const lastGood = "/etc/bgpwarden/last-good";
/** This repository. */
export const thisTree = fileURLToPath(new URL("../../", import.meta.url));

/** OpenWrt's rc.common as far as the init script sees it: the action is known before the script is read. */
const rcCommon = `#!/bin/sh
initscript=$1
action=$2
shift 2
exec 3>&1
. ${functions}
${PROCD_FUNCTIONS}
boot() { start "$@"; }
. "$initscript"
case $action in
status) status_service "$@" ;;
reload) reload_service "$@" ;;
*) "$action" "$@" ;;
esac
`;

/** The text of a file, if uci can read it. */
function readable(text: string | undefined): string | undefined {
	return text !== undefined && "sections" in parseUci(text) ? text : undefined;
}

/** What procd is told of the daemon. */
interface Instance {
	readonly command: readonly string[];
	readonly file: readonly string[];
	readonly limits?: Readonly<Record<string, string>>;
	readonly term_timeout: number;
}

/**
 * The package as it is on a router, and procd: rc.common's part of the init script runs in a real shell, and what it
 * tells procd is done here (service/instance.c): a service that is deleted gets SIGTERM and is not waited for; one that
 * is declared again meanwhile starts as soon as the old one has ended; one whose program has changed is restarted.
 */
export class OpenWrt {
	private running:
		| { readonly process: Process; readonly declared: string; readonly over: Promise<void>; ending: boolean }
		| undefined;
	private wanted: Instance | undefined;
	private late: Error | undefined;
	/** Every process that procd has started, the newest last. */
	readonly processes: Process[] = [];

	constructor(
		private readonly host: Host,
		private readonly onLine?: StartOptions["onLine"],
	) {
		host.write("/etc/rc.common", rcCommon, 0o755);
		// Where no option is set, uci says so by its exit code alone.
		host.write("/usr/local/bin/uci", "#!/bin/sh\nexit 1\n", 0o755);
		host.write("/usr/local/bin/logger", "#!/bin/sh\n", 0o755);
	}

	/** Puts the package's files in place, but for a configuration that is there. @param tree a source tree */
	install(tree: string = thisTree, program: string = bundle): void {
		const files = join(tree, "openwrt-package/bgpwarden/files");
		for (const entry of readdirSync(files, { recursive: true, withFileTypes: true })) {
			if (!entry.isFile()) continue;
			const from = join(entry.parentPath, entry.name);
			const to = `/${relative(files, from)}`;
			if (to === configFile && this.host.read(configFile) !== undefined) continue;
			const text = readFileSync(from, "utf8");
			this.host.write(to, text, text.startsWith("#!") ? 0o755 : 0o644);
		}
		this.host.write(initScript, readFileSync(join(tree, "init.d/bgpwarden"), "utf8"), 0o755);
		this.host.write(daemonFile, readFileSync(program, "utf8"));
	}

	/** The daemon that runs, as procd knows it. */
	get daemon(): Process | undefined {
		return this.running?.process;
	}

	/** Runs an action of the init script as `service bgpwarden ACTION` does, and does what procd is told by it. */
	async service(action: string, env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
		const result = await this.shell([`exec sh /etc/rc.common ${initScript} ${action}`], {
			RUNNING: this.running ? "1" : "0",
			...env,
		});
		if (result.code !== 0) throw new Error(`${initScript} ${action}: ${result.stdout}${result.stderr}`);
		for (const message of procdMessages(result.stdout)) this.told(message);
		return result;
	}

	/** Runs lines of shell with OpenWrt's functions within reach, as hooks are run. */
	shell(lines: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
		// What uci would read from these files, as they are now.
		this.host.write(functions, uciFunctions(readable(this.host.read(configFile)), this.host.read(lastGood)));
		const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
		const script = lines.join("\n");
		return this.host.run(["env", ...settings, "busybox", "ash", "-c", script], { allowFailure: true });
	}

	/** Waits until no daemon is ending: the one that is declared runs, if there is one. */
	async settled(): Promise<void> {
		while (this.running?.ending) await this.running.over;
		if (this.late) throw this.late;
	}

	private told(message: Json): void {
		if (Array.isArray(message)) {
			if (message[0] === "signal") this.daemon?.kill("SIGHUP");
			else this.stop();
			return;
		}
		const { instances } = message as unknown as { instances: { instance1?: Instance } };
		if (instances.instance1) this.declare(instances.instance1);
		else this.stop();
	}

	private declare(instance: Instance): void {
		this.wanted = instance;
		if (!this.running) this.start(instance);
		else if (this.running.declared !== this.declaration(instance)) this.terminate(instance);
	}

	private stop(): void {
		const { wanted } = this;
		this.wanted = undefined;
		if (wanted) this.terminate(wanted);
	}

	private terminate({ term_timeout }: Instance): void {
		if (!this.running) return;
		this.running.ending = true;
		// One that does not end in time is killed, as procd does it, and that is a failure of its own.
		this.running.process.end("SIGTERM", term_timeout * 1000).catch((error: Error) => {
			this.late = error;
		});
	}

	private start(instance: Instance): void {
		const [program = "", ...args] = instance.command;
		const limits = Object.entries(instance.limits ?? {}).map(
			([name, value]) => `--${name}=${value.trim().replaceAll(/\s+/g, ":")}`,
		);
		// A limit of procd's is the soft one alone, unless both are given.
		const argv = limits.length > 0 ? ["prlimit", ...limits, program, ...args] : instance.command;
		const process = this.host.start(argv, {
			name: "bgpwarden",
			...(this.onLine ? { onLine: this.onLine } : {}),
		});
		this.host.write(pidFile, `${process.pid}\n`);
		this.processes.push(process);
		const over = process.ended.then(() => {
			const wasEnding = this.running?.ending;
			this.running = undefined;
			// One that ends by itself stays away: what does so in the lab is to be seen.
			if (wasEnding && this.wanted) this.start(this.wanted);
		});
		this.running = { process, declared: this.declaration(instance), over, ending: false };
	}

	/** What makes two declarations of an instance one and the same: procd compares the files' contents as well. */
	private declaration(instance: Instance): string {
		return JSON.stringify([instance, ...instance.file.map((path) => this.host.read(path))]);
	}
}
