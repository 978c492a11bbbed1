import { examine } from "../doctor/collect.ts";
import { examineService, type ServiceRequest } from "../doctor/service/collect.ts";
import { toJson } from "../lib/printable.ts";
import type { Platform } from "../platform/types.ts";
import { FINE, type Paths, PROBLEM, textOptions } from "./context.ts";
import { renderReport } from "./text/doctor-report.ts";

/**
 * `doctor`: what is wrong, why, and what to do, also without a daemon. Exit 1 when anything is broken.
 * @param options.service what to look at in place of the whole router: the way to this service
 * @param built when the program was built, milliseconds since 1970; 0: not known
 */
export async function doctor(
	platform: Platform,
	paths: Paths,
	{ json, service }: { readonly json: boolean; readonly service?: ServiceRequest },
	built: number,
): Promise<number> {
	const options = { ...paths, built };
	const report = await (service ? examineService(platform, options, service) : examine(platform, options));
	platform.print("stdout", json ? `${toJson(report, "\t")}\n` : renderReport(report, textOptions(platform)));
	return report.level === "red" ? PROBLEM : FINE;
}
