import type { Platform } from "../../platform/types.ts";

/** Programs that the daemon starts, and what `doctor` asks. */
const WANTED = ["nft", "conntrack", "birdcl", "birdc", "ip", "nc", "openssl", "ubus"] as const;
export type Program = (typeof WANTED)[number];

const USUAL_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Which of them are in PATH. */
export function findPrograms(platform: Platform): ReadonlySet<string> {
	const directories = (platform.environment("PATH") || USUAL_PATH).split(":");
	return new Set(
		WANTED.filter((name) =>
			directories.some((directory) => platform.files.status(`${directory}/${name}`)?.kind === "file"),
		),
	);
}
