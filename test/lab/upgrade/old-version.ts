import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { thisTree } from "../openwrt.ts";
import { labDirectory } from "../paths.ts";

/** The tree of 0.1.0. */
const commit = "b2b35fd4e7808631ee8a47d3dd590da607030e9f";

export interface OldVersion {
	readonly version: string;
	/** Its source tree. */
	readonly tree: string;
	readonly bundle: string;
}

/**
 * Takes 0.1.0 out of this repository's history and builds it below .lab, with this tree's npm packages.
 * @throws Error of one line when the history does not have it
 */
export function buildOldVersion(): OldVersion {
	const version = "0.1.0";
	const tree = join(labDirectory, `version-${version}`);
	const git = (...args: string[]) =>
		execFileSync("git", ["-C", thisTree, ...args], { stdio: "pipe", maxBuffer: 1 << 28 });
	let archive: Buffer;
	try {
		archive = git("archive", "--format=tar", commit);
	} catch {
		throw new Error(
			`there is no commit ${commit.slice(0, 7)} (${version}) here: a clone with its whole history has it`,
		);
	}
	rmSync(tree, { recursive: true, force: true });
	mkdirSync(tree, { recursive: true });
	execFileSync("tar", ["-x", "-C", tree], { input: archive });
	symlinkSync(join(thisTree, "node_modules"), join(tree, "node_modules"));
	const bundle = join(tree, "dist/bgpwarden.js");
	execFileSync(process.execPath, ["scripts/build.mjs"], {
		cwd: tree,
		env: { ...process.env, SOURCE_DATE_EPOCH: "1700000000" },
		stdio: ["ignore", "pipe", "pipe"],
	});
	return { version, tree, bundle };
}
