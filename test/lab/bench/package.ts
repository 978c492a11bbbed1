import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PROCD_FUNCTIONS } from "../../package/procd.ts";
import { uciFunctions } from "../../package/router.ts";
import { Warden } from "../daemon.ts";
import type { Host } from "../host.ts";
import { pause, until } from "../wait.ts";
import { type Figure, quantile } from "./figures.ts";

const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const INIT = "/etc/init.d/bgpwarden";
const CHECK = "/usr/lib/bgpwarden/check.sh";
const SAVED_TABLE = "/etc/bgpwarden/table.nft";

/** The package's figures: its size, the start of the daemon and of the boot script. */
export async function packageFigures(host: Host, rounds: number): Promise<Figure[]> {
	return [size(), await firstTable(host, rounds), await boot(host, rounds)];
}

function size(): Figure {
	const out = mkdtempSync(join(tmpdir(), "bgpwarden-bench-"));
	try {
		execFileSync(process.execPath, [path("scripts/package.mjs"), "--out", out], { stdio: "pipe" });
		const name = readdirSync(out).find((each) => each.endsWith(".ipk")) ?? "";
		const bytes = statSync(join(out, name)).size;
		return {
			what: name,
			measured: `${Math.round(bytes / 1000)} kB`,
			goal: "at most 170 kB",
			reached: bytes <= 170_000,
		};
	} finally {
		rmSync(out, { recursive: true, force: true });
	}
}

/** From the start of qjs until the table is in the kernel, which it was not before. */
async function firstTable(host: Host, rounds: number): Promise<Figure> {
	const warden = new Warden(host);
	warden.install();
	warden.configure({ mqtt: { enabled: false } });
	let added = false;
	const monitor = host.start(["nft", "monitor"], {
		name: "the bench's monitor",
		onLine: (line) => {
			if (line.startsWith("add table inet custom_bgp")) added = true;
		},
	});
	const times: number[] = [];
	for (let round = 0; round < rounds; round++) {
		await host.nft("table inet custom_bgp\ndelete table inet custom_bgp\n");
		// What the deletion itself has added is told by now.
		await pause(50);
		added = false;
		const start = performance.now();
		const daemon = warden.start();
		await until("the table", () => added, { every: 1 });
		times.push(performance.now() - start);
		await until("the saved table", () => host.read(SAVED_TABLE), { holds: (text) => text !== undefined });
		await daemon.stop();
	}
	await monitor.end("SIGTERM");
	const median = quantile(times, 0.5);
	return {
		what: `qjs start to the table installed, median of ${rounds}`,
		measured: `${Math.round(median)} ms`,
		goal: "at most 150 ms",
		reached: median <= 150,
	};
}

/**
 * The init script under busybox ash until the saved table is in the kernel, against `nft -f` of the same file. What it
 * shares with every other init script, rc.common and the like, is doubled.
 */
async function boot(host: Host, rounds: number): Promise<Figure> {
	host.write(INIT, readFileSync(path("init.d/bgpwarden"), "utf8"), 0o755);
	host.write(CHECK, readFileSync(path(`openwrt-package/bgpwarden/files${CHECK}`), "utf8"));
	host.write("/usr/local/bin/uci", "#!/bin/sh\nexit 1\n", 0o755);
	const functions = `exec 3>/dev/null\n${PROCD_FUNCTIONS}\n${uciFunctions("")}\naction=boot\n`;
	host.write("/tmp/boot.sh", `${functions}. ${INIT}\n`);
	const bare = ["busybox", "ash", "-c", `exec nft -f ${SAVED_TABLE}`];
	const script = ["busybox", "ash", "/tmp/boot.sh"];
	const time = async (argv: readonly string[]) => {
		await host.nft("table inet custom_bgp\ndelete table inet custom_bgp\n");
		const start = performance.now();
		await host.run(argv);
		return performance.now() - start;
	};
	const times = { bare: [] as number[], script: [] as number[] };
	for (let round = 0; round < rounds; round++) {
		times.bare.push(await time(bare));
		times.script.push(await time(script));
	}
	await host.run(["nft", "list", "table", "inet", "custom_bgp"]);
	const ratio = quantile(times.script, 0.5) / quantile(times.bare, 0.5);
	return {
		what: `boot script to the table installed, median of ${rounds}`,
		measured: `${ratio.toFixed(2)} times a bare nft -f`,
		goal: "at most twice",
		reached: ratio <= 2,
	};
}
