import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Daemon, repairing, runDirectory, startDaemon, type Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { birdDirect, startBird } from "../programs.ts";
import { monitorsOf, untilWatched } from "../session.ts";
import { until } from "../wait.ts";

/** What nobody tells the daemon, and it has to look for. */

let lab: Lab;
let warden: Warden;
let daemon: Daemon;

beforeEach(async () => {
	lab = await startLab();
	await startBird(lab.router, birdDirect());
	({ warden, daemon } = startDaemon(lab.router, { main: repairing }));
	await daemon.untilStatus(
		"a peer",
		({ router, peers }) => router.protection === "installed" && peers.length === 1,
	);
});

afterEach(() => lab.stop());

const hasTable = async () =>
	(await lab.router.run(["nft", "list", "table", "inet", "custom_bgp"], { allowFailure: true })).code === 0;

describe("nft monitor", () => {
	test("is stopped: another one takes its place, and what it has not shown is repaired", async () => {
		await untilWatched(lab.router);
		const [stopped] = monitorsOf(lab.router);
		lab.router.signal(stopped, "SIGSTOP");
		await lab.router.nft("delete table inet custom_bgp");
		await until("the table", hasTable, { timeout: 5000 });
		await daemon.process.says(/nft monitor is stopped/);
		await until("another monitor", () => monitorsOf(lab.router), {
			holds: ([now, ...more]) => now !== undefined && now !== stopped && more.length === 0,
		});
		expect(
			daemon.process.lines.filter((line) => /^(?:warn|error): .*nft monitor is stopped/.test(line)),
		).toHaveLength(1);
		await lab.router.nft("delete table inet custom_bgp");
		await until("the table, again", hasTable, { timeout: 5000 });
	});
});

describe("the run directory", () => {
	const shell = (command: string) => lab.router.run(["sh", "-c", command]);

	test.each([
		["is removed", `mv ${runDirectory} /tmp/removed && rm -rf /tmp/removed`],
		["loses its FIFO", `rm ${runDirectory}/control`],
		["gets another FIFO", `mkfifo /tmp/control && mv /tmp/control ${runDirectory}/control`],
		["gets a file in the FIFO's place", `rm ${runDirectory}/control; echo x >${runDirectory}/control`],
		["loses the replies", `rm -r ${runDirectory}/replies`],
		[
			"gets a link in the replies' place",
			`rm -r ${runDirectory}/replies; ln -s /etc ${runDirectory}/replies`,
		],
		["loses the status", `rm ${runDirectory}/status.json`],
	])("%s: within 10 s requests are answered and the status is there", async (_, spoil) => {
		await untilWatched(lab.router);
		await shell(spoil);
		await until(
			"an answer",
			async () => {
				const { code } = await warden.cli(["ensure"]);
				return code === 0 && warden.status()?.router.pid === daemon.process.pid;
			},
			{ timeout: 12_000 },
		);
		expect(
			(await lab.router.run(["sh", "-c", "ls /etc | grep -c '^[0-9]*-[0-9]*$'"], { allowFailure: true }))
				.stdout,
		).toBe("0\n");
		await lab.router.nft("delete table inet custom_bgp");
		await until("the table", hasTable);
		await daemon.untilStatus("the repair", ({ router }) => router.repairs === 1);
	});
});

test("60,000 routes keep no stale conntrack entry from being deleted", async () => {
	const routes = Array.from({ length: 60_000 }, (_, number) => {
		const [high, low] = [Math.floor(number / 256), number % 256];
		return `route add 10.${high}.${low}.0/24 via 192.168.1.2\n`;
	});
	await lab.router.run(["ip", "-batch", "-"], { stdin: routes.join(""), timeout: 60_000 });
	const stale = ["-s", "192.168.1.2", "-d", "192.168.1.1", "-p", "tcp", "--sport", "40000", "--dport", "179"];
	await lab.router.run(["conntrack", "-I", ...stale, "--state", "ESTABLISHED", "-t", "1000"]);
	expect(await warden.cli(["flush"])).toMatchObject({ code: 0 });
	await daemon.untilStatus("one entry deleted", ({ router }) => router.flushed === 1);
	expect((await lab.router.run(["conntrack", "-L"])).stdout).not.toContain("dport=179");
});
