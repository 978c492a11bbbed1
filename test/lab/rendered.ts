import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { uciConfig, type Warden } from "./daemon.ts";
import { network } from "./network.ts";
import { bundle } from "./paths.ts";
import type { Bird } from "./programs.ts";
import { until } from "./wait.ts";

/** What `render` prints, and whether it holds. */

const { router, speaker, peer: name } = network;

export interface Given {
	readonly family: 4 | 6;
	readonly multihop: boolean;
	/** More options of the section, or others in the place of these; undefined: not there. */
	readonly options?: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** The article's peer as a section of the configuration. */
export function config({ family, multihop, options = {} }: Given) {
	const peer = {
		name,
		address: family === 4 ? speaker.address : speaker.address6,
		local_address: family === 4 ? router.lan : router.lan6,
		local_as: router.as,
		remote_as: speaker.as,
		interface: router.lanInterface,
		multihop,
		...options,
	};
	const said = Object.entries(peer).flatMap(([option, value]) =>
		value === undefined ? [] : [[option, value]],
	);
	return { mqtt: { enabled: false }, peers: [Object.fromEntries(said)] };
}

/** What `render` prints under qjs on the router; node prints the same. */
export async function rendered(warden: Warden, given: Given, ...words: string[]): Promise<string> {
	const { stdout, stderr, code } = await warden.cli(["render", ...words]);
	expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
	const directory = mkdtempSync(join(tmpdir(), "bgpwarden-render-"));
	const file = join(directory, "config");
	writeFileSync(file, uciConfig(config(given)));
	expect(
		execFileSync(process.execPath, [bundle, "render", ...words, "--config", file], { encoding: "utf8" }),
	).toBe(stdout);
	rmSync(directory, { recursive: true });
	return stdout;
}

/** What BIRD says of a session, which it tries again at once where it would wait. */
export async function session(bird: Bird, protocol: string = name): Promise<string> {
	const text = await bird.control(`show protocols all ${protocol}`);
	// Single-hop BFD falls once as FRR dials, and BIRD may then wait 60 s (see world.lab.ts).
	if (/Error: BFD session down/.test(text)) await bird.control(`restart ${protocol}`);
	return text;
}

/** Waits until the session is up. @returns what BIRD says of it then */
export function established(bird: Bird, protocol: string = name): Promise<string> {
	return until("the session", () => session(bird, protocol), {
		holds: (text) => /BGP state:\s+Established/.test(text),
		timeout: 40_000,
	});
}

/** `render bird --check --live` has nothing to say. */
export async function fits(warden: Warden): Promise<void> {
	expect(await warden.cli(["render", "bird", "--check", "--live"])).toMatchObject({
		code: 0,
		stdout: expect.stringMatching(/^(note: .* are not seen from here\n)?[^\n]+: fits\nBIRD [\d.]+: fits\n$/),
	});
}
