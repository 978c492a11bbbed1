import { afterEach, expect, test } from "vitest";
import { configFile, daemonFile, repairing, runDirectory, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { pause, until } from "../wait.ts";

let lab: Lab;
afterEach(() => lab.stop());

test("in a container, where process ids are others, it knows its own transactions from the first on", async () => {
	lab = await startLab();
	const warden = new Warden(lab.router);
	warden.install();
	warden.configure({ mqtt: { enabled: false }, main: repairing });
	const run = ["qjs", "-m", daemonFile, "run", "--config", configFile, "--run-dir", runDirectory];
	lab.router.start(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", ...run], {
		name: "container",
	});
	const protection = () => warden.status()?.router.protection;
	await until("the table is in place", protection, { holds: (seen) => seen === "installed" });
	await pause(500);
	expect(warden.status()?.router).toMatchObject({ repairs: 0 });
	expect(warden.events()).toEqual([]);

	await lab.router.nft("delete table inet custom_bgp");

	await until("one repair", () => warden.status()?.router.repairs, { holds: (repairs) => repairs === 1 });
	await pause(500);
	expect(warden.events().map(({ event_type }) => event_type)).toEqual(["table_lost", "table_restored"]);
});
