import { beforeEach, describe, expect, test } from "vitest";
import { defaultConfig } from "../src/config/load.ts";
import { startConfiguration } from "../src/config/read.ts";
import { Daemon } from "../src/daemon.ts";
import { FakePlatform } from "./fakes/platform.ts";

test("a daemon that is only made has read, written, started and printed nothing", () => {
	const platform = new FakePlatform();
	const touched: string[] = [];
	const files = new Proxy(platform.files, {
		get(target, name) {
			const value = Reflect.get(target, name);
			if (typeof value !== "function") return value;
			touched.push(String(name));
			return value.bind(target);
		},
	});
	const watched = new Proxy(platform, {
		get: (target, name) => (name === "files" ? files : Reflect.get(target, name, target)),
	});
	const options = { version: "0", configPath: "/etc/config/bgpwarden", runDirectory: "/var/run/bgpwarden" };
	const daemon = new Daemon(watched, options, defaultConfig());
	expect(touched).toEqual([]);
	expect(platform.children).toEqual([]);
	expect(platform.pendingTimers).toBe(0);
	expect(platform.printed).toEqual({ stdout: "", stderr: "" });

	// And that this would have been seen:
	daemon.start();
	expect(touched.length).toBeGreaterThan(0);
	expect(platform.children.length).toBeGreaterThan(0);
	expect(platform.printed.stdout).toContain("bgpwarden 0 is starting");
});

describe("a life without trouble", () => {
	const CONFIG = "/etc/config/bgpwarden";
	let platform: FakePlatform;

	/** nft, conntrack and mkfifo that work; the monitor shows each transaction. */
	beforeEach(() => {
		platform = new FakePlatform();
		let table: string | undefined;
		platform.files.set(
			CONFIG,
			"config bgpwarden main\n\toption protect 0\n\nconfig mqtt mqtt\n\toption enabled 0\n",
		);
		platform.program("mkfifo", (child) => {
			platform.files.set(child.argv.at(-1) ?? "", "", "fifo");
			child.end(0);
		});
		platform.files.set("/proc/net/fib_trie", "  |-- 127.0.0.1\n     /32 host LOCAL\n");
		platform.files.set("/proc/net/route", "Iface\tDestination\n");
		platform.program("conntrack", (child) => child.end(0));
		platform.program("nft", (child) => {
			if (child.argv[1] === "monitor") return;
			if (child.argv.includes("list")) {
				if (table !== undefined) child.out(table);
				else child.err("Error: No such file or directory\n");
				return child.end(table === undefined ? 1 : 0);
			}
			child.onStdinEnd(() => {
				table = child.written.slice(child.written.indexOf("table inet custom_bgp {"));
				for (const monitor of platform.running("nft").filter(({ argv }) => argv[1] === "monitor"))
					monitor.out(`add table inet custom_bgp\n# new generation 2 by process ${child.pid} (nft)\n`);
				child.end(0);
			});
		});
		const daemon = new Daemon(
			platform,
			{ version: "0", configPath: CONFIG, runDirectory: "/var/run/bgpwarden" },
			{ ...startConfiguration(platform.files, CONFIG).config },
		);
		daemon.start();
	});

	const live = async (seconds: number) => {
		for (let second = 0; second < seconds; second++) {
			platform.advance(1000);
			await platform.settle();
		}
	};
	const ask = (line: string) => platform.writeFifo("/var/run/bgpwarden/control", `${line}\n`);
	const lines = () => platform.printed.stdout.trimEnd().split("\n");

	test("is information from the first line to the last: procd logs nothing of it as an error", async () => {
		await live(60);
		ask("ensure");
		await live(5);
		ask("release #1");
		await live(5);
		ask("ensure #2");
		await live(5);
		platform.raise("SIGHUP");
		await live(5);
		platform.files.remove("/etc/bgpwarden/table.nft");
		ask("ensure");
		await live(5);
		platform.raise("SIGTERM");
		let exited: number | undefined;
		platform.exit = (code) => {
			exited = code;
			return undefined as never;
		};
		await live(5);
		expect(exited).toBe(0);
		expect(platform.printed.stderr).toBe("");
		expect(lines()[0]).toContain("is starting");
		expect(lines().at(-1)).toContain("is stopping");
		const said = [
			"installed",
			"released on request",
			"resolved:",
			"configuration reloaded",
			"was missing; written again",
		];
		for (const words of said) expect(platform.printed.stdout).toContain(words);
	});

	test("starts no process and writes no file at rest", async () => {
		await live(60);
		const saved = platform.files.status("/etc/bgpwarden/table.nft");
		const children = platform.children.length;
		await live(600);
		expect(platform.children.length).toBe(children);
		expect(platform.files.status("/etc/bgpwarden/table.nft")).toEqual(saved);
	});
});
