import { existsSync } from "node:fs";
import { labDirectory } from "../lab/paths.ts";
import lab from "../lab/setup.ts";

/** Vitest's global setup: what the lab needs, and Home Assistant's layer over its root filesystem. */
export default function setup(): void {
	lab();
	if (existsSync(`${labDirectory}/rootfs-ha/.stamp-ha`)) return;
	const error = new Error("lab: there is no .lab/rootfs-ha: run scripts/rootfs-ha.sh");
	error.stack = error.message; // the way here helps nobody
	throw error;
}
