import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { type Bird, birdConfigFile, birdDirect, startBird, startFrr } from "../programs.ts";
import { config, established, fits, type Given, rendered, session } from "../rendered.ts";
import { until } from "../wait.ts";
import { birdVersions, newestBird } from "../world.ts";

const { router, peer: name } = network;

let lab: Lab;
let warden: Warden;
beforeEach(async () => {
	lab = await startLab();
	warden = new Warden(lab.router);
	warden.install();
});
afterEach(() => lab.stop());

describe("a rendered pair comes up with BFD on both ends, as it is", () => {
	const cases = birdVersions.flatMap((version) =>
		([4, 6] as const).flatMap((family) => [true, false].map((multihop) => ({ version, family, multihop }))),
	);
	test.each(cases)("BIRD $version, IPv$family, multihop: $multihop", async (given) => {
		// Given the router's and the speaker's configuration, rendered
		const { version, family, multihop } = given;
		const service = family === 4 ? network.service : network.service6;
		warden.configure(config(given));
		const birdText = await rendered(warden, given, "bird", "--pool", service);
		const frrText = await rendered(warden, given, "frr", "--pool", service);
		const metallb = await rendered(warden, given, "metallb", "--pool", service);
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

describe.each(birdVersions.map((version) => ({ version })))("rendered for BIRD $version", ({ version }) => {
	const services = [network.service, network.service6].flatMap((service) => ["--pool", service]);

	/** Starts both ends as they are rendered, with more for BIRD. */
	async function pair(given: Given, more = "") {
		warden.configure(config(given));
		const pools =
			given.options?.dual_stack || given.options?.node_interface ? services : services.slice(0, 2);
		const birdText = await rendered(warden, given, "bird", "--secrets", ...pools);
		const frrText = await rendered(warden, given, "frr", "--secrets", ...pools);
		const bird = await startBird(lab.router, birdText + more, version);
		return { bird, frr: await startFrr(lab.speaker, { config: frrText }) };
	}

	/** The kernel's routes to a service, as `ip route` prints them. */
	const routes = async (service: string) => {
		const family = service.includes(":") ? "-6" : "-4";
		return (await lab.router.run(["ip", family, "route", "show", service])).stdout;
	};
	/** Waits for a service's route. What has come up may be lost once more, to the BFD session that FRR replaces. */
	const routed = (bird: Bird, service: string) =>
		until(
			`the route to ${service}`,
			async () => {
				await session(bird);
				return routes(service);
			},
			{ holds: (route) => route.includes("proto bird"), timeout: 30_000 },
		);
	const upWithBfd = (bird: Bird) =>
		until("BFD", () => bird.control("show bfd sessions"), { holds: (text) => /\sUp\s/.test(text) });
	test("a password, graceful restart and a limit", async () => {
		const options = { password: "a|b#!;c", graceful_restart: true, max_prefixes: 1 };
		const { bird } = await pair({ family: 4, multihop: true, options });
		const text = await established(bird);
		await upWithBfd(bird);
		await fits(warden);
		// FRR says that its routes stay while it restarts.
		expect(text).toMatch(/Graceful restart\s+Restart time: 120\s+(Restart recovery\s+)?AF supported: ipv4/);
		expect(text).toMatch(/Import limit:\s+1\s+Action:\s+block/);
		await routed(bird, network.service);
	});

	// FRR 10.3 does not dial before single-hop BFD is up (FRRouting/frr#18562), so it is multihop or without BFD.
	test("a range with a password: the kernel has the next hop of each of three nodes", async () => {
		await lab.stop();
		lab = await startLab({ nodes: 3 });
		warden = new Warden(lab.router);
		warden.install();
		const options = { address: undefined, range: "192.168.1.0/24", password: "correct-horse" };
		const given = { family: 4, multihop: true, options } as const;
		warden.configure(config(given));
		const bird = await startBird(
			lab.router,
			await rendered(warden, given, "bird", "--secrets", ...services.slice(0, 2)),
			version,
		);
		const frrText = await rendered(warden, given, "frr", "--secrets", ...services.slice(0, 2));
		for (const node of lab.nodes) await startFrr(node, { config: frrText });

		for (const number of [1, 2, 3]) await established(bird, `${name}${number}`);
		await until("BFD with each", () => bird.control("show bfd sessions"), {
			holds: (text) => text.match(/\sUp\s/g)?.length === 3,
		});
		await until("three next hops", () => routes(network.service), {
			holds: (route) => route.match(/nexthop via 192\.168\.1\.[234] /g)?.length === 3,
		});
		await fits(warden);
	});

	test("dual stack over IPv4, and over IPv6", async () => {
		const given = { multihop: false, options: { dual_stack: true } } as const;
		for (const family of [4, 6] as const) {
			const { bird, frr } = await pair({ ...given, family });
			await established(bird);
			await fits(warden);
			for (const service of [network.service, network.service6]) await routed(bird, service);
			await Promise.all([bird.stop(), frr.stop()]);
		}
	});

	test("without addresses", async () => {
		const options = {
			...{ address: undefined, local_address: undefined, max_prefixes: 5, bfd: false },
			node_interface: "eth0",
		};
		// In the place of odhcpd.
		const advertisements = `protocol radv { interface "${router.lanInterface}" { max ra interval 4; default lifetime 0; }; }\n`;
		const { bird } = await pair({ family: 6, multihop: false, options }, advertisements);
		await established(bird, `${name}1`);
		await fits(warden);
		for (const service of [network.service, network.service6])
			await until(`the route to ${service}`, () => routes(service), {
				holds: (route) => route.includes(`dev ${router.lanInterface} proto bird`),
			});
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
			"waukeen: graceful restart: on, wanted aware",
			"waukeen: hold time: 240 s, wanted 15 s",
			"protocol direct: none, wanted one with ipv4 on br-lan",
			`${birdConfigFile}: 4 differences`,
			"waukeen: bfd session: direct, wanted multihop",
			expect.stringMatching(new RegExp(`^BIRD ${newestBird}\\.[\\d.]+: 1 difference$`)),
			"",
		]);

		// When the file is replaced, but not loaded
		lab.router.write(birdConfigFile, await rendered(warden, given, "bird"));
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
		await startBird(lab.router, await rendered(warden, given, "bird"));
		await until("BIRD to run it", () => warden.cli(["render", "bird", "--check", "--live"]), {
			holds: ({ code }) => code === 0,
		});
	});

	test("finds the file of the BIRD that runs, wherever it is", async () => {
		warden.configure(config(given));
		const text = await rendered(warden, given, "bird");
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
		lab.router.write(birdConfigFile, await rendered(warden, given, "bird"));
		expect(await warden.cli(["render", "bird", "--check", "--live"])).toMatchObject({
			code: 1,
			stdout: "",
			stderr: expect.stringMatching(/^render bird: BIRD does not run: no socket at /),
		});
	});
});
