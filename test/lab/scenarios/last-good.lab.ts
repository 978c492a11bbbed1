import { afterEach, beforeEach, expect, test } from "vitest";
import type { Status } from "../../../src/model/status.ts";
import { configFile, type Daemon, repairing, startDaemon, uciConfig, type Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { startMosquitto } from "../programs.ts";
import { until } from "../wait.ts";

/** A configuration that is lost while the router runs, as `uci commit` loses it on a full overlay. */
let lab: Lab;
let warden: Warden;
let daemon: Daemon;
const lastGood = "/etc/bgpwarden/last-good";
const given = { main: { table: "my_bgp", ...repairing } };
const shell = (script: string) => lab.router.run(["sh", "-c", script]);
const tables = async () => (await lab.router.run(["nft", "list", "tables"])).stdout.trim().split("\n");

beforeEach(async () => {
	lab = await startLab();
	await startMosquitto(lab.broker);
	({ warden, daemon } = startDaemon(lab.router, given));
	await daemon.untilStatus("all is well", isWell);
	await until("the copy", () => lab.router.read(lastGood), { holds: (text) => text === uciConfig(given) });
});
afterEach(() => lab.stop());

function asConfigured({ router, mqtt }: Status): boolean {
	return router.table === "my_bgp" && router.protection !== "missing" && mqtt?.connected === true;
}

function isWell(status: Status): boolean {
	return asConfigured(status) && status.router.problem === undefined;
}

const told =
	/^\/etc\/config\/bgpwarden: .*; using the last good configuration \(\/etc\/bgpwarden\/last-good\)$/;

function isTold(status: Status): boolean {
	return asConfigured(status) && told.test(status.router.problem ?? "");
}

test.each([
	["emptied", `: > ${configFile}`],
	["gone", `rm ${configFile}`],
])(
	"a file that is %s changes nothing: not at a reload, not at a restart, until it is good again",
	async (_, lose) => {
		const saved = await until("the table's copy", () => lab.router.read("/etc/bgpwarden/table.nft"));
		expect(saved).toContain("table inet my_bgp");
		expect((await shell(`stat -c %a ${lastGood}`)).stdout).toBe("600\n");

		await shell(lose);
		daemon.reload();
		await daemon.untilStatus("the problem, and all else as before", isTold);
		expect((await warden.cli(["check"])).code).toBe(1);

		await daemon.stop();
		daemon = warden.start();
		await daemon.untilStatus("the same after a restart", isTold);
		expect(await tables()).toEqual(["table inet my_bgp"]);
		expect(lab.router.read("/etc/bgpwarden/table.nft")).toBe(saved);
		const report = (await warden.cli(["doctor"])).stdout;
		expect(report).not.toContain("The configuration has no mistakes.");
		expect(report.split(`${configFile}: config-errors`)).toHaveLength(2);
		expect(report).not.toContain("daemon: problem");

		const next = { main: { ...given.main, poll_interval: 7 } };
		warden.configure(next);
		daemon.reload();
		await daemon.untilStatus("no problem", isWell);
		await until("the new copy", () => lab.router.read(lastGood), {
			holds: (text) => text === uciConfig(next),
		});
	},
);
