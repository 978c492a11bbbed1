import { afterAll, beforeAll, expect, test } from "vitest";
import { network } from "../network.ts";
import {
	diagnose,
	isOpen,
	named,
	port,
	reach,
	type ServiceLab,
	service6,
	startServiceLab,
	untilHealthy,
} from "../service.ts";
import { until } from "../wait.ts";

/** IPv6, BIRD 2, and busybox's `ip` in the place of iproute2's, as on a router with nothing but OpenWrt's defaults. */
let world: ServiceLab;
beforeAll(async () => {
	world = await startServiceLab({ family: 6, version: 2 });
});
afterAll(() => world?.stop());

async function diagnoseByBusybox() {
	const { router } = world.lab;
	await router.run(["ln", "-sf", "/usr/bin/busybox", "/usr/local/sbin/ip"]);
	try {
		const asked = ["--port", String(port), "--from", network.broker.address6];
		return await diagnose(world.warden, asked, service6);
	} finally {
		await router.run(["rm", "/usr/local/sbin/ip"]);
	}
}

async function failing() {
	await until("the client to fail", () => reach(world.lab.broker, service6), {
		holds: (words) => !isOpen(words),
	});
	return diagnoseByBusybox();
}

test("a service that every client reaches", async () => {
	const { code, report, page } = await diagnoseByBusybox();
	expect(named(report)).toEqual([]);
	expect(code).toBe(0);
	expect(page).toMatch(/^kernel {6}fd00:20::1\/128 via fe80::\S+ on br-lan metric \d+$/m);
	expect(page).toContain("fd00:10::/64 (br-iot) > br-lan: passes");
});

test("a table drops what is forwarded", async () => {
	await world.lab.router.nft(
		"table ip6 t {\nchain c {\ntype filter hook forward priority 0;\nip6 daddr fd00:20::/64 drop\n}\n}\n",
	);
	const { report } = await failing();
	expect(named(report)).toEqual(["red service-blocked"]);
	await world.lab.router.nft("flush ruleset");
	await untilHealthy(world);
});

test("a route of another program wins", async () => {
	const route = [network.service6, "via", network.broker.address6, "dev", "br-iot", "metric", "1"];
	await world.lab.router.run(["ip", "route", "add", ...route]);
	const { report } = await failing();
	expect(named(report)).toEqual(["red service-other-route"]);
	await world.lab.router.run(["ip", "route", "del", ...route]);
	await untilHealthy(world);
});

test("the router does not forward", async () => {
	const set = (value: number) =>
		world.lab.router.run(["sysctl", "-qw", `net.ipv6.conf.all.forwarding=${value}`]);
	await set(0);
	const { report } = await failing();
	expect(named(report)).toEqual(["red service-forwarding-off"]);
	await set(1);
	await untilHealthy(world);
});
