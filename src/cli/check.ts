import { readConfiguration } from "../config/read.ts";
import type { Platform } from "../platform/types.ts";
import { FINE, type Paths, PROBLEM } from "./context.ts";

/** `check`: every mistake in the configuration, one a line. */
export function check(platform: Platform, { configPath }: Paths): number {
	const read = readConfiguration(platform.files, configPath);
	if ("errors" in read) {
		for (const error of read.errors) platform.print("stderr", `${error}\n`);
		return PROBLEM;
	}
	platform.print("stdout", `${configPath}: fine\n`);
	return FINE;
}
