import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Status } from "../../../src/model/status.ts";
import { configFile, uciConfig, Warden } from "../daemon.ts";
import { birdConfig, frrConfig, sessions } from "../guests/addresses.ts";
import type { Host } from "../host.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { OpenWrt, thisTree } from "../openwrt.ts";
import type { Process } from "../process.ts";
import {
	type Bird,
	FakeUbus,
	type Frr,
	fw4Table,
	type Mosquitto,
	startBird,
	startFrr,
	startMosquitto,
} from "../programs.ts";
import { until } from "../wait.ts";
import { protection } from "../world.ts";
import type { OldVersion } from "./old-version.ts";

/** How the package is replaced. */
export type Manager = "opkg" | "apk";

export interface UpgradeOptions {
	readonly manager: Manager;
	readonly protect: boolean;
	readonly routerId: string;
}

/** What a session is, as each end tells it, that only a new session changes. */
export interface SessionFacts {
	readonly state: string | undefined;
	/** Milliseconds of BIRD's clock. */
	readonly since: number;
	/** `Connections established N; dropped N` in FRR's words. */
	readonly counts: string | undefined;
}

/** A script of the package's Makefile, as the package has it. */
function maintainerScript(tree: string, name: string): string {
	const makefile = readFileSync(join(tree, "openwrt-package/bgpwarden/Makefile"), "utf8");
	const [, text] = new RegExp(`define Package/bgpwarden/${name}\n(.*?)endef`, "s").exec(makefile) ?? [];
	if (text === undefined) throw new Error(`${tree}: no script ${name}`);
	return text.replaceAll("$$", "$");
}

/** A router with 0.1.0 installed, four sessions that are up, and a broker. */
export class UpgradedRouter {
	private readonly host: Host;
	readonly warden: Warden;

	private constructor(
		private readonly lab: Lab,
		readonly openwrt: OpenWrt,
		readonly bird: Bird,
		private readonly frr: Frr,
		readonly broker: Mosquitto,
		private readonly options: UpgradeOptions,
	) {
		this.host = lab.router;
		this.warden = new Warden(this.host);
	}

	static async start(old: OldVersion, options: UpgradeOptions): Promise<UpgradedRouter> {
		const lab = await startLab();
		try {
			const { router: host, speaker } = lab;
			const addresses = (end: "router" | "speaker") => sessions.map((each) => `${each[end]}/${each.prefix}`);
			await host.configure(network.router.lanInterface, addresses("router"));
			await speaker.configure("eth0", addresses("speaker"));
			await FakeUbus.start(host);
			await host.nft(fw4Table);
			const broker = await startMosquitto(lab.broker);
			const openwrt = new OpenWrt(host);
			openwrt.install(old.tree, old.bundle);
			host.write("/etc/config/firewall", "config defaults\n\nconfig zone\n\toption name 'lan'\n");
			host.write("/usr/lib/opkg/info/bgpwarden.control", "");
			const main = { router_id: options.routerId, protect: options.protect, poll_interval: 2 };
			host.write(configFile, uciConfig({ main, mqtt: { commands: true } }), 0o600);
			await openwrt.service("start");
			const bird = await startBird(host, birdConfig({ passive: true }));
			const frr = await startFrr(speaker, { config: frrConfig({ passive: false }) });
			const router = new UpgradedRouter(lab, openwrt, bird, frr, broker, options);
			await router.untilWell(old.version);
			return router;
		} catch (error) {
			await lab.stop();
			throw error;
		}
	}

	stop(): Promise<void> {
		return this.lab.stop();
	}

	/** Waits until this version's daemon says that all is well, to the broker as well. */
	async untilWell(version: string): Promise<Status> {
		await this.openwrt.settled();
		const wanted = this.options.protect ? protection : "installed";
		const status = await until(`bgpwarden ${version} to be well`, () => this.warden.status(), {
			holds: (seen) =>
				seen !== undefined &&
				seen.router.version === version &&
				seen.router.pid === this.openwrt.daemon?.pid &&
				seen.router.protection === wanted &&
				seen.router.problem === undefined &&
				seen.mqtt?.connected === true &&
				seen.peers.length === sessions.length &&
				seen.peers.every(({ state, bfd }) => state === "Established" && bfd === "up"),
			timeout: 60_000,
		});
		if (!status) throw new Error("unreachable");
		const topic = `bgpwarden/${status.router.router}`;
		await until("all of it at the broker", () => this.broker.retained(), {
			holds: (kept) =>
				kept.get(`${topic}/availability`) === "online" &&
				kept.get(`${topic}/state`)?.includes(`"version":"${version}"`) === true &&
				sessions.every(({ name }) => kept.has(`${topic}/peer/${name}/state`)),
			timeout: 20_000,
		});
		return status;
	}

	/** Something for its history: a table that is taken away, where that can be done, and entries to delete. */
	async live(): Promise<void> {
		if (!this.options.protect || protection === "installed") {
			await this.host.nft("delete table inet custom_bgp");
			await until("a repair", () => this.warden.status()?.router.repairs === 1);
		}
		await this.bird.control("restart lan4");
		await until("a flap", () => this.warden.status()?.peers.find(({ name }) => name === "lan4")?.flaps, {
			holds: (flaps) => flaps === 1,
		});
		await until("the session again", async () => (await this.facts()).get("lan4")?.state, {
			holds: (state) => state === "Established",
			timeout: 60_000,
		});
	}

	async facts(): Promise<Map<string, SessionFacts>> {
		const lines = (await this.bird.control("show protocols"))
			.split("\n")
			.map((line) => line.trim().split(/\s+/));
		const found = new Map<string, SessionFacts>();
		for (const { name, router } of sessions) {
			const fields = lines.find(([first]) => first === name) ?? [];
			const neighbor = await this.frr.vtysh(`show bgp neighbors ${router}`);
			const counts = neighbor.match(/Connections established (\d+); dropped (\d+)/)?.[0];
			found.set(name, { state: fields[5], since: Date.parse(`1970-01-01T${fields[4]}Z`), counts });
		}
		return found;
	}

	/** Tells every change of the ruleset from now on, transaction by transaction. */
	async watchRuleset(): Promise<Process> {
		const monitor = this.host.start(["stdbuf", "-oL", "nft", "monitor"], { name: "nft monitor" });
		// What it shows says that it listens.
		await until("nft monitor to listen", async () => {
			await this.host.nft("add table inet heard\ndelete table inet heard\n");
			return monitor.lines.some((line) => line.includes("heard"));
		});
		return monitor;
	}

	/** As opkg and apk do it, in their order (package/system/opkg, apk's scripts; OpenWrt's /lib/functions.sh). */
	async upgrade(old: OldVersion): Promise<void> {
		const env = { PKG_UPGRADE: "1" };
		const script = async (tree: string, name: string) => {
			const { code, stderr } = await this.openwrt.shell([`(${maintainerScript(tree, name)})`], env);
			if (code !== 0 || stderr !== "") throw new Error(`${name}: exit ${code}: ${stderr}`);
		};
		if (this.options.manager === "opkg") {
			await script(old.tree, "prerm");
			await this.openwrt.service("stop", env);
			this.openwrt.install();
			await script(old.tree, "postrm");
			await script(thisTree, "postinst");
			await this.openwrt.service("start", env);
		} else {
			this.openwrt.install();
			await this.openwrt.service("start", env);
			await script(thisTree, "postinst");
		}
	}

	read(path: string): string | undefined {
		return this.host.read(path);
	}

	/** What the command line of the installed version prints. */
	async says(words: string): Promise<{ code: number; text: string }> {
		const { code, stdout, stderr } = await this.openwrt.shell([`/usr/sbin/bgpwarden ${words}`]);
		return { code, text: `${stdout}${stderr}` };
	}
}
