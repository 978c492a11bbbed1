import { readdirSync, readFileSync } from "node:fs";

const directory = new URL("../../fixtures/nft/", import.meta.url);

/** The versions of nft that were captured, the oldest first. */
export const VERSIONS = readdirSync(directory)
	.flatMap((name) => /^nft-([\d.]+)-ruleset-own\.json$/.exec(name)?.[1] ?? [])
	.sort();

/** A capture of test/fixtures/nft by its name there. */
export function capture(name: string): string {
	return readFileSync(new URL(name, directory), "utf8");
}

/** The listing of test/fixtures/nft/rulesets/NAME.nft, or of the daemon's own table (`own`), by one version of nft. */
export function listing(version: string, name: string): string {
	return capture(`nft-${version}-ruleset-${name}.json`);
}
