import { beforeEach, describe, expect, test, vi } from "vitest";
import { LAST_GOOD, startConfiguration } from "../src/config/read.ts";
import { Daemon } from "../src/daemon.ts";
import { FakePlatform } from "./fakes/platform.ts";

const PATH = "/etc/config/bgpwarden";
const RUN = "/var/run/bgpwarden";
const FIREWALL = "/etc/config/firewall";
const MINE = "config bgpwarden 'main'\n\toption table 'my_bgp'\n";
const TABLE = "/etc/bgpwarden/table.nft";
const USING = "using the last good configuration (/etc/bgpwarden/last-good)";

let platform: FakePlatform;
beforeEach(() => {
	platform = new FakePlatform();
	// What else would be a problem.
	platform.files.set("/proc/net/fib_trie", "  |-- 127.0.0.1\n     /32 host LOCAL\n");
	platform.files.set("/proc/net/route", "Iface\tDestination\n");
	platform.program("conntrack", (child) => child.end(0));
	platform.program("mkfifo", (child) => {
		platform.files.set(child.argv.at(-1) ?? "", "", "fifo");
		child.end(0);
	});
	vi.spyOn(platform, "exit").mockImplementation(() => undefined as never);
});

/** As `bgpwarden run` does it. */
async function start(): Promise<void> {
	platform.program("nft", (child) => child.argv.includes("monitor") || child.end(0));
	const { config, mistakes } = startConfiguration(platform.files, PATH);
	const options = { version: "0", configPath: PATH, runDirectory: RUN };
	new Daemon(platform, options, config).start(mistakes);
	await passes();
}

async function passes(): Promise<void> {
	await platform.settle();
	platform.advance(100);
	await platform.settle();
}

async function reload(): Promise<void> {
	platform.raise("SIGHUP");
	await passes();
}

const router = () => JSON.parse(platform.files.read(`${RUN}/status.json`)).router;

describe("a file that cannot be read", () => {
	test("is read as soon as it can be, by a daemon that nobody tells", async () => {
		platform.files.set(PATH, MINE);
		platform.files.fail(PATH, "Too many open files");
		await start();
		expect(router().problem).toBe(`${PATH}: Too many open files; using defaults`);
		const look = async () => {
			platform.advance(5000);
			await passes();
		};
		await look();
		platform.files.fail(PATH, undefined);
		// Somebody is writing it.
		platform.files.set(PATH, "config bgpwarden 'main'\n");
		await look();
		expect(router().problem).toBe(`${PATH}: Too many open files; using defaults`);
		platform.files.set(PATH, MINE);
		await look();
		await look();
		expect(router()).toMatchObject({ table: "my_bgp" });
		expect(router()).not.toHaveProperty("problem");
	});
});

describe("a copy that cannot be saved", () => {
	test("is a problem until it can be", async () => {
		platform.files.set(PATH, MINE);
		platform.files.fail(LAST_GOOD, "No space left on device");
		await start();
		expect(router().problem).toMatch(/^cannot save the last good configuration: .*No space left on device$/);
		platform.files.fail(LAST_GOOD, undefined);
		platform.advance(5000);
		await passes();
		expect(platform.files.read(LAST_GOOD)).toBe(MINE);
		expect(router()).not.toHaveProperty("problem");
	});
});

describe("a file that is emptied", () => {
	test("at a reload changes nothing and is a problem, until it is right again", async () => {
		platform.files.set(PATH, MINE);
		await start();
		expect(platform.files.read(LAST_GOOD)).toBe(MINE);
		platform.files.set(PATH, "");
		await reload();
		expect(router()).toMatchObject({ table: "my_bgp" });
		expect(router().problem).toMatch(/^\/etc\/config\/bgpwarden: empty \(/);
		expect(router().problem).toContain(USING);
		expect(platform.files.read(LAST_GOOD)).toBe(MINE);
		const next = `${MINE}\toption poll_interval '7'\n`;
		platform.files.set(PATH, next);
		await reload();
		expect(router()).not.toHaveProperty("problem");
		expect(platform.files.read(LAST_GOOD)).toBe(next);
	});

	test("before a start costs neither the table nor its copy for the next boot", async () => {
		platform.files.set(PATH, "");
		platform.files.set(LAST_GOOD, MINE);
		await start();
		expect(router().table).toBe("my_bgp");
		expect(router().problem).toContain(USING);
		expect(platform.files.read(TABLE)).toContain("table inet my_bgp");
	});

	test("without a last good one leaves the copy of the table that an earlier version has saved", async () => {
		platform.files.set(PATH, "");
		platform.files.set(TABLE, "table inet my_bgp\n");
		await start();
		expect(router()).toMatchObject({
			table: "custom_bgp",
			problem: expect.stringMatching(/; using defaults$/),
		});
		expect(platform.files.read(TABLE)).toBe("table inet my_bgp\n");
		expect(platform.files.status(LAST_GOOD)).toBeUndefined();
		platform.files.set(PATH, "config bgpwarden 'main'\n\toption table 'other'\n");
		await reload();
		expect(platform.files.read(TABLE)).toContain("table inet other");
	});
});

test("a configuration that switches the service off is kept when the daemon is told to end", async () => {
	platform.files.set(PATH, MINE);
	await start();
	const off = `${MINE}\toption enabled '0'\n`;
	platform.files.set(PATH, off);
	platform.raise("SIGTERM");
	await passes();
	expect(platform.files.read(LAST_GOOD)).toBe(off);
});

test("a flash without room is a problem of its own, and the next mistake says what is used", async () => {
	platform.files.set(PATH, MINE);
	platform.files.fail(LAST_GOOD, "No space left on device");
	await start();
	expect(router().problem).toMatch(/^cannot save the last good configuration: .*No space left on device$/);
	platform.files.set(PATH, "");
	await reload();
	expect(router().problem).toMatch(/; keeping the last good configuration, which could not be saved$/);
});

describe("a zone that fw4 does not have", () => {
	const zone = (name: string) => `config zone\n\toption name '${name}'\n`;
	const told =
		/^option zone 'lna' \(main\): \/etc\/config\/firewall has no such zone \(did you mean 'lan'\?\)/;

	beforeEach(() => {
		platform.files.set(FIREWALL, zone("lan"));
		platform.files.set(PATH, "config bgpwarden 'main'\n\toption zone 'lna'\n");
	});

	test("is told at the start, and no more after a reload without it", async () => {
		await start();
		expect(router().problem).toMatch(told);
		platform.files.set(PATH, "config bgpwarden 'main'\n\toption zone 'lan'\n");
		await reload();
		expect(router()).not.toHaveProperty("problem");
	});

	test("is looked for again when procd tells of another firewall configuration, and at fw4's own request", async () => {
		platform.files.setSocket("/var/run/ubus/ubus.sock");
		platform.program("ubus", (child) => child.argv.includes("call") && child.end(0));
		await start();
		expect(router().problem).toMatch(told);
		platform.files.set(FIREWALL, zone("lna"));
		const [bus] = platform.running("ubus").filter(({ argv }) => argv.includes("subscribe"));
		bus?.out('{ "config.change": {"config":"network"} }\n');
		await passes();
		expect(router().problem).toMatch(told);
		bus?.out('{ "config.change": {"config":"firewall"} }\n');
		await passes();
		expect(router()).not.toHaveProperty("problem");
		platform.files.set(FIREWALL, zone("lan"));
		platform.writeFifo(`${RUN}/control`, "ensure\n");
		await passes();
		expect(router().problem).toMatch(told);
	});

	test("is not guessed at where there is no fw4", async () => {
		platform.files.remove(FIREWALL);
		await start();
		expect(router()).not.toHaveProperty("problem");
	});
});
