import { mkdirSync, writeFileSync } from "node:fs";
import { defaultConfig } from "../../../src/config/load.ts";
import { tableSpec } from "../../../src/model/table.ts";
import { renderTable } from "../../../src/system/nft/table-text.ts";
import { CAUSES } from "../diagnosis/causes.ts";
import { frrEnds, World } from "../diagnosis/world.ts";
import { startLab } from "../lab.ts";
import { until } from "../wait.ts";

/**
 * Takes the fixtures of traced handshakes anew: what `nft monitor` says of a caught SYN, once with a monitor older than the
 * rules (it does not know them) and once with a younger one. What is to be read in them stands in the .json beside.
 */
const directory = new URL("../../fixtures/nft/", import.meta.url).pathname;
const WANTED = {
	"a tproxy in a mangle chain": "tproxy",
	"a reject in a zone of fw4": "fw4-reject",
	"a drop in postrouting": "reply-dropped",
} as const;

/** What comes before are the ends of the session before. */
function fromSyn(lines: readonly string[]): string[] {
	const first = lines.findIndex((line) => line.includes("tcp flags == syn"));
	return lines.slice(first, first + 40);
}

for (const [name, file] of Object.entries(WANTED)) {
	const cause = CAUSES.find((each) => each.name === name);
	if (!cause) throw new Error(`no cause ${name}`);
	const lab = await startLab();
	try {
		await lab.router.nft(renderTable(tableSpec(defaultConfig().main, [], [179])));
		const world = new World(lab, 4, 3, frrEnds());
		await world.startBird();
		await world.startSpeaker();
		await until("the session", () => world.bird.peer(), {
			holds: ({ bgp }) => bgp === "Established",
			timeout: 30_000,
		});
		const old = lab.router.start(["nft", "monitor", "trace"], { name: "old monitor" });
		await lab.router.run(["sleep", "0.5"]);
		await cause.begin(world);
		const young = lab.router.start(["nft", "monitor", "trace"], { name: "young monitor" });
		await until("a caught SYN", () => young.lines, {
			holds: (lines) => lines.some((line) => line.includes("tcp flags == syn")) && lines.length > 12,
			timeout: 40_000,
		});
		await lab.router.run(["sleep", "1"]);
		const version = (await lab.router.run(["nft", "--version"])).stdout.match(/v([0-9.]+)/)?.[1] ?? "unknown";
		const listing = await lab.router.run(["nft", "-a", "list", "ruleset"]);
		mkdirSync(directory, { recursive: true });
		for (const [monitor, suffix] of [
			[old, "-old"],
			[young, ""],
		] as const)
			writeFileSync(
				`${directory}nft-${version}-trace-${file}${suffix}.txt`,
				`${fromSyn(monitor.lines).join("\n")}\n`,
			);
		writeFileSync(`${directory}nft-${version}-trace-${file}-rules.txt`, listing.stdout);
		process.stdout.write(`captured ${file}\n`);
	} finally {
		await lab.stop();
	}
}
