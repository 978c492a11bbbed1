import { spawnSync } from "node:child_process";
import { release } from "node:os";
import { rootfs } from "./paths.ts";
import { birdVersions, newestBird } from "./world.ts";

/** What a program of the root filesystem says its version is; throws when it says none. */
function version(...argv: [string, ...string[]]): string {
	// Some say it on standard error, and some exit with 1 after their usage text.
	const { stdout, stderr } = spawnSync("chroot", [rootfs, ...argv], { encoding: "utf8" });
	const found = /(?:version |\bv)(\d[\w.-]*)/.exec(`${stdout}${stderr}`)?.[1];
	if (found === undefined) throw new Error(`lab: ${argv.join(" ")} says no version: ${stdout}${stderr}`);
	return found;
}

/** The programs of this world as they call themselves, and the kernel they run on, in two lines. Needs root. */
export function worldVersions(): [string, string] {
	const birds = birdVersions.map((major) =>
		version(major === newestBird ? "bird" : "/opt/bird2/usr/sbin/bird", "--version"),
	);
	const ends = [`BIRD ${birds.join(" and ")}`, `FRR ${version("/usr/lib/frr/bgpd", "--version")}`];
	const tools = [
		`nft ${version("nft", "--version")}`,
		`conntrack ${version("conntrack", "--version")}`,
		`mosquitto ${version("mosquitto", "-h")}`,
		`qjs ${version("qjs", "--help")}`,
		`Linux ${release()}`,
	];
	return [ends.join(", "), tools.join(", ")];
}
