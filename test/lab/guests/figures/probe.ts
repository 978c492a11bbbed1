import { LineSplitter } from "../../../../src/lib/lines.ts";
import { createPlatform } from "../../../../src/platform/index.ts";
import type { Platform } from "../../../../src/platform/types.ts";
import { bareListing } from "../../../../src/system/nft/table-listing.ts";

/**
 * Runs on the lab's router under qjs. For each round a guest's transaction (the file that is named) changes the ruleset
 * and takes the table away; measured is the time from its generation line in an nft monitor of the probe's own until the
 * probe has seen the table come back, has listed it as it was, and has found no conntrack entry of BGP. Arguments: the
 * file, rounds, pause in ms. Prints one line of JSON: the times in ms, and those of looks alone.
 */
const TABLE = ["inet", "custom_bgp"] as const;
const LIST = ["nft", "-s", "list", "table", ...TABLE] as const;
const TRACKED = "/proc/net/nf_conntrack";
/** Bytes; the lab tracks a few flows. */
const TRACKED_LIMIT = 1 << 20;
const MOST_LOOKS = 200;

async function main(): Promise<void> {
	const platform = await createPlatform();
	const [file = "", rounds = "50", gap = "250"] = platform.args;
	const reference = await look(platform);
	if (reference.includes("port=179 "))
		throw new Error(`an entry is there before anything happened:\n${reference}`);
	const monitor = followTable(platform);
	await sleep(platform, 200);
	const times: number[] = [];
	const looks: number[] = [];
	for (let round = 0; round < Number(rounds); round++) {
		const back = monitor.nextReturn();
		await output(platform, ["nft", "-f", file]);
		const changedAt = await back;
		await untilVerified(platform, reference);
		times.push(platform.now().monotonic - changedAt);
		// The same once more while nothing happens: what looking alone takes on this machine now.
		const start = platform.now().monotonic;
		await untilVerified(platform, reference);
		looks.push(platform.now().monotonic - start);
		await sleep(platform, Number(gap));
	}
	monitor.stop();
	platform.print("stdout", `${JSON.stringify({ times, looks })}\n`);
	platform.exit(0);
}

/** A packet that came while the table was away may have made an entry: it must be gone as well. */
async function untilVerified(platform: Platform, reference: string): Promise<void> {
	for (let count = 0; count < MOST_LOOKS; count++) {
		if ((await look(platform)) === reference) return;
	}
	throw new Error("the table is not as it was, or an entry stays");
}

/** `nextReturn` resolves when the table has been deleted and is back, with the time of the deletion. */
function followTable(platform: Platform) {
	let change: "deleted" | "added" | undefined;
	let deletedAt = 0;
	let returned: ((deletedAt: number) => void) | undefined;
	const lines = new LineSplitter(({ text }) => {
		if (text.startsWith(`delete table ${TABLE.join(" ")}`)) change = "deleted";
		else if (text.startsWith(`add table ${TABLE.join(" ")}`)) change = "added";
		if (!text.startsWith("# new generation")) return;
		if (change === "deleted") deletedAt = platform.now().monotonic;
		else if (change === "added") returned?.(deletedAt);
		change = undefined;
	});
	const monitor = platform.spawn({
		argv: ["nft", "monitor"],
		onStdout: (chunk) => lines.push(chunk),
		onExit: () => {},
	});
	return {
		nextReturn: () =>
			new Promise<number>((resolve) => {
				returned = resolve;
			}),
		stop: () => monitor.kill("SIGKILL"),
	};
}

/**
 * The table, without the daemon's mark, which its first transaction alone may have, and the entries of BGP's port. Going
 * through the kernel's table of connections takes most of the time where that table is large.
 */
async function look(platform: Platform): Promise<string> {
	const listing = output(platform, LIST);
	const entries = platform.files
		.read(TRACKED, TRACKED_LIMIT)
		.split("\n")
		.filter((line) => / [sd]port=179 /.test(line));
	return [bareListing(await listing), ...entries].join("\n");
}

function output(platform: Platform, argv: readonly [string, ...string[]]): Promise<string> {
	return new Promise((resolve, reject) => {
		const lines: string[] = [];
		const splitter = new LineSplitter(({ text }) => lines.push(text));
		platform.spawn({
			argv,
			onStdout: (chunk) => splitter.push(chunk),
			onExit: (status) => {
				if ("code" in status && status.code === 0) resolve(lines.join("\n"));
				else reject(new Error(`${argv.join(" ")}: ${JSON.stringify(status)}`));
			},
		});
	});
}

function sleep(platform: Platform, milliseconds: number): Promise<void> {
	return new Promise((resolve) => platform.after(milliseconds, resolve));
}

main();
