import { readFileSync } from "node:fs";
import { bundleForQjs } from "../../qjs.ts";
import type { Lab } from "../lab.ts";

/** Milliseconds between wipes: closer together they would be a fight, which is answered with backoff. */
export const APART = 250;

/**
 * Deletes the table several times, beside the daemon and with the same engine.
 * @returns milliseconds until it was back, and of a bare `nft -f` of the same table
 */
export async function wipeTimes(
	lab: Lab,
	rounds: number,
): Promise<{ readonly bare: readonly number[]; readonly restored: readonly number[] }> {
	const table = (await lab.router.run(["nft", "list", "table", "inet", "custom_bgp"])).stdout;
	const bare = readFileSync(`/proc/${lab.router.pid}/root/etc/bgpwarden/table.nft`, "utf8");
	if (!table.includes("raw_out")) throw new Error("the table is not there");
	lab.router.write("/tmp/bare.nft", bare.replaceAll("custom_bgp", "bare_bgp"));
	const probe = bundleForQjs(new URL("./probe.ts", import.meta.url));
	lab.router.write("/tmp/probe.js", readFileSync(probe, "utf8"));
	const argv = ["qjs", "-m", "/tmp/probe.js", String(rounds), String(APART)];
	const { stdout } = await lab.router.run(argv, { timeout: rounds * 1000 });
	await lab.router.run(["nft", "delete", "table", "inet", "bare_bgp"]);
	return JSON.parse(stdout);
}
