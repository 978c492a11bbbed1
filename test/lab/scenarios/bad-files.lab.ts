import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configFile, type Daemon, repairing, runDirectory, startDaemon, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { birdDirect, startBird } from "../programs.ts";
import { untilWatched } from "../session.ts";
import { pause, until } from "../wait.ts";

/** Files that cannot be read or written. */
let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

const alone = { mqtt: { enabled: false }, main: { table: "mine", ...repairing } };
const shell = (script: string) => lab.router.run(["sh", "-c", script]);
const hasTable = async (name: string) =>
	(await lab.router.run(["nft", "list", "table", "inet", name], { allowFailure: true })).code === 0;

/** Takes the table away and waits until it is back, without the help of files. */
async function wipe(name: string, daemon: Daemon): Promise<void> {
	await lab.router.nft(`delete table inet ${name}`);
	await until("the table", () => hasTable(name));
	daemon.process.mustRun();
}

/** A few lines, little memory. */
function bounded(daemon: Daemon): void {
	expect(daemon.process.lines.length, daemon.process.tail(40)).toBeLessThanOrEqual(25);
	const status = lab.router.read(`/proc/${daemon.process.pid}/status`) ?? "";
	expect(Number(status.match(/VmRSS:\s+(\d+) kB/)?.[1])).toBeLessThan(12 * 1024);
}

const strange = [
	{ what: "a directory", make: `mkdir ${configFile}`, told: /directory/i },
	{ what: "binary", make: `head -c 20000 /dev/urandom > ${configFile}`, told: /:\d+: not a text file/ },
	{
		what: "5 MB long",
		make: `head -c 5000000 /dev/zero | tr '\\0' '#' > ${configFile}`,
		told: /larger than 1048576/,
	},
	{ what: "gone", make: "true", told: /No such file/ },
];

describe("a configuration file that is none", () => {
	test.each(strange)("is $what at a reload: the last good one stays, one problem is told", async (given) => {
		const { warden, daemon } = startDaemon(lab.router, alone);
		await daemon.untilStatus("the table", ({ router }) => router.protection !== "missing");
		await shell(`rm ${configFile}; ${given.make}`);
		daemon.reload();
		const { router } = await daemon.untilStatus("a problem", (status) => status.router.problem !== undefined);
		expect(router.problem).toMatch(
			/^\/etc\/config\/bgpwarden:.*; using the last good configuration \(\/etc\/bgpwarden\/last-good\)$/,
		);
		expect(router.problem).toMatch(given.told);
		expect(router.table).toBe("mine");
		await wipe("mine", daemon);
		expect((await warden.cli(["check"])).stderr).toMatch(given.told);

		await shell(`rm -rf ${configFile}`);
		warden.configure(alone);
		daemon.reload();
		await daemon.untilStatus("no problem", (status) => status.router.problem === undefined);
		bounded(daemon);
	});

	test.each(strange)("is $what at the start: the router is protected by the defaults", async (given) => {
		const warden = new Warden(lab.router);
		warden.install();
		await shell(`mkdir -p /etc/config; ${given.make}`);
		const daemon = warden.start();
		const { router } = await daemon.untilStatus(
			"the table and a problem",
			(status) => status.router.protection !== "missing" && status.router.problem !== undefined,
		);
		expect(router.problem).toMatch(given.told);
		expect(router.table).toBe("custom_bgp");

		await shell(`rm -rf ${configFile}`);
		warden.configure(alone);
		daemon.reload();
		await daemon.untilStatus(
			"the configured table and no problem",
			(status) => status.router.table === "mine" && status.router.problem === undefined,
		);
		await until("the default one gone", async () => !(await hasTable("custom_bgp")));
		expect(await hasTable("mine")).toBe(true);
		bounded(daemon);
	});
});

describe("a run directory that cannot be written", () => {
	const mount = (options: string) =>
		shell(`mkdir -p ${runDirectory}; mount -t tmpfs -o ${options} tmpfs ${runDirectory}`);

	test("full: the daemon goes on, and tells all again once there is room", async () => {
		await mount("size=32k");
		const { warden, daemon } = startDaemon(lab.router, alone);
		await daemon.untilStatus("the table", ({ router }) => router.protection !== "missing");
		await untilWatched(lab.router);
		await shell(`cat /dev/zero > ${runDirectory}/filler 2>/dev/null || true`);
		await wipe("mine", daemon);
		const told = /^error: cannot write the state: .*No space left on device$/;
		await daemon.process.says(told);
		const restored = () => daemon.process.lines.filter((line) => line.includes("restored after")).length;
		// Each is mended before the next: two losses at once are one repair.
		await until("the first repair", () => restored() === 1);
		for (let round = 2; round <= 5; round++) {
			await wipe("mine", daemon);
			await until(`repair ${round}`, () => restored() === round);
		}
		expect(warden.status()?.router.pid).toBe(daemon.process.pid);
		// There is no room for an answer either.
		expect(await warden.cli(["ensure"])).toMatchObject({ code: 1, stdout: "" });
		await daemon.process.says(/^warn: cannot reply to a request: write: .*No space left on device$/);
		expect(daemon.process.lines.filter((line) => told.test(line)).length).toBeLessThanOrEqual(2);

		await shell(`rm ${runDirectory}/filler`);
		await daemon.untilStatus(
			"every repair and no problem",
			({ router }) => router.repairs === 5 && router.problem === undefined,
			{ timeout: 15_000 },
		);
		expect((await warden.cli(["ensure"])).code).toBe(0);
		await wipe("mine", daemon);
		await daemon.untilStatus("one more repair", ({ router }) => router.repairs === 6);
		expect((await warden.cli(["events"])).stdout.trimEnd().split("\n").at(-1)).toMatch(/restored/);
	});

	test("no descriptors are left: the daemon goes on, and the table comes back by those that are kept for it", async () => {
		const { daemon } = startDaemon(lab.router, alone);
		await daemon.untilStatus("the table", ({ router }) => router.protection !== "missing");
		const limit = (soft: number) => shell(`prlimit --nofile=${soft}: --pid ${daemon.process.pid}`);
		const descriptors = async () =>
			(await shell(`ls /proc/${daemon.process.pid}/fd`)).stdout
				.trim()
				.split("\n")
				.map(Number)
				.sort((a, b) => a - b);
		// While it starts, a child comes and goes: at rest two looks see the same.
		let open = await descriptors();
		await until("the daemon to rest", async () => {
			const before = open.join();
			await pause(300);
			open = await descriptors();
			return open.join() === before;
		});
		const free = open.findIndex((fd) => !open.includes(fd + 1));
		await limit((open[free] ?? 0) + 3);
		await lab.router.nft("delete table inet mine");
		await until("the table", () => hasTable("mine"));
		await limit(1024);
		await daemon.untilStatus("no problem", ({ router }) => router.problem === undefined, { timeout: 15_000 });
		await until("no descriptor more than before", descriptors, {
			holds: ({ length }) => length === open.length,
		});
		bounded(daemon);
	});

	test("the boot copy cannot be saved: one problem, and nothing else", async () => {
		await shell("mkdir -p /etc/bgpwarden/table.nft");
		const { daemon } = startDaemon(lab.router, alone);
		const { router } = await daemon.untilStatus("a problem", (status) => status.router.problem !== undefined);
		expect(router.problem).toMatch(/^cannot save the boot copy of the table: .*\/etc\/bgpwarden\/table\.nft/);
		await shell("rmdir /etc/bgpwarden/table.nft");
		await wipe("mine", daemon);
		await daemon.untilStatus("no problem", (status) => status.router.problem === undefined);
		expect(lab.router.read("/etc/bgpwarden/table.nft")).toContain("table inet mine");
	});

	test("the boot copy is deleted or replaced by hand: it comes back, and the log and doctor say so", async () => {
		const file = "/etc/bgpwarden/table.nft";
		await startBird(lab.router, birdDirect());
		const { warden, daemon } = startDaemon(lab.router, {
			...alone,
			main: { ...alone.main, poll_interval: 5 },
		});
		// What the daemon has written itself is the first thing to wait for.
		const saved = await until("the boot copy", () => lab.router.read(file), { holds: Boolean });
		await daemon.untilStatus("the boot copy known", ({ router }) => router.table_file !== undefined);

		await shell(`rm ${file}`);
		expect(await warden.cli(["ensure"])).toMatchObject({ code: 0 });
		await until("it to be back", () => lab.router.read(file), { holds: (text) => text === saved });
		await daemon.process.says(/^\/etc\/bgpwarden\/table\.nft was missing; written again$/);

		// Within the minute it is left as it is, and doctor sees it; then a poll of BIRD writes it.
		await shell(`echo 'table inet other { }' > ${file}`);
		const { stdout } = await warden.cli(["doctor", "--json"]);
		expect(JSON.parse(stdout).review.map(({ id }: { id: string }) => id)).toContain("table-file-missing");
		await until("it to be back", () => lab.router.read(file), {
			holds: (text) => text === saved,
			timeout: 90_000,
		});
		await daemon.process.says(/^\/etc\/bgpwarden\/table\.nft was changed; written again$/);
		expect((await daemon.untilStatus("anything", () => true)).router.problem).toBeUndefined();
	}, 150_000);

	test("read-only from the start: the table is there all the same, and requests are heard later", async () => {
		await mount("size=1m,ro");
		const { warden, daemon } = startDaemon(lab.router, alone);
		await daemon.process.says(/^error: cannot write the state: .*Read-only file system$/);
		await daemon.process.says(/^error: cannot receive requests: .*Read-only file system$/);
		await until("the table", () => hasTable("mine"));
		await untilWatched(lab.router);
		await wipe("mine", daemon);

		await shell(`mount -o remount,rw ${runDirectory}`);
		await daemon.untilStatus(
			"a repair and no problem",
			({ router }) => router.repairs === 1 && router.problem === undefined,
			{ timeout: 15_000 },
		);
		expect(await warden.cli(["ensure"])).toMatchObject({ code: 0, stdout: "table inet mine is in place\n" });
		bounded(daemon);
	});

	test.each([
		{ what: "is a file", make: `echo > ${runDirectory}`, mend: `rm ${runDirectory}` },
		{
			what: "holds garbage",
			make: `mkdir -p ${runDirectory}/control; echo '{' > ${runDirectory}/status.json`,
			mend: `rmdir ${runDirectory}/control`,
		},
	])("$what: the table is there all the same, and all is told later", async ({ make, mend }) => {
		await shell(make);
		const { warden, daemon } = startDaemon(lab.router, alone);
		await until("the table", () => hasTable("mine"));
		await wipe("mine", daemon);
		await shell(`${mend} 2>/dev/null || true`);
		await daemon.untilStatus(
			"the table and no problem",
			({ router }) => router.protection !== "missing" && router.problem === undefined,
			{ timeout: 15_000 },
		);
		expect((await warden.cli(["ensure"])).code).toBe(0);
		bounded(daemon);
	});
});
