import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BirdConfiguration } from "../../../src/model/bird-configuration.ts";
import { parseProtocols } from "../../../src/system/bird/protocol-reader.ts";
import { parseReply } from "../../../src/system/bird/replies.ts";
import { type Lab, startLab } from "../lab.ts";
import { birdSocket, startBird } from "../programs.ts";
import { birdVersions } from "../world.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

const fixtures = new URL("../../fixtures/bird-conf/", import.meta.url);

test.each(birdVersions)(
	"what the reader sees in an odd file is what BIRD %s makes of it",
	async (version) => {
		// Given the file and what the reader is known to see in it (test/system/bird/conf/parse-conf.test.ts)
		const text = (name: string) => readFileSync(new URL(name, fixtures), "utf8");
		for (const part of ["odd.d/10-first.conf", "odd.d/20-second", "odd.d/.hidden.conf"])
			lab.router.write(`/etc/${part}`, text(part));
		const read: BirdConfiguration = JSON.parse(text("odd.json"));

		// When BIRD runs with it
		const bird = await lab.router.run(["bird", "--version"]);
		// BIRD 2.0 does not know that a function says what it returns.
		const isOld = `${bird.stdout}${bird.stderr}`.includes("version 2.0.");
		await startBird(lab.router, isOld ? text("odd.conf").replace(" -> bool", "") : text("odd.conf"), version);
		const { stdout } = await lab.router.run(["birdcl", "-v", "-s", birdSocket, "show", "protocols", "all"]);

		// Then both have the same protocols, with the same ends
		const reply = parseReply(stdout.slice(stdout.indexOf("2002-")));
		const peers = (reply && parseProtocols(reply)) ?? [];
		const seen = peers.map(({ name, neighborAddress, neighborRange, neighborAs, localAs }) => ({
			name,
			neighborAddress,
			neighborRange,
			neighborAs,
			localAs,
		}));
		const wanted = read.bgp.map(({ name, neighborAddress, neighborRange, neighborAs, localAs }) => ({
			name,
			neighborAddress,
			neighborRange,
			// Where only its kind is known, BIRD knows no more: an internal neighbor's is ours.
			neighborAs: neighborAs === "internal" ? localAs : neighborAs === "external" ? undefined : neighborAs,
			localAs,
		}));
		const byName = (left: { name: string }, right: { name: string }) => (left.name < right.name ? -1 : 1);
		expect(seen.sort(byName)).toEqual(wanted.sort(byName));
		const limits = read.bgp.flatMap(({ channels }) =>
			channels.flatMap(({ receiveLimit, importLimit }) => [
				...(receiveLimit ? [`Receive ${receiveLimit.limit} ${receiveLimit.action}`] : []),
				...(importLimit ? [`Import ${importLimit.limit} ${importLimit.action}`] : []),
			]),
		);
		const seenLimits = stdout.matchAll(/ (\w+) limit: +(\d+)\n +Action: +(\w+)\n/g);
		expect([...seenLimits].map(([, ...words]) => words.join(" ")).sort()).toEqual(limits.sort());
		for (const [protocol, each] of [
			["BFD", read.bfd],
			["Direct", read.direct],
			["Kernel", read.kernel],
		] as const) {
			const rows = stdout.matchAll(new RegExp(`^1002-(\\S+)\\s+${protocol}\\s`, "gm"));
			expect([...rows].map(([, name]) => name).sort()).toEqual(each.map(({ name }) => name).sort());
		}
	},
);
