import { existsSync } from "node:fs";
import { bundle, rootfs, rootfsName, world } from "./paths.ts";
import { worldVersions } from "./versions.ts";

/** Vitest's global setup of the lab: refuses to start without what every scenario needs, and tells what is tested. */
export default function setup(): void {
	const missing =
		process.getuid?.() !== 0
			? "root is needed (it makes network namespaces)"
			: !existsSync(`${rootfs}/.stamp`)
				? `there is no .lab/${rootfsName}: run scripts/rootfs.sh ${world}`
				: !existsSync(bundle)
					? "there is no dist/bgpwarden.js: run npm run build"
					: undefined;
	if (missing === undefined) {
		// Each project of a run has this setup, in a module of its own.
		if (process.env.LAB_VERSIONS_TOLD !== world) {
			const [ends, tools] = worldVersions();
			process.stdout.write(`lab: WORLD=${world}: ${ends},\nlab: ${tools}\n`);
		}
		process.env.LAB_VERSIONS_TOLD = world;
		return;
	}
	const error = new Error(`lab: ${missing}`);
	error.stack = error.message; // the way here helps nobody
	throw error;
}
