import { readFileSync } from "node:fs";
import { Outcome } from "../flash/outcome.ts";
import { thisTree } from "../openwrt.ts";
import { until } from "../wait.ts";
import { canOwn } from "../world.ts";
import { buildOldVersion, type OldVersion } from "./old-version.ts";
import { UpgradedRouter, type UpgradeOptions } from "./router.ts";
import { absences, lostSessions, oddStatus, otherMessages, otherPlaces } from "./verdict.ts";

/**
 * From 0.1.0 to this version, with sessions that are up: none is lost, the table is never absent, and who reads the
 * status and the broker's messages finds everything as it was. With an owned table and with one that is only installed, by
 * opkg and by apk. QUICK=1 plays two of them.
 */
const version: string = JSON.parse(readFileSync(`${thisTree}/package.json`, "utf8")).version;
const outcome = new Outcome();
const whole: readonly UpgradeOptions[] = [
	{ manager: "opkg", protect: true, routerId: "router" },
	{ manager: "apk", protect: false, routerId: "edge_gw" },
	{ manager: "apk", protect: true, routerId: "router" },
	{ manager: "opkg", protect: false, routerId: "router" },
];
const plays = whole
	.filter(({ protect }) => canOwn || !protect)
	.slice(0, process.env.QUICK === "1" ? 2 : undefined);

async function play(old: OldVersion, options: UpgradeOptions): Promise<void> {
	const { manager, protect, routerId } = options;
	const label = `${routerId}, ${manager}, table ${protect ? "owned" : "installed"}`;
	const check = (what: string, wrong: string | readonly string[] | undefined) =>
		outcome.check(`${label}: ${what}`, wrong);
	const router = await UpgradedRouter.start(old, options);
	try {
		await router.live();
		const before = await router.untilWell(old.version);
		const sessions = await router.facts();
		const kept = await router.broker.retained();
		const saved = ["table.nft", "last-good"].map((name) => router.read(`/etc/bgpwarden/${name}`));
		const events = router.warden.events();
		const monitor = await router.watchRuleset();

		await router.upgrade(old);
		const after = await router.untilWell(version);

		check("no session is lost", lostSessions(sessions, await router.facts()));
		check("the table is never absent", absences(monitor.lines, "inet custom_bgp"));
		// That it looked: the new daemon replaces the table.
		check(
			"  nor is it unseen",
			monitor.lines.some((line) => line.startsWith("add table inet custom_bgp")) ? [] : monitor.lines,
		);
		check("the status makes sense", oddStatus(before, after));
		const isSame = options.routerId.includes("_") ? otherPlaces : otherMessages;
		check(
			"the broker has the same messages, of the same entities",
			await until("what has to be at the broker", async () => isSame(kept, await router.broker.retained()), {
				holds: ({ length }) => length === 0,
			}).then(
				() => [],
				(error: Error) => error.message,
			),
		);
		const texts = router.warden.events().map((event) => JSON.stringify(event));
		check(
			"the events of before are there",
			events.map((event) => JSON.stringify(event)).filter((text) => !texts.includes(text)),
		);
		const [table, lastGood] = ["table.nft", "last-good"].map((name) => router.read(`/etc/bgpwarden/${name}`));
		check(
			"the last good configuration is the same",
			lastGood === saved[1] ? [] : `${saved[1]} -> ${lastGood}`,
		);
		check(
			"the saved table can be loaded",
			table === saved[0] || table?.startsWith("table inet custom_bgp\n") ? [] : `${table}`,
		);
		for (const words of ["status", "check", "doctor", "ensure"]) {
			const { code, text } = await router.says(words);
			check(`bgpwarden ${words}`, code === 0 ? [] : `exit ${code}: ${text}`);
		}
		check(
			"one daemon runs",
			router.openwrt.processes.filter(({ running }) => running).length === 1 ? [] : "not one",
		);
	} finally {
		await router.stop();
	}
}

let old: OldVersion | undefined;
try {
	old = buildOldVersion();
} catch (error) {
	outcome.check("0.1.0 can be built", (error as Error).message);
}
for (const options of plays) if (old) await play(old, options);
process.exit(outcome.close());
