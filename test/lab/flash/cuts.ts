import {
	configFile,
	type Daemon,
	daemonFile,
	runDirectory,
	type UciOptions,
	uciConfig,
	Warden,
} from "../daemon.ts";
import type { Host } from "../host.ts";
import { type Lab, startLab } from "../lab.ts";
import { OpenWrt } from "../openwrt.ts";
import type { Process } from "../process.ts";
import { startMosquitto } from "../programs.ts";
import { until } from "../wait.ts";
import type { Outcome } from "./outcome.ts";
import { changes, snapshot } from "./watch.ts";
import { callsOf, faultsOf, type SystemCall } from "./write.ts";

const directory = "/etc/bgpwarden";
const names = ["last-good", "router_id", "table.nft"] as const;
type Name = (typeof names)[number];
type Files = Readonly<Partial<Record<Name, string>>>;

const path = (name: string) => `${directory}/${name}`;
const modes: Readonly<Record<Name, string>> = { "last-good": "600", router_id: "644", "table.nft": "644" };

/** Two configurations whose table is not the same. */
const config = (port: number): UciOptions => ({ peers: [{ name: "waukeen", port }] });

class Cuts {
	readonly warden: Warden;

	constructor(
		private readonly host: Host,
		private readonly outcome: Outcome,
	) {
		this.warden = new Warden(host);
		this.warden.install();
	}

	/** What is there, by name; `entries` are all the names. */
	private files(): Files {
		return Object.fromEntries(
			names.flatMap((name) => {
				const text = this.host.read(path(name));
				return text === undefined ? [] : [[name, text]];
			}),
		);
	}

	private async entries(): Promise<string[]> {
		const { stdout } = await this.host.run(["ls", "-A", directory], { allowFailure: true });
		return stdout.split("\n").filter((name) => name !== "");
	}

	private async modeOf(name: string): Promise<string> {
		const { stdout } = await this.host.run(["stat", "-c", "%a", path(name)], { allowFailure: true });
		return stdout.trim();
	}

	/** The directory as it was before; the daemon has not run since. */
	private async prepare(files: Files): Promise<void> {
		await this.host.run(["rm", "-rf", directory]);
		for (const [name, text] of Object.entries(files))
			this.host.write(path(name), text, name === "last-good" ? 0o600 : 0o644);
	}

	/** Starts the daemon and waits until these texts are there. */
	private async untilSaved(wanted: Files, daemon: Daemon | Process): Promise<void> {
		const must = "process" in daemon ? daemon.process : daemon;
		await until(
			`what is to be saved:\n${must.tail()}`,
			() => {
				must.mustRun();
				return this.files();
			},
			{ holds: (files) => names.every((name) => files[name] === wanted[name]), timeout: 20_000 },
		);
	}

	/** A run from an empty directory to the end. @returns what it has saved */
	async complete(configured: UciOptions): Promise<Files> {
		await this.prepare({});
		this.warden.configure(configured);
		const daemon = this.warden.start();
		const wanted = { "last-good": uciConfig(configured) };
		await until("the saved files", () => this.files(), {
			holds: (files) =>
				files["last-good"] === wanted["last-good"] && names.every((name) => files[name] !== undefined),
			timeout: 20_000,
		});
		await daemon.stop();
		return this.files();
	}

	/** The daemon under strace, which shows what touches these paths. */
	private traced(paths: readonly string[], more: readonly string[] = []): Process {
		const strace = ["strace", "-y", "-s", "16", ...more, ...paths.flatMap((each) => ["-P", each]), "--"];
		const daemon = [
			"qjs",
			"--strip-source",
			"-m",
			daemonFile,
			"run",
			"--config",
			configFile,
			"--run-dir",
			runDirectory,
		];
		return this.host.start([...strace, ...daemon], { name: "bgpwarden under strace" });
	}

	/** strace hands a signal on to nobody: its child is the daemon. */
	private async end(strace: Process): Promise<void> {
		const { stdout } = await this.host.run(["pgrep", "-P", String(strace.pid)]);
		this.host.signal(Number(stdout), "SIGTERM");
		await strace.ended;
	}

	/** @returns the system calls of the write of one file, in their order */
	private async callsOf(name: Name, before: Files, wanted: Files): Promise<SystemCall[]> {
		await this.prepare(before);
		const strace = this.traced([path(`${name}.new`)]);
		await this.untilSaved(wanted, strace);
		await this.end(strace);
		return callsOf(strace.lines);
	}

	/**
	 * Plays one write of a file, from the text before to the wanted one, whole and cut at each of its calls.
	 * @param before what was there; a name that is missing did not exist
	 */
	async play(what: string, name: Name, before: Files, configured: UciOptions, wanted: Files): Promise<void> {
		this.warden.configure(configured);
		const calls = await this.callsOf(name, before, wanted);
		const label = `${path(name)}, ${what}`;
		this.outcome.check(`${label}: ${calls.map(({ call }) => call).join(", ") || "nothing"}`, faultsOf(calls));
		for (const { call, count } of calls) {
			await this.prepare(before);
			const strace = this.traced([path(`${name}.new`)], ["-e", `inject=${call}:signal=KILL:when=${count}`]);
			await strace.ended;
			const wrong = await this.afterCut(name, before, wanted, strace);
			const daemon = this.warden.start();
			await this.untilSaved(wanted, daemon);
			await daemon.stop();
			wrong.push(...(await this.afterStart(wanted)));
			this.outcome.check(`${label}: killed at ${call} ${count}`, wrong);
		}
	}

	private async afterCut(name: Name, before: Files, wanted: Files, strace: Process): Promise<string[]> {
		const wrong: string[] = [];
		if (!strace.lines.some((line) => line.includes("killed by SIGKILL")))
			wrong.push(`it was not killed: ${strace.tail(5)}`);
		const text = this.files()[name];
		if (text !== before[name] && text !== wanted[name]) wrong.push(`${name} is neither old nor new: ${text}`);
		// What has been begun beside it is as secret as the whole.
		for (const each of [name, `${name}.new`]) {
			const mode = await this.modeOf(each);
			if (mode !== "" && mode !== modes[name]) wrong.push(`${each} has mode ${mode}`);
		}
		return wrong;
	}

	private async afterStart(wanted: Files): Promise<string[]> {
		const wrong: string[] = [];
		const entries = await this.entries();
		if (entries.join() !== names.join()) wrong.push(`after the next start there are: ${entries.join(", ")}`);
		for (const name of names) {
			if (this.files()[name] !== wanted[name])
				wrong.push(`after the next start ${name} is not the wanted one`);
			const mode = await this.modeOf(name);
			if (mode !== modes[name]) wrong.push(`after the next start ${name} has mode ${mode}`);
		}
		return wrong;
	}

	/** What a power cut has left beside a file, where the next boot has nothing to write. */
	async leftover(name: Name, saved: Files, configured: UciOptions): Promise<void> {
		this.warden.configure(configured);
		await this.prepare(saved);
		this.host.write(path(`${name}.new`), "half of a te", 0o600);
		const openwrt = new OpenWrt(this.host);
		openwrt.install();
		await openwrt.service("boot");
		await until("the daemon", () => this.warden.status(), {
			holds: (status) => status?.router.pid === openwrt.daemon?.pid && status?.mqtt?.connected === true,
			timeout: 20_000,
		});
		await openwrt.service("stop");
		await openwrt.settled();
		this.outcome.check(
			`${path(name)}.new, left by a power cut: gone after a boot that has nothing to write`,
			await this.afterStart(saved),
		);
	}

	/** A name beside the file that leads elsewhere. */
	async symbolicLink(name: Name, before: Files, configured: UciOptions, wanted: Files): Promise<void> {
		this.warden.configure(configured);
		await this.prepare(before);
		this.host.write("/etc/victim", "untouched\n", 0o600);
		await this.host.run(["mkdir", "-p", directory]);
		await this.host.run(["ln", "-s", "/etc/victim", path(`${name}.new`)]);
		const daemon = this.warden.start();
		await this.untilSaved(wanted, daemon);
		await daemon.stop();
		const wrong = await this.afterStart(wanted);
		if (this.host.read("/etc/victim") !== "untouched\n") wrong.push("what it leads to was written");
		const { stdout } = await this.host.run(["stat", "-c", "%F", path(name)]);
		if (stdout !== "regular file\n") wrong.push(`${name} is now a ${stdout.trim()}`);
		this.outcome.check(`${path(name)}.new is a symbolic link: it is not followed`, wrong);
	}

	/** The first start of all: the directory is made, and killed at that. */
	async firstStart(configured: UciOptions, wanted: Files): Promise<void> {
		this.warden.configure(configured);
		await this.prepare({});
		const strace = this.traced([directory], ["-e", "inject=mkdir,mkdirat:signal=KILL:when=1"]);
		await strace.ended;
		const { code } = await this.host.run(["test", "-e", directory], { allowFailure: true });
		const daemon = this.warden.start();
		await this.untilSaved(wanted, daemon);
		await daemon.stop();
		const wrong = await this.afterStart(wanted);
		if (code === 0) wrong.push(`it was not killed in time: ${strace.tail(5)}`);
		this.outcome.check(`${directory}: killed at mkdir`, wrong);
	}

	/** Nothing else below /etc is written by a start that writes all that there is to write. */
	async whole(configured: UciOptions, wanted: Files): Promise<void> {
		this.warden.configure(configured);
		await this.prepare({});
		const before = await snapshot(this.host, "/etc");
		const daemon = this.warden.start();
		await this.untilSaved(wanted, daemon);
		await daemon.untilStatus("the broker", ({ mqtt }) => mqtt?.connected === true);
		await daemon.stop();
		const written = changes(before, await snapshot(this.host, "/etc")).map((line) => line.split(": ")[0]);
		const expected = ["/etc", directory, ...names.map(path)];
		this.outcome.check(
			"a first start writes these files and no others",
			written.filter((each) => !expected.includes(each ?? "")).map((each) => `${each}`),
		);
	}
}

/** Every file that the daemon writes below /etc: written anew, and in the place of another text, cut at each system call. */
export async function playCuts(outcome: Outcome): Promise<void> {
	const lab: Lab = await startLab();
	try {
		await startMosquitto(lab.broker);
		const cuts = new Cuts(lab.router, outcome);
		const [oldConfig, newConfig] = [config(179), config(1790)];
		const old = await cuts.complete(oldConfig);
		const saved = await cuts.complete(newConfig);
		if (old["table.nft"] === saved["table.nft"])
			throw new Error("both configurations have one and the same table");
		await cuts.whole(newConfig, saved);
		await cuts.firstStart(newConfig, saved);
		for (const name of names) {
			await cuts.play("for the first time", name, {}, newConfig, saved);
			// The id is written once in a router's life.
			if (name !== "router_id") await cuts.play("in the place of another text", name, old, newConfig, saved);
			await cuts.symbolicLink(name, {}, newConfig, saved);
			await cuts.leftover(name, saved, newConfig);
		}
	} finally {
		await lab.stop();
	}
}
