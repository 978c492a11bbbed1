import { afterEach, beforeEach, expect, test } from "vitest";
import { bareListing } from "../../../src/system/nft/table-listing.ts";
import { type Daemon, startDaemon, type Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { fw4Files, fw4Start, fw4Stop } from "../programs.ts";
import { until } from "../wait.ts";
import { canOwn, protection } from "../world.ts";

const file = `${fw4Files}/x.nft`;
/** Polls do not help here: they come too late. */
const config = { main: { poll_interval: 3600 }, mqtt: { enabled: false } };
const done = { code: 0, stderr: "" };

let lab: Lab;
let warden: Warden;
let daemon: Daemon;
beforeEach(async () => {
	lab = await startLab();
	expect(await fw4Start(lab.router)).toMatchObject(done);
});
afterEach(() => lab.stop());

/** Each once: a table that is replaced while the kernel lists it may be listed as it was and as it is. */
const tables = async () =>
	[...new Set((await lab.router.run(["nft", "list", "tables"])).stdout.trim().split("\n"))].sort();
const flagged = async () =>
	(await lab.router.run(["nft", "-s", "list", "table", "inet", "custom_bgp"], { allowFailure: true })).stdout;
const listing = async () => bareListing(await flagged());
/** In what fw4 itself takes to make its ruleset, a tenth of a second and more, nobody else starts a firewall. */
const untilEverybodys = () =>
	until("the table, without an owner", flagged, {
		holds: (text) => text.startsWith("table inet custom_bgp {\n\tchain "),
		every: 5,
	});
const isProtected = ({ router }: { router: { protection: string; problem?: string } }) =>
	router.protection === protection && router.problem === undefined;
const isUnowned =
	(problem: RegExp) =>
	({ router }: { router: { protection: string; problem?: string } }) =>
		router.protection === "installed" && problem.test(router.problem ?? "");

async function start(main = {}) {
	({ warden, daemon } = startDaemon(lab.router, { ...config, main: { ...config.main, ...main } }));
	await daemon.untilStatus("the table protected", isProtected);
}

test.each([
	{ router: "where fw4 is known to be started", known: true },
	{ router: "where nothing tells that", known: false },
])(
	"a file that names the table comes between two polls, and the firewall is stopped and started: it starts, $router",
	async ({ known }) => {
		const forget = () => lab.router.run(["rm", "-f", "/run/fw4.state"]);
		if (!known) await forget();
		await start();
		const before = await listing();
		for (let round = 0; round < 3; round++) {
			if (!known) {
				await forget();
				expect(await warden.cli(["ensure"])).toMatchObject({ code: 0 });
			}
			lab.router.write(file, "add chain inet custom_bgp extra\n");
			await fw4Stop(lab.router);
			await untilEverybodys();
			expect(await fw4Start(lab.router), `start ${round}`).toMatchObject(done);
			expect(await tables()).toEqual(["table inet custom_bgp", "table inet fw4"]);
			// What the file did to the table is repaired, and the status says what is to be done
			await daemon.untilStatus(
				"the file",
				isUnowned(/^\/usr\/share\/nftables\.d\/ruleset-post\/x\.nft names /),
			);
			expect((await warden.cli(["status"])).stdout).toContain(
				`${file} names table inet custom_bgp ("add chain inet `,
			);
			await lab.router.run(["rm", file]);
			expect(await warden.cli(["ensure"])).toMatchObject({ code: 0 });
			await daemon.untilStatus("protected again", isProtected);
			expect(await listing()).toBe(before);
		}
	},
);

test("a poll finds the file, and that it is gone", async () => {
	await start({ poll_interval: 1 });
	const { repairs } = warden.status()?.router ?? {};
	lab.router.write(file, "table inet custom_bgp {\n\tchain mine {\n\t}\n}\n");
	await daemon.untilStatus("no owner", isUnowned(/x\.nft names /));
	// Letting go is no loss
	expect(warden.status()?.router.repairs).toBe(repairs);
	// A reload of the firewall's works, and so does one that flushes nothing
	expect(await fw4Start(lab.router)).toMatchObject(done);
	await daemon.untilStatus("a repair", ({ router }) => router.repairs === (repairs ?? 0) + 1);
	await lab.router.run(["rm", file]);
	await daemon.untilStatus("protected again", isProtected);
	expect(warden.status()?.router.repairs).toBe((repairs ?? 0) + 1);
});

test("a firewall that fails for another reason, or is stopped, is told; once it is back the table is owned again", async () => {
	await start();
	await fw4Stop(lab.router);
	await daemon.untilStatus(
		"it is stopped",
		isUnowned(/^table inet fw4 is missing and the firewall is stopped /),
		{
			timeout: 20_000,
		},
	);
	// The table is there all the same, and is repaired
	await lab.router.run(["nft", "delete", "table", "inet", "custom_bgp"], { allowFailure: true });
	await daemon.untilStatus(
		"a repair",
		({ router }) => router.protection === "installed" && router.repairs > 0,
	);

	lab.router.write(file, "a mistake\n");
	expect(await fw4Start(lab.router)).toMatchObject({ code: 1 });
	expect(await warden.cli(["ensure"])).toMatchObject({ code: 0 });
	await daemon.untilStatus("it has failed", isUnowned(/^table inet fw4 is missing though fw4 was started: /));
	expect((await warden.cli(["status"])).code).toBe(1);
	expect((await warden.cli(["doctor"])).stdout).toMatch(
		/^ERROR {2}fw4: firewall-missing\n.*though fw4 was started/m,
	);

	await lab.router.run(["rm", file]);
	expect(await fw4Start(lab.router)).toMatchObject(done);
	await daemon.untilStatus("protected again", isProtected);
});

test("a daemon that starts on a router without its firewall owns nothing until that is back", async () => {
	await lab.router.run(["nft", "delete", "table", "inet", "fw4"]);
	({ warden, daemon } = startDaemon(lab.router, config));
	await daemon.untilStatus("no firewall", isUnowned(/^table inet fw4 is missing though fw4 was started: /), {
		timeout: 30_000,
	});
	expect(await fw4Start(lab.router)).toMatchObject(done);
	await daemon.untilStatus("protected", isProtected);
});

if (canOwn)
	test("while the table is owned, such a start would fail: what all this is for", async () => {
		await start({ poll_interval: 3600 });
		lab.router.write(file, "add chain inet custom_bgp extra\n");
		expect(await fw4Start(lab.router)).toMatchObject({
			code: 1,
			stderr: expect.stringContaining("Operation not permitted"),
		});
		daemon.reload();
		await daemon.untilStatus("the file", isUnowned(/x\.nft names /));
		expect(await fw4Start(lab.router)).toMatchObject(done);
	});
