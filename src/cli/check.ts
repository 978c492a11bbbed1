import { readConfiguration } from "../config/read.ts";
import { missingZones } from "../model/fw4-zone.ts";
import type { Platform } from "../platform/types.ts";
import { readFirewall } from "../system/openwrt/firewall.ts";
import { FINE, MISFIT, type Paths, PROBLEM } from "./context.ts";

/** `check`: every mistake in the configuration, one a line. */
export function check(platform: Platform, { configPath }: Paths): number {
	const read = readConfiguration(platform.files, configPath);
	if ("errors" in read) {
		for (const error of read.errors) platform.print("stderr", `${error}\n`);
		return PROBLEM;
	}
	const zones = readFirewall(platform.files)?.zones;
	const missing = zones ? missingZones(read.config, zones) : [];
	for (const each of missing) platform.print("stderr", `${configPath}: ${each}\n`);
	if (missing.length > 0) return MISFIT;
	platform.print("stdout", `${configPath}: fine\n`);
	return FINE;
}
