import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { repairing, startDaemon } from "../../daemon.ts";
import { contained } from "../../host.ts";
import { type Lab, startLab } from "../../lab.ts";
import { tableListing, unknownProcess } from "../../session.ts";
import { pause, until } from "../../wait.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

/** Milliseconds of processor time that a process has used, without its children. */
function processorTime(pid: number): number {
	// proc_pid_stat(5): utime and stime are fields 14 and 15, in ticks of 10 ms, counted after the name.
	const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The clock of `time.monotonic()`, ms. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Most of these times that lie within this many milliseconds. */
function most(times: readonly number[], window: number): number {
	return Math.max(
		0,
		...times.map((first, index) => times.slice(index).filter((time) => time < first + window).length),
	);
}

test("a program that deletes the table for ever meets patience, not a busy loop, and is named", async () => {
	const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false }, main: repairing });
	await daemon.untilStatus("the table is in place", ({ router }) => router.protection !== "missing");
	const listing = await tableListing(lab.router);
	expect(listing).toContain("chain raw_pre");

	// Given an eye of the lab's own that sees the table come back, and says when
	const restored: number[] = [];
	let added = false;
	const stamp =
		"import sys, time\nfor line in sys.stdin: print(time.monotonic() * 1000, line, end='', flush=True)";
	const eye = lab.router.start(["sh", "-c", 'stdbuf -oL nft monitor | exec python3 -c "$0"', stamp], {
		name: "nft monitor",
		urgent: true,
		onLine: (text) => {
			const [, at, line = ""] = /^(\S+) (.*)$/.exec(text) ?? [];
			if (line === "add table inet custom_bgp") added = true;
			if (!line.startsWith("# new generation")) return;
			if (added) restored.push(Number(at));
			added = false;
		},
	});
	await until("the eye to see", async () => {
		await lab.router.nft("table inet other\ndelete table inet other\n");
		return eye.lines.some((line) => line.includes("inet other"));
	});

	// When a script deletes the table in a loop
	const loop = "while :; do nft delete table inet custom_bgp; sleep 0.01; done 2> /dev/null";
	const started = now();
	const before = processorTime(daemon.process.pid);
	const opponent = lab.router.start(["sh", "-c", loop], { name: "opponent" });

	// Then the daemon says who it is
	const fighting = await daemon.untilStatus("a problem", ({ router }) => router.problem !== undefined);
	expect(fighting.router.problem).toMatch(
		contained
			? `${unknownProcess} keeps removing or changing table inet custom_bgp`
			: /^nft \(pid \d+.* keeps removing or changing table inet custom_bgp/,
	);

	// And it puts the table back at most 20 times a second, and once a second when this has gone on for 10 s
	await pause(13_500 - (now() - started));
	const used = processorTime(daemon.process.pid) - before;
	const ended = now();
	await opponent.end("SIGKILL");
	const early = restored.filter((time) => time < started + 10_000);
	const late = restored.filter((time) => time >= started + 10_750 && time < ended);
	// The time is read behind a pipe, on a machine with other work: a quarter of a second for that.
	expect(most(restored, 750)).toBeLessThanOrEqual(20);
	expect(most(restored, 5000)).toBeLessThanOrEqual(110);
	expect(early.length).toBeGreaterThan(20);
	expect(late.length).toBeGreaterThanOrEqual(1);
	expect(late.length).toBeLessThanOrEqual((ended - started - 10_750) / 1000 + 1);
	expect(used / (ended - started)).toBeLessThan(0.5);

	// And when it is over, the table is in place, and after a while the problem is gone
	await until("the table as it was", () => tableListing(lab.router), { holds: (now) => now === listing });
	const peace = await daemon.untilStatus("no problem", ({ router }) => router.problem === undefined, {
		timeout: 15_000,
	});
	expect(peace.router).toMatchObject({ protection: "installed" });
	expect(peace.router.repairs).toBeGreaterThanOrEqual(restored.length - 1);
	expect(await tableListing(lab.router)).toBe(listing);
	const told = warden.events().filter(({ event_type }) => event_type.startsWith("table_"));
	// Only the beginning is told blow by blow.
	expect(told.length).toBeLessThanOrEqual(25);
	expect(told.at(-1)).toMatchObject({ event_type: "table_restored", reason: "fight" });
});
