import { afterEach, expect, test } from "vitest";
import { fw4Flush, fw4Restart, fw4Table, startBird } from "../../programs.ts";
import { until } from "../../wait.ts";
import { birdConfig, sessions } from "../addresses.ts";
import type { Guest } from "../guest.ts";
import { Mihomo } from "../mihomo.ts";
import { mihomoRedirect, nikkiDefault } from "../rulesets.ts";
import { startTailnet, type Tailnet, Tailscale } from "../tailscale.ts";
import { statesOf, untilUp, World } from "../world.ts";

let world: World;
afterEach(() => world.stop());

async function guestsOf(tailnet: Tailnet): Promise<Guest[]> {
	const { lab, router, procd } = world;
	return [await Tailscale.install(router, procd, tailnet), new Mihomo(lab, procd, mihomoRedirect)];
}

const savedTable = "/etc/bgpwarden/table.nft";

test.each([3, 2] as const)(
	"all guests at once, in the order of a boot, while the speaker dials (BIRD %s)",
	async (version) => {
		world = await World.start({ bird: version });
		const { lab, router, procd, warden } = world;
		const tailnet = await startTailnet(lab);
		await lab.powerOff();
		await until("the speaker to notice", () => world.frr.vtysh("show bgp summary"), {
			holds: (summary) =>
				!/ \d+ +\d+ \S+$/m.test(summary) || summary.includes("Active") || summary.includes("Connect"),
		});

		// START: bgpwarden 18 (its saved table), firewall 19, network 20, BIRD 70, Tailscale 80, Mihomo 99
		await router.run(["nft", "-f", savedTable]);
		await procd.boot();
		const daemon = warden.start();
		await router.nft(fw4Table);
		await lab.powerOn();
		await router.run(["ip", "route", "add", "default", "via", "192.168.10.10"]);
		const bird = await startBird(router, birdConfig({ passive: true }), version);
		const guests = (await guestsOf(tailnet)).sort((one, other) => one.order - other.order);
		for (const guest of guests) await guest.start();

		await untilUp(bird, 30_000);
		await daemon.untilStatus(
			"all peers Established",
			({ peers }) => peers.length === sessions.length && peers.every(({ state }) => state === "Established"),
		);
		for (const guest of guests) await guest.works();
		expect(await world.tracked()).toEqual([]);
		expect(warden.status()?.router.problem).toBeUndefined();
	},
);

test("guests before the daemon: what they have caught is freed when it starts", async () => {
	world = await World.start({ bird: 3 });
	const { lab, router, warden } = world;
	await world.daemon.stop();
	await router.run(["nft", "delete", "table", "inet", "custom_bgp"]);
	const guest = new Mihomo(lab, world.procd, nikkiDefault);
	await guest.start();
	await world.bird.control("restart all");
	const daemon = warden.start();
	await daemon.untilStatus("the table is in place", ({ router: status }) => status.protection !== "missing");
	await untilUp(world.bird, 15_000);
	await guest.works();
	expect(await world.tracked()).toEqual([]);
});

test("firewall stop and start between: the sessions stay, and the guests come back", async () => {
	world = await World.start({ bird: 3 });
	const tailnet = await startTailnet(world.lab);
	const guests = await guestsOf(tailnet);
	for (const guest of guests) await guest.start();
	for (const round of [1, 2]) {
		await world.act(`firewall stopped (${round})`, async () => {
			await fw4Flush(world.router);
			await world.procd.changed("firewall", "stop");
		});
		await world.act(`firewall started, guests restarted (${round})`, async () => {
			await fw4Restart(world.router);
			await world.procd.changed("firewall", "start");
			for (const guest of guests) {
				await guest.stop();
				await guest.start();
			}
		});
		for (const guest of guests) await guest.works();
	}
	const status = world.warden.status();
	expect(status?.router.problem).toBeUndefined();
	expect((await statesOf(world.bird)).size).toBe(sessions.length);
	expect(
		world.outcomes.flatMap(({ lost }) => Object.values(lost)).every((milliseconds) => milliseconds <= 3000),
	).toBe(true);
});
