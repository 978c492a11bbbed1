import { describe, expect, test } from "vitest";
import type { Report } from "../../src/doctor/judge.ts";
import { examineService, type ServiceRequest } from "../../src/doctor/service/collect.ts";
import { FakePlatform } from "../fakes/platform.ts";

const options = { configPath: "/etc/config/bgpwarden", runDirectory: "/var/run/bgpwarden", built: 0 };
/** `br-lan` and `br-iot`, and a default route by `eth1`. */
const ROUTES = [
	"eth1\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0",
	"eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
	"br-lan\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
	"br-lan\t0001A8C0\t00000000\t0001\t0\t0\t32\t00FFFFFF\t0\t0\t0",
	"br-iot\t000AA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
].join("\n");
const OWN = ["192.168.1.1", "192.168.10.1", "10.0.0.2"]
	.map((address) => `  |-- ${address}\n     /32 host LOCAL\n`)
	.join("");
const LISTING =
	"default via 10.0.0.1 dev eth1 \n192.168.20.1 via 192.168.1.2 dev br-lan proto bird metric 32 \n";

/** Rules that mark what comes from `br-iot`. */
const MARKING = JSON.stringify({
	nftables: [
		{ metainfo: { version: "1.1.3" } },
		{ table: { family: "inet", name: "m" } },
		{
			chain: {
				...{ family: "inet", table: "m", name: "c", type: "filter" },
				...{ hook: "prerouting", prio: -150, policy: "accept" },
			},
		},
		{
			rule: {
				...{ family: "inet", table: "m", chain: "c", handle: 1 },
				expr: [
					{ match: { op: "==", left: { meta: { key: "iifname" } }, right: "br-iot" } },
					{ mangle: { key: { meta: { key: "mark" } }, value: 256 } },
				],
			},
		},
	],
});

/** A router without BIRD. @param ip what `ip` answers, by its words; undefined: it fails */
async function examined(
	request: Partial<ServiceRequest>,
	ip: (words: string) => string | undefined,
	rules = '{"nftables": []}',
): Promise<{ report: Report; asked: string[] }> {
	const platform = new FakePlatform();
	platform.files.set("/etc/config/bgpwarden", "");
	platform.files.set("/proc/net/fib_trie", OWN);
	platform.files.set("/proc/net/route", ROUTES);
	platform.files.set("/proc/sys/net/ipv4/ip_forward", "1\n");
	platform.program("nft", (child) => {
		child.out(rules);
		child.end(0);
	});
	platform.program("ping", (child) => child.end(0));
	platform.program("ip", (child) => {
		const answer = ip(child.argv.slice(1).join(" "));
		if (answer !== undefined) child.out(answer);
		child.end(answer === undefined ? 2 : 0);
	});
	const promise = examineService(platform, options, { address: "192.168.20.1", ...request });
	for (let round = 0; round < 20; round++) {
		await platform.settle();
		platform.advance(1000);
	}
	const asked = platform.children
		.filter(({ argv }) => argv[0] === "ip" || argv[0] === "ping")
		.map(({ argv }) => argv.join(" "));
	return { report: await promise, asked };
}

function answers(words: string): string | undefined {
	if (words.includes("route show")) return LISTING;
	if (words.endsWith("rule")) return "0:\tfrom all lookup local\n1000:\tfrom all fwmark 0x100 lookup 52\n";
	if (words.includes("link show")) return "2: br-lan: <UP> mtu 1500 qdisc noqueue\n";
	if (words.includes("neigh")) return "192.168.1.2 dev br-lan lladdr 02:00:00:00:00:01 REACHABLE\n";
	if (words.endsWith("mark 256")) return "192.168.20.1 from 192.168.10.2 dev tun0 table 52 mark 0x100\n";
	if (words.includes("route get 192.168.20.1")) return "192.168.20.1 via 192.168.1.2 dev br-lan\n";
	const to = /route get (\S+)/.exec(words)?.[1] ?? "";
	return `${to} dev ${to.startsWith("192.168.10.") ? "br-iot" : "br-lan"}\n`;
}

describe("what the kernel is asked", () => {
	test("one host of each network of the router's, but the uplink's; none is a next hop; each network once", async () => {
		const { asked, report } = await examined({}, answers);
		expect(asked.filter((line) => line.includes(" get 192.168.20.1 "))).toEqual([
			"ip -4 route get 192.168.20.1 from 192.168.1.3 iif br-lan",
			"ip -4 route get 192.168.20.1 from 192.168.10.2 iif br-iot",
		]);
		expect(asked.filter((line) => line.includes(" get 192.168.1"))).toEqual([
			"ip -4 route get 192.168.1.3 from 192.168.20.1 iif br-lan",
			"ip -4 route get 192.168.10.2 from 192.168.20.1 iif br-lan",
		]);
		expect(asked).toContain("ping -c 1 -W 1 192.168.1.2");
		expect(report.service?.path.map(({ at, text }) => `${at}: ${text}`)).toContain(
			"next hop: via 192.168.1.2 on br-lan: REACHABLE",
		);
	});

	test("the one client that was asked about", async () => {
		const { asked } = await examined({ from: "192.168.10.77" }, answers);
		expect(asked).toContain("ip -4 route get 192.168.20.1 from 192.168.10.77 iif br-iot");
		expect(asked.filter((line) => line.includes(" iif br-iot"))).toHaveLength(1);
	});

	test("not about the router itself as a client", async () => {
		const { asked, report } = await examined({ from: "192.168.10.1" }, answers);
		expect(asked.filter((line) => line.includes(" get "))).toEqual([]);
		expect(report.causes.map(({ id }) => id)).toEqual(["service-no-route"]);
	});

	test("with the mark that the firewall's rules set", async () => {
		const { report } = await examined({ from: "192.168.10.2" }, answers, MARKING);
		expect(report.causes.map(({ id, evidence }) => [id, evidence])).toEqual([
			["service-rule", ["1000: from all fwmark 0x100 lookup 52"]],
		]);
	});

	test("without the mark where ip does not know it", async () => {
		const busybox = (words: string) => (words.includes("mark") ? undefined : answers(words));
		const { report } = await examined({ from: "192.168.10.2" }, busybox, MARKING);
		expect(report.causes).toEqual([]);
	});
});

test("what does not answer is said, and nothing is made of it", async () => {
	const { report } = await examined({ port: 80 }, () => undefined);
	expect(report.causes).toEqual([]);
	expect(report.review.at(-1)?.evidence).toEqual([
		"not looked at: the kernel's routes (ip)",
		"not looked at: ip rule",
		expect.stringContaining("not looked at: BIRD does not run"),
		"not looked at: whether the service answers (nc)",
	]);
});
