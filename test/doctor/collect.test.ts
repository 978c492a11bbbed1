import { expect, test } from "vitest";
import { examine } from "../../src/doctor/collect.ts";
import { FakePlatform } from "../fakes/platform.ts";

const peer = `config peer
	option name 'waukeen'
	option address '192.168.1.2'
`;

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
	const [asked] = platform.children.filter(({ argv }) => argv[0] === "ip").map(({ argv }) => argv.slice(1));
	expect(asked).toEqual(["-4", "route", "get", "192.168.1.2", ...words]);
});
