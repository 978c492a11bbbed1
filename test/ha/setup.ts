import { existsSync } from "node:fs";
import { labDirectory } from "../lab/paths.ts";
import lab from "../lab/setup.ts";
import { layers } from "./home-assistant.ts";

/** Vitest's global setup: what the lab needs, and Home Assistant's layer over its root filesystem. */
export default function setup(): void {
	lab();
	const [name] = layers;
	if (existsSync(`${labDirectory}/${name}/.stamp-${name}`)) return;
	const error = new Error(`lab: there is no .lab/${name}: run scripts/python-layer.sh ${name}`);
	error.stack = error.message; // the way here helps nobody
	throw error;
}
