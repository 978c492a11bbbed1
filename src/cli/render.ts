/** `render`: configurations out of /etc/config/bgpwarden, and the running BIRD compared with its own. */

import { defaultConfig } from "../config/load.ts";
import { peerLines, readConfiguration, settingsOf } from "../config/read.ts";
import { toJson } from "../lib/printable.ts";
import type { Config } from "../model/config.ts";
import { tableSpec } from "../model/table.ts";
import type { Platform } from "../platform/types.ts";
import { renderBird } from "../render/bird-conf.ts";
import { renderCilium } from "../render/cilium.ts";
import { type Comparison, compareFile, compareRunning } from "../render/compare.ts";
import { renderFrr } from "../render/frr-conf.ts";
import { renderFrrK8s } from "../render/frr-k8s.ts";
import { renderMetallb } from "../render/metallb.ts";
import type { Rendered } from "../render/misfits.ts";
import { makePlan, type Plan } from "../render/plan.ts";
import { readBirdConfiguration } from "../system/bird/conf/read-files.ts";
import { readBirdOnce } from "../system/bird/read-once.ts";
import { renderTable } from "../system/nft/table-text.ts";
import { portsInUse } from "../warden/ports.ts";
import type { RenderOptions } from "./arguments.ts";
import { FINE, PROBLEM } from "./context.ts";
import { renderComparison } from "./text/comparison.ts";

/** @returns the exit code: 1 for a mistake in the configuration, or for differences */
export function render(
	platform: Platform,
	configPath: string,
	options: RenderOptions,
): number | Promise<number> {
	const exists = platform.files.status(configPath) !== undefined;
	const read = exists ? readConfiguration(platform.files, configPath) : { config: defaultConfig() };
	if ("errors" in read) return failed(platform, read.errors);
	const { what, pools = [], secrets = false } = options;
	if (what === "nft") return print(platform, renderNft(read.config));
	const lines = exists ? peerLines(platform.files, configPath) : [];
	const place = (peer: number) => `${configPath}:${lines[peer] ?? 1}`;
	const plan = makePlan(read.config, what, configPath, place, { pools, secrets });
	if ("errors" in plan) return failed(platform, plan.errors);
	if (options.check) return check(platform, read.config, plan, options);
	const done = (text: string | { readonly error: string }) =>
		typeof text === "string" ? print(platform, text) : failed(platform, [`render ${what}: ${text.error}`]);
	if (what === "bird") return done(renderBird(plan));
	if (what === "frr") return done(renderFrr(plan));
	return done(MANIFESTS[what](plan));
}

const MANIFESTS: Readonly<
	Record<Exclude<Rendered, "bird" | "frr">, (plan: Plan) => string | { readonly error: string }>
> = { metallb: renderMetallb, "frr-k8s": renderFrrK8s, cilium: renderCilium };

function renderNft(config: Config): string {
	const settings = settingsOf(config);
	return renderTable(tableSpec(config.main, settings.addresses, portsInUse(settings, undefined)));
}

function check(
	platform: Platform,
	config: Config,
	plan: Plan,
	options: RenderOptions,
): number | Promise<number> {
	const { birdSocket } = config.main;
	const bird = readBirdConfiguration(platform.files, birdSocket);
	if ("error" in bird) return failed(platform, [`render bird: ${bird.error}`]);
	const file = compareFile(plan, bird.configuration);
	const compared: Compared[] = [{ of: bird.path, ...file, notes: [...bird.problems, ...file.notes] }];
	if (!options.live) return report(platform, compared, options.json);
	return readBirdOnce(platform, birdSocket).then((found) => {
		if ("reason" in found) return failed(platform, [`render bird: ${found.reason}`]);
		const { reading } = found;
		compared.push({ of: `BIRD ${reading.version ?? ""}`.trim(), ...compareRunning(plan, reading.peers) });
		return report(platform, compared, options.json);
	});
}

type Compared = Comparison & { readonly of: string };

function report(platform: Platform, compared: readonly Compared[], json: boolean): number {
	const fits = compared.every(({ differences }) => differences.length === 0);
	const text = json
		? `${toJson({ fits, compared }, "\t")}\n`
		: compared.map(({ of, ...comparison }) => renderComparison(of, comparison)).join("");
	platform.print("stdout", text);
	return fits ? FINE : PROBLEM;
}

function print(platform: Platform, text: string): number {
	platform.print("stdout", text);
	return FINE;
}

function failed(platform: Platform, lines: readonly string[]): number {
	for (const line of lines) platform.print("stderr", `${line}\n`);
	return PROBLEM;
}
