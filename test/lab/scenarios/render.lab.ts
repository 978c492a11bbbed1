import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { uciConfig, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { bundle } from "../paths.ts";
import { type Bird, birdConfigFile, birdDirect, startBird, startFrr, startGobgp } from "../programs.ts";
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
	/** More options of the section, or others in the place of these; undefined: not there. */
	readonly options?: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** As far as this reads what `render cilium` prints. */
interface CiliumObject {
	readonly kind: string;
	readonly stringData?: { readonly password: string };
	readonly spec: {
		readonly bgpInstances?: readonly object[];
		readonly timers?: { readonly connectRetryTimeSeconds: number; readonly holdTimeSeconds: number };
		readonly gracefulRestart?: { readonly enabled: boolean };
		readonly ebgpMultihop?: number;
		readonly families?: readonly { readonly afi: string }[];
	};
}

/** The article's peer as a section of the configuration. */
function config({ family, multihop, options = {} }: Given) {
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

describe.each(birdVersions.map((version) => ({ version })))("rendered for BIRD $version", ({ version }) => {
	const services = [network.service, network.service6].flatMap((service) => ["--pool", service]);

	/** Starts both ends as they are rendered, with more for BIRD. */
	async function pair(given: Given, more = "") {
		warden.configure(config(given));
		const pools =
			given.options?.dual_stack || given.options?.node_interface ? services : services.slice(0, 2);
		const birdText = await rendered(given, "bird", "--secrets", ...pools);
		const frrText = await rendered(given, "frr", "--secrets", ...pools);
		const bird = await startBird(lab.router, birdText + more, version);
		return { bird, frr: await startFrr(lab.speaker, { config: frrText }) };
	}

	/** The kernel's routes to a service, as `ip route` prints them. */
	const routes = async (service: string) => {
		const family = service.includes(":") ? "-6" : "-4";
		return (await lab.router.run(["ip", family, "route", "show", service])).stdout;
	};
	/** Of one of BIRD's protocols; ranges make theirs when a node dials. */
	const established = (bird: Bird, protocol: string = name) => {
		const look = async () => {
			const text = await bird.control(`show protocols all ${protocol}`);
			// Single-hop BFD falls once as FRR dials, and BIRD may then wait 60 s (see world.lab.ts).
			if (/Error: BFD session down/.test(text)) await bird.control(`restart ${protocol}`);
			return text;
		};
		return until("the session", look, {
			holds: (text) => /BGP state:\s+Established/.test(text),
			timeout: 40_000,
		});
	};
	const upWithBfd = (bird: Bird) =>
		until("BFD", () => bird.control("show bfd sessions"), { holds: (text) => /\sUp\s/.test(text) });
	const fits = async () =>
		expect(await warden.cli(["render", "bird", "--check", "--live"])).toMatchObject({
			code: 0,
			stdout: expect.stringMatching(
				/^(note: .* are not seen from here\n)?[^\n]+: fits\nBIRD [\d.]+: fits\n$/,
			),
		});

	test("a password, graceful restart and a limit", async () => {
		const options = { password: "a|b#!;c", graceful_restart: true, max_prefixes: 1 };
		const { bird } = await pair({ family: 4, multihop: true, options });
		const text = await established(bird);
		await upWithBfd(bird);
		await fits();
		// FRR says that its routes stay while it restarts.
		expect(text).toMatch(/Graceful restart\s+Restart time: 120\s+(Restart recovery\s+)?AF supported: ipv4/);
		expect(text).toMatch(/Import limit:\s+1\s+Action:\s+block/);
		await until("the service's route in the kernel", () => routes(network.service), {
			holds: (route) => route.includes("proto bird"),
		});
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
			await rendered(given, "bird", "--secrets", ...services.slice(0, 2)),
			version,
		);
		const frrText = await rendered(given, "frr", "--secrets", ...services.slice(0, 2));
		for (const node of lab.nodes) await startFrr(node, { config: frrText });

		for (const number of [1, 2, 3]) await established(bird, `${name}${number}`);
		await until("BFD with each", () => bird.control("show bfd sessions"), {
			holds: (text) => text.match(/\sUp\s/g)?.length === 3,
		});
		await until("three next hops", () => routes(network.service), {
			holds: (route) => route.match(/nexthop via 192\.168\.1\.[234] /g)?.length === 3,
		});
		await fits();
	});

	test("dual stack over IPv4, and over IPv6", async () => {
		const given = { multihop: false, options: { dual_stack: true } } as const;
		for (const family of [4, 6] as const) {
			const { bird, frr } = await pair({ ...given, family });
			await established(bird);
			await fits();
			for (const service of [network.service, network.service6])
				await until(`the route to ${service} over IPv${family}`, () => routes(service), {
					holds: (route) => route.includes("proto bird"),
					// FRR may lose its first session to the BFD session that it replaces, and then waits for its timer.
					timeout: 30_000,
				});
			await Promise.all([bird.stop(), frr.stop()]);
		}
	});

	test.each([4, 6] as const)(
		"for Cilium, over IPv%i: GoBGP does what its CiliumBGPPeerConfig says",
		async (family) => {
			// Given a section with all that Cilium can do
			const options = {
				...{ speaker: "cilium", password: "correct-horse", graceful_restart: true },
				// Over IPv4 GoBGP's IPv6 next hops are IPv4 addresses, and `render` says so.
				...{ hold_time: 30, connect_time: 3, dual_stack: family === 6 },
			};
			const told = family === 6 ? [network.service, network.service6] : [network.service];
			const pools = told.flatMap((service) => ["--pool", service]);
			const given = { family, multihop: true, options };
			warden.configure(config(given));
			const bird = await startBird(lab.router, await rendered(given, "bird", "--secrets", ...pools), version);
			const objects = loadAll(await rendered(given, "cilium", "--secrets", ...pools)) as CiliumObject[];
			const specOf = (kind: string) => objects.find((object) => object.kind === kind);

			// When GoBGP is told what it says, as Cilium's agent tells it
			const [instance] = specOf("CiliumBGPClusterConfig")?.spec.bgpInstances ?? [];
			expect(instance).toMatchObject({
				localASN: speaker.as,
				peers: [{ peerASN: router.as, peerAddress: family === 4 ? router.lan : router.lan6 }],
			});
			const { timers, gracefulRestart, ebgpMultihop, families } = specOf("CiliumBGPPeerConfig")?.spec ?? {};
			const gobgp = await startGobgp(lab.speaker, {
				family,
				connectRetry: timers?.connectRetryTimeSeconds ?? 120,
				holdTime: timers?.holdTimeSeconds ?? 90,
				gracefulRestart: gracefulRestart?.enabled ?? false,
				multihop: ebgpMultihop ?? 1,
				password: specOf("Secret")?.stringData?.password ?? "",
				services: [network.service, network.service6],
			});
			expect(families?.map(({ afi }) => afi)).toEqual(family === 6 ? ["ipv4", "ipv6"] : ["ipv4"]);

			// Then the session comes up with it, and both families' services reach the kernel
			const text = await established(bird);
			expect(text).toMatch(/Hold timer:\s+[\d.]+\/30/);
			expect(text).toMatch(/Graceful restart\s+Restart time: 120\s+AF supported: ipv4( ipv6)?\n/);
			await until("GoBGP to say so", () => gobgp.peer(), { holds: ({ bgp }) => bgp === "Established" });
			await fits();
			for (const service of told)
				await until(`the route to ${service}`, () => routes(service), {
					holds: (route) => route.includes("proto bird"),
				});
		},
	);

	test("without addresses", async () => {
		const options = {
			...{ address: undefined, local_address: undefined, max_prefixes: 5, bfd: false },
			node_interface: "eth0",
		};
		// In the place of odhcpd.
		const advertisements = `protocol radv { interface "${router.lanInterface}" { max ra interval 4; default lifetime 0; }; }\n`;
		const { bird } = await pair({ family: 6, multihop: false, options }, advertisements);
		await established(bird, `${name}1`);
		await fits();
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
