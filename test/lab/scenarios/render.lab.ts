import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { uciConfig, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { bundle } from "../paths.ts";
import { birdConfigFile, birdDirect, startBird, startFrr } from "../programs.ts";
import { until } from "../wait.ts";
import { birdVersions, newestBird } from "../world.ts";

const { router, speaker, peer: name } = network;

let lab: Lab;
let warden: Warden;
beforeEach(async () => {
	lab = await startLab();
	warden = new Warden(lab.router);
	warden.install();
});
afterEach(() => lab.stop());

interface Given {
	readonly family: 4 | 6;
	readonly multihop: boolean;
}

/** The article's peer as a section of the configuration. */
function config({ family, multihop }: Given) {
	return {
		mqtt: { enabled: false },
		peers: [
			{
				name,
				address: family === 4 ? speaker.address : speaker.address6,
				local_address: family === 4 ? router.lan : router.lan6,
				local_as: router.as,
				remote_as: speaker.as,
				interface: router.lanInterface,
				multihop,
			},
		],
	};
}

/** What `render` prints under qjs on the router; node prints the same. */
async function rendered(given: Given, ...words: string[]): Promise<string> {
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

describe("a rendered pair comes up with BFD on both ends, as it is", () => {
	const cases = birdVersions.flatMap((version) =>
		([4, 6] as const).flatMap((family) => [true, false].map((multihop) => ({ version, family, multihop }))),
	);
	test.each(cases)("BIRD $version, IPv$family, multihop: $multihop", async (given) => {
		// Given the router's and the speaker's configuration, rendered
		const { version, family, multihop } = given;
		const service = family === 4 ? network.service : network.service6;
		warden.configure(config(given));
		const birdText = await rendered(given, "bird", "--pool", service);
		const frrText = await rendered(given, "frr", "--pool", service);
		const metallb = await rendered(given, "metallb", "--pool", service);
		expect(metallb.includes("ebgpMultiHop: true")).toBe(multihop);

		// When both start with it
		const bird = await startBird(lab.router, birdText, version);
		const frr = await startFrr(lab.speaker, { config: frrText });

		// Then BGP and BFD are up on both ends
		const probe = async () => {
			const seen = { router: await bird.peer(), speaker: await frr.peer(family) };
			// Single-hop BFD falls once as FRR dials, and BIRD may then wait 60 s (see world.lab.ts).
			if (!multihop && seen.router.bgp === "Idle" && seen.router.bfd === "Up")
				await bird.control(`restart ${name}`);
			return seen;
		};
		await until("BGP and BFD on both ends", probe, {
			holds: (seen) =>
				JSON.stringify(seen) ===
				JSON.stringify({
					router: { bgp: "Established", bfd: "Up" },
					speaker: { bgp: "Established", bfd: "up" },
				}),
			timeout: 40_000,
		});
		// FRR tells it in every version, BIRD 2.0 does not.
		expect((await frr.vtysh("show bfd peers")).includes("multihop")).toBe(multihop);
		const protocol = await bird.control(`show protocols all ${name}`);
		expect(protocol).toMatch(/Hold timer:\s+[\d.]+\/15/);
		expect(protocol).toMatch(/Keepalive timer:\s+[\d.]+\/5/);
		await until("the service's route in the kernel", async () => {
			const { stdout } = await lab.router.run(["ip", `-${family}`, "route", "show", service]);
			return stdout.includes("proto bird");
		});

		// And the check agrees, with the file and with what runs
		const check = await warden.cli(["render", "bird", "--check", "--live"]);
		expect(check).toMatchObject({ code: 0, stderr: "" });
		expect(check.stdout).toMatch(new RegExp(`^${birdConfigFile}: fits\nBIRD ${version}\\.[\\d.]+: fits\n$`));
	});
});

describe("render bird --check", () => {
	const given: Given = { family: 4, multihop: true };

	test("names what is not as it would be, in the file and in what runs", async () => {
		// Given the article's router, which lacks what the article's speaker needs
		warden.configure(config(given));
		const bird = await startBird(lab.router, birdDirect());
		const differences = await warden.cli(["render", "bird", "--check", "--live"]);
		expect(differences).toMatchObject({ code: 1, stderr: "" });
		expect(differences.stdout.split("\n")).toEqual([
			"waukeen: multihop: direct, wanted 2",
			"waukeen: hold time: 240 s, wanted 15 s",
			"protocol direct: none, wanted one with ipv4 on br-lan",
			`${birdConfigFile}: 3 differences`,
			"waukeen: bfd session: direct, wanted multihop",
			expect.stringMatching(new RegExp(`^BIRD ${newestBird}\\.[\\d.]+: 1 difference$`)),
			"",
		]);

		// When the file is replaced, but not loaded
		lab.router.write(birdConfigFile, await rendered(given, "bird"));
		const unloaded = await warden.cli(["render", "bird", "--check", "--live", "--json"]);
		expect(unloaded.code).toBe(1);
		expect(JSON.parse(unloaded.stdout)).toMatchObject({
			fits: false,
			compared: [
				{ of: birdConfigFile, differences: [], notes: [] },
				{ differences: [{ peer: name, what: "bfd session", there: "direct", wanted: "multihop" }] },
			],
		});

		// Then a BIRD that has loaded it fits
		await bird.stop();
		await startBird(lab.router, await rendered(given, "bird"));
		await until("BIRD to run it", () => warden.cli(["render", "bird", "--check", "--live"]), {
			holds: ({ code }) => code === 0,
		});
	});

	test("finds the file of the BIRD that runs, wherever it is", async () => {
		warden.configure(config(given));
		const text = await rendered(given, "bird");
		lab.router.write(birdConfigFile, "protocol device { }\n");
		lab.router.write("/srv/router/main.conf", 'include "parts/*.conf";\n');
		lab.router.write("/srv/router/parts/bgp.conf", text);
		const process = lab.router.start(
			["sh", "-c", "cd /srv && exec bird -f -c router/main.conf -s /run/b.ctl"],
			{
				name: "bird",
			},
		);
		await until("BIRD to run", async () => {
			process.mustRun();
			return (
				(await lab.router.run(["birdcl", "-s", "/run/b.ctl", "show", "status"], { allowFailure: true }))
					.code === 0
			);
		});
		expect(await warden.cli(["render", "bird", "--check"])).toMatchObject({
			code: 0,
			stdout: "/srv/router/main.conf: fits\n",
		});
	});

	test("without a BIRD says so", async () => {
		warden.configure(config(given));
		await lab.router.run(["rm", "-f", birdConfigFile, "/etc/bird/bird.conf"]);
		expect(await warden.cli(["render", "bird", "--check"])).toMatchObject({
			code: 1,
			stdout: "",
			stderr:
				"render bird: no configuration of BIRD at /etc/bird.conf, /etc/bird/bird.conf, /usr/local/etc/bird.conf\n",
		});
		lab.router.write(birdConfigFile, await rendered(given, "bird"));
		expect(await warden.cli(["render", "bird", "--check", "--live"])).toMatchObject({
			code: 1,
			stdout: "",
			stderr: expect.stringMatching(/^render bird: BIRD does not run: no socket at /),
		});
	});
});
