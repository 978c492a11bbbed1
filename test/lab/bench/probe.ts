import { LineSplitter } from "../../../src/lib/lines.ts";
import { createPlatform } from "../../../src/platform/index.ts";
import type { Platform } from "../../../src/platform/types.ts";

/**
 * Runs on the lab's router under qjs, beside the daemon, so that both sides of the comparison start their processes
 * with the same engine. For each round: the time of a bare `nft -f FILE` (start to end of the process, a copy of the
 * table under another name), then the table is deleted and the time until it is back is taken between two
 * generation lines of one nft monitor. Arguments: rounds, pause in ms. Prints one line of JSON.
 */
const BARE = "/tmp/bare.nft";
const TABLE = ["inet", "custom_bgp"] as const;

interface Watch {
	deletedAt: number;
	restored?: (milliseconds: number) => void;
}

async function main(): Promise<void> {
	const platform = await createPlatform();
	const [rounds = 200, pause = 250] = platform.args.map(Number);
	const watch: Watch = { deletedAt: 0 };
	const monitor = followTable(platform, watch);
	await sleep(platform, 200);
	const bare: number[] = [];
	const restored: number[] = [];
	for (let round = 0; round < rounds; round++) {
		const start = platform.now().monotonic;
		await run(platform, ["nft", "-f", BARE]);
		bare.push(platform.now().monotonic - start);
		const back = new Promise<number>((resolve) => {
			watch.restored = resolve;
		});
		await run(platform, ["nft", "delete", "table", ...TABLE]);
		restored.push(await back);
		await sleep(platform, pause);
	}
	monitor.kill("SIGKILL");
	platform.print("stdout", `${JSON.stringify({ bare, restored })}\n`);
	platform.exit(0);
}

/** Watches the table's deletion and return, which the generation lines complete. */
function followTable(platform: Platform, watch: Watch) {
	let seen: "deleted" | "added" | undefined;
	const lines = new LineSplitter(({ text }) => {
		if (text.startsWith(`delete table ${TABLE.join(" ")}`)) seen = "deleted";
		else if (text.startsWith(`add table ${TABLE.join(" ")}`)) seen = "added";
		if (!text.startsWith("# new generation")) return;
		if (seen === "deleted") watch.deletedAt = platform.now().monotonic;
		else if (seen === "added") watch.restored?.(platform.now().monotonic - watch.deletedAt);
		seen = undefined;
	});
	return platform.spawn({
		argv: ["nft", "monitor"],
		onStdout: (chunk) => lines.push(chunk),
		onExit: () => {},
	});
}

function run(platform: Platform, argv: readonly [string, ...string[]]): Promise<void> {
	return new Promise((resolve) => platform.spawn({ argv, onStdout: () => {}, onExit: () => resolve() }));
}

function sleep(platform: Platform, milliseconds: number): Promise<void> {
	return new Promise((resolve) => platform.after(milliseconds, resolve));
}

main();
