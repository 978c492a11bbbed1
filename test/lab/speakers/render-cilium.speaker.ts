import { loadAll } from "js-yaml";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { startBird, startGobgp } from "../programs.ts";
import { config, established, fits, rendered } from "../rendered.ts";
import { until } from "../wait.ts";
import { birdVersions } from "../world.ts";

const { router, speaker } = network;

let lab: Lab;
let warden: Warden;
beforeEach(async () => {
	lab = await startLab();
	warden = new Warden(lab.router);
	warden.install();
});
afterEach(() => lab.stop());

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

const cases = birdVersions.flatMap((version) => ([4, 6] as const).map((family) => ({ version, family })));

test.each(cases)(
	"BIRD $version, IPv$family: GoBGP does what the rendered CiliumBGPPeerConfig says",
	async ({ version, family }) => {
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
		const bird = await startBird(
			lab.router,
			await rendered(warden, given, "bird", "--secrets", ...pools),
			version,
		);
		const objects = loadAll(await rendered(warden, given, "cilium", "--secrets", ...pools)) as CiliumObject[];
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
		await fits(warden);
		for (const service of told)
			await until(
				`the route to ${service}`,
				async () =>
					(await lab.router.run(["ip", `-${service.includes(":") ? 6 : 4}`, "route", "show", service]))
						.stdout,
				{
					holds: (route) => route.includes("proto bird"),
				},
			);
	},
);
