import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { examine } from "../../src/doctor/collect.ts";
import { FakePlatform } from "../fakes/platform.ts";

const peer = `config peer
	option name 'waukeen'
	option address '192.168.1.2'
`;

test("the interface towards the thirty-third peer is told without a process", async () => {
	const platform = new FakePlatform();
	const names = Array.from({ length: 40 }, (_, index) => index + 2);
	const peers = names.map((n) => `config peer\n\toption name 'n${n}'\n\toption address '192.168.1.${n}'\n`);
	platform.files.set("/etc/config/bgpwarden", peers.join(""));
	platform.files.set("/proc/net/fib_trie", "  |-- 192.168.1.1\n     /32 host LOCAL\n");
	platform.files.set("/proc/net/route", "br-lan\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
	platform.program("ip", (child) => {
		child.out("192.168.1.2 dev br-lan src 192.168.1.1 \n");
		child.end(0);
	});
	const rules = readFileSync(new URL("../fixtures/nft/nft-1.1.3-ruleset-fw4.json", import.meta.url), "utf8");
	platform.program("nft", (child) => {
		child.out(rules);
		child.end(0);
	});
	const report = examine(platform, {
		configPath: "/etc/config/bgpwarden",
		runDirectory: "/var/run/bgpwarden",
		built: 0,
	});
	await platform.settle();
	platform.advance(60_000);
	await platform.settle();
	const { causes, review } = await report;
	const blocked = [...causes, ...review]
		.filter(({ id }) => id === "bgp-blocked")
		.map(({ subject }) => subject);
	expect(blocked).toEqual([]);
	expect(platform.children.filter(({ argv }) => argv[0] === "ip")).toHaveLength(32);
});

test.each([
	["as the router's own BGP takes it", "option route_mark '0x80000'", ["mark", "524288"]],
	["without a mark where none is set", "option route_mark 'keep'", []],
])("the route to a peer is asked for %s", async (_, option, words) => {
	const platform = new FakePlatform();
	platform.files.set("/etc/config/bgpwarden", `config bgpwarden 'main'\n\t${option}\n${peer}`);
	platform.program("ip", (child) => {
		child.out("192.168.1.2 dev br-lan src 192.168.1.1 \n");
		child.end(0);
	});
	const options = { configPath: "/etc/config/bgpwarden", runDirectory: "/var/run/bgpwarden", built: 0 };
	const report = examine(platform, options);
	await platform.settle();
	platform.advance(60_000);
	await platform.settle();
	await report;
	const [asked] = platform.children
		.filter(({ argv }) => argv[0] === "ip" && argv.includes("route"))
		.map(({ argv }) => argv.slice(1));
	expect(asked).toEqual(["-4", "route", "get", "192.168.1.2", ...words]);
});
