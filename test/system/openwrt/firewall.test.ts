import { describe, expect, test } from "vitest";
import { findPrograms } from "../../../src/system/kernel/programs.ts";
import { askRoute, readRoute } from "../../../src/system/kernel/route.ts";
import { findIncludes, parseFirewall, readFirewall } from "../../../src/system/openwrt/firewall.ts";
import { FakePlatform } from "../../fakes/platform.ts";

describe("fw4's configuration", () => {
	test("has defaults of its own", () => {
		expect(parseFirewall("")).toEqual({ autoIncludes: true, scripts: [], nftables: [] });
	});

	test("names includes by type; one without a type is a script, one that is off is none", () => {
		const text = `
config defaults
	option auto_includes '0'
config include 'bgpwarden'
	option type 'script'
	option path '/usr/lib/bgpwarden/firewall.include'
config include
	option path '/etc/firewall.user'
config include
	option type 'nftables'
	option path '/etc/my.nft'
config include
	option enabled '0'
	option path '/etc/off'
`;
		expect(parseFirewall(text)).toEqual({
			autoIncludes: false,
			scripts: ["/usr/lib/bgpwarden/firewall.include", "/etc/firewall.user"],
			nftables: ["/etc/my.nft"],
		});
	});

	test("that is no UCI, or not there, is none", () => {
		expect(parseFirewall("rubbish")).toBeUndefined();
		expect(readFirewall(new FakePlatform().files)).toBeUndefined();
	});
});

describe("files of fw4's transaction that name the table", () => {
	const firewall = { autoIncludes: true, scripts: [], nftables: ["/etc/my.nft"] };
	function files() {
		const { files: all } = new FakePlatform();
		all.set("/etc/my.nft", "# custom_bgp\n");
		all.set("/usr/share/nftables.d/ruleset-post/a.nft", "\n  table inet custom_bgp {\n}\n");
		all.set("/usr/share/nftables.d/chain-pre/input/b.nft", "jump custom_bgp\n");
		all.set("/usr/share/nftables.d/ruleset-post/c.nft", "table inet custom_bgp2 { }\n");
		all.set("/usr/share/nftables.d/ruleset-post/d.txt", "table inet custom_bgp { }\n");
		all.set("/etc/nftables.d/e.nft", "delete table inet custom_bgp;\n");
		return all;
	}

	test("are found, comments, other names and other files aside", () => {
		expect(findIncludes(files(), firewall, "custom_bgp")).toEqual([
			{ path: "/usr/share/nftables.d/ruleset-post/a.nft", line: "table inet custom_bgp {" },
			{ path: "/usr/share/nftables.d/chain-pre/input/b.nft", line: "jump custom_bgp" },
			{ path: "/etc/nftables.d/e.nft", line: "delete table inet custom_bgp;" },
		]);
	});

	test("do not count where fw4 does not take them", () => {
		const paths = findIncludes(files(), { ...firewall, autoIncludes: false }, "custom_bgp").map(
			({ path }) => path,
		);
		expect(paths).toEqual(["/etc/nftables.d/e.nft"]);
		expect(findIncludes(files(), undefined, "custom_bgp")).toEqual([]);
	});
});

describe("the kernel's route", () => {
	test.each([
		[
			"192.168.1.2 dev br-lan src 192.168.1.1 uid 0 \n    cache \n",
			{ interface: "br-lan", source: "192.168.1.1" },
		],
		[
			"10.0.0.9 via 192.168.1.2 dev br-lan  src 192.168.1.1 \n",
			{ interface: "br-lan", gateway: "192.168.1.2", source: "192.168.1.1" },
		],
		[
			"fd00:1::2 from :: dev br-lan proto kernel src fd00:1::1 metric 256 pref medium\n",
			{ interface: "br-lan", source: "fd00:1::1" },
		],
		["100.64.0.9 dev tailscale0 table 52\n", { interface: "tailscale0" }],
		["", undefined],
		["RTNETLINK answers: Network is unreachable\n", undefined],
	])("%j", (text, route) => {
		expect(readRoute(text)).toEqual(route);
	});

	test("of a link-local address is asked for by its interface", async () => {
		const platform = new FakePlatform();
		const asked = askRoute(platform, "fe80::2", "br-lan");
		platform.advance(3000);
		expect(platform.children.map(({ argv }) => argv)).toEqual([
			["ip", "-6", "route", "get", "fe80::2", "oif", "br-lan"],
		]);
		expect(await asked).toBeUndefined();
	});
});

test("programs are looked for in PATH, or where they usually are", () => {
	const platform = new FakePlatform();
	platform.files.set("/usr/sbin/nft", "");
	platform.files.set("/usr/sbin/ip", "", "directory");
	platform.files.set("/opt/birdcl", "");
	expect([...findPrograms(platform)]).toEqual(["nft"]);
});
