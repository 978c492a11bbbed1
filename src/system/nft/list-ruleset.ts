import type { Ruleset } from "../../model/ruleset.ts";
import { describeExit, runToEnd } from "../../platform/supervise.ts";
import type { Platform } from "../../platform/types.ts";
import { parseRuleset, showsDormant, withDormant } from "./ruleset-json.ts";

/** Milliseconds until an nft that does not end is killed. */
const PATIENCE = 5000;
/** Bytes of a listing: 2,000 rules take one million, a proxy's list of a country's addresses one more. */
const LIMIT = 8 << 20;

/**
 * Asks nft for the whole ruleset. A listing that is too long is asked for once more without what sets hold.
 * @param limit bytes of a listing
 * @returns or why there is none, in one line
 */
export async function listRuleset(
	platform: Platform,
	limit = LIMIT,
): Promise<Ruleset | { readonly reason: string; readonly missing: boolean }> {
	// -p: protocols by number. By name nft opens /etc/protocols once a rule.
	let command = "";
	for (const terse of [false, true]) {
		const argv = ["nft", "-j", "-p", ...(terse ? ["-t"] : []), "list", "ruleset"] as [string, ...string[]];
		command = argv.join(" ");
		const done = await runToEnd(platform, argv, { timeout: PATIENCE, limit });
		if (done.timedOut) return { reason: `${command}: no end after ${PATIENCE / 1000} s`, missing: false };
		const code = "code" in done.status ? done.status.code : undefined;
		if (code !== 0) return { reason: describeExit(argv, done.status, done.complaint), missing: code === 127 };
		const ruleset = parseRuleset(done.stdout, terse);
		if (ruleset) return showsDormant(ruleset) ? ruleset : askForDormant(platform, ruleset);
	}
	return { reason: `${command}: its output is not a ruleset`, missing: false };
}

/** @returns the same ruleset when nft does not answer */
async function askForDormant(platform: Platform, ruleset: Ruleset): Promise<Ruleset> {
	const argv = ["nft", "-t", "list", "ruleset"] as const;
	const { stdout } = await runToEnd(platform, argv, { timeout: PATIENCE, limit: LIMIT });
	return withDormant(ruleset, stdout);
}
