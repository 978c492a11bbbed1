import { describe, expect, test } from "vitest";
import type { Actor } from "../../../src/model/actor.ts";
import type { ServiceProcess } from "../../../src/model/service.ts";
import { attribute, type ServiceKnowledge } from "../../../src/warden/services/attribution.ts";

const nothing: ServiceKnowledge & { processes: ServiceProcess[] } = { processes: [], changed: {} };
const nft = { process: "nft", pid: 4711 };
const firewallStop = "/bin/sh /etc/rc.common /etc/init.d/firewall stop";

test("procd's own process, or one that it started", () => {
	const services = {
		processes: [
			{ service: "mihomo", instance: "mihomo", pid: 30 },
			{ service: "tailscale", instance: "instance1", pid: 20 },
		],
		changed: { mihomo: 990 },
	};
	expect(attribute({ process: "tailscaled", pid: 20 }, 1000, services)).toBe("tailscale");
	const ancestors = [
		{ pid: 25, command: "sh -c nft flush ruleset" },
		{ pid: 20, command: "/usr/sbin/tailscaled" },
	];
	expect(attribute({ ...nft, ancestors }, 1000, services)).toBe("tailscale");
});

test.each([
	["/etc/init.d/firewall stop", "firewall"],
	[firewallStop, "firewall"],
	["/bin/sh /etc/rc.common /etc/rc.d/S19firewall boot", "firewall"],
	["/bin/sh /etc/rc.common /etc/rc.d/K99passwall2 stop", "passwall2"],
	["ash /etc/init.d/sing-box restart", "sing-box"],
	["vi /etc/config/firewall", undefined],
	["nft -f /etc/init.d/", undefined],
])("an init script in the line of ancestors: %s", (command, service) => {
	expect(attribute({ ...nft, command }, 0, nothing)).toBe(service);
	expect(attribute({ ...nft, parent: command }, 0, nothing)).toBe(service);
	const ancestors = [
		{ pid: 2, command: "utpl -S /usr/share/firewall4/main.uc" },
		{ pid: 3, command },
	];
	expect(attribute({ ...nft, ancestors }, 0, nothing)).toBe(service);
});

test("the script that a person ran is the script's doing", () => {
	const ancestors = [
		{ pid: 2, command: firewallStop },
		{ pid: 3, command: "-ash" },
		{ pid: 4, command: "/usr/sbin/dropbear -F" },
	];
	expect(attribute({ ...nft, ancestors }, 0, nothing)).toBe("firewall");
});

describe("a program that belongs to a package", () => {
	const by = (program: string, changed: Record<string, number> = {}, processes = nothing.processes) =>
		attribute({ process: program, pid: 4711 }, 100_000, { processes, changed });

	test("of one service", () => {
		expect(by("tailscaled")).toBe("tailscale");
		expect(by("tailscaled", { mihomo: 99_000 })).toBe("tailscale");
	});

	test("of several: the one that is known here", () => {
		expect(by("mihomo")).toBeUndefined();
		expect(by("mihomo", { nikki: 5 })).toBe("nikki");
		expect(by("mihomo", {}, [{ service: "nikki", instance: "nikki", pid: 9 }])).toBe("nikki");
		expect(by("mihomo", { mihomo: 5, nikki: 5 })).toBeUndefined();
	});

	test("as an ancestor, when procd has not told its new process yet", () => {
		const ancestors = [
			{ pid: 5, command: "sh -c nft flush ruleset" },
			{ pid: 4, command: "/usr/bin/sing-box run -c /etc/sing-box.json" },
		];
		const changed = { "sing-box": 99_000, firewall: 99_500 };
		expect(attribute({ ...nft, ancestors }, 100_000, { processes: [], changed })).toBe("sing-box");
	});
});

test("else the only service that changed around that time", () => {
	const at = 100_000;
	const seen = { ...nft, command: "nft flush ruleset" };
	const among = (changed: Record<string, number>, actor: Actor = seen) =>
		attribute(actor, at, { processes: [], changed });
	expect(among({ mihomo: at - 10_000 })).toBe("mihomo");
	expect(among({ mihomo: at + 2000 })).toBe("mihomo");
	expect(among({ mihomo: at - 10_001 })).toBeUndefined();
	expect(among({ mihomo: at + 2001 })).toBeUndefined();
	expect(among({ mihomo: at - 5000, nikki: at - 10 })).toBeUndefined();
	expect(among({ mihomo: at - 5000, nikki: 0 })).toBe("mihomo");
	expect(among({})).toBeUndefined();
	// Nobody could look at this one any more: only what procd tells afterwards says something about it.
	expect(among({ mihomo: at - 200 }, nft)).toBeUndefined();
	expect(among({ nikki: at - 200, mihomo: at + 2000 }, nft)).toBe("mihomo");
	expect(attribute(undefined, at, { processes: [], changed: { mihomo: at } })).toBe("mihomo");
});

test.each([
	"/usr/sbin/dropbear -F -P /var/run/dropbear.1.pid",
	"-ash",
	"sshd: root@pts/0",
	"/bin/login -f root",
	"/bin/ash --login",
	"/usr/sbin/crond -f -c /etc/crontabs -l 5",
	"/bin/sh /sbin/hotplug-call iface",
	"/sbin/rpcd -s /var/run/ubus/ubus.sock -t 30",
])("what has another origin is no service's doing: %s", (command) => {
	const changed = { mihomo: 999 };
	const ancestors = [{ pid: 3, command }];
	expect(attribute({ ...nft, ancestors }, 1000, { processes: [], changed })).toBeUndefined();
});
