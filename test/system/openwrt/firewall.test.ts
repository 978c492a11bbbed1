import { describe, expect, test } from "vitest";
import {
	FirewallFiles,
	firewallMeant,
	includesNaming,
	parseFirewall,
	readFirewall,
} from "../../../src/system/openwrt/firewall.ts";
import { FakePlatform } from "../../fakes/platform.ts";

describe("fw4's configuration", () => {
	test("has defaults of its own", () => {
		expect(parseFirewall("")).toEqual({ autoIncludes: true, scripts: [], nftables: [], zones: [] });
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
config zone
	option name 'lan'
config zone 'guests'
	option name 'guest'
	option enabled '0'
config zone 'unnamed'
`;
		expect(parseFirewall(text)).toEqual({
			autoIncludes: false,
			scripts: ["/usr/lib/bgpwarden/firewall.include", "/etc/firewall.user"],
			nftables: ["/etc/my.nft"],
			zones: ["lan"],
		});
	});

	test("that is no UCI, or not there, is none", () => {
		expect(parseFirewall("rubbish")).toBeUndefined();
		expect(readFirewall(new FakePlatform().files)).toBeUndefined();
	});
});

describe("files of fw4's transaction that name the table", () => {
	const NAMED = "table inet custom_bgp {\n}\n";
	/** The paths that are found. */
	function found(all: Record<string, string>, config?: string): string[] {
		const { files } = new FakePlatform();
		for (const [path, text] of Object.entries(all)) files.set(path, text);
		if (config !== undefined) files.set("/etc/config/firewall", config);
		return includesNaming(files, "custom_bgp").map(({ path }) => path);
	}
	const POST = "/usr/share/nftables.d/ruleset-post/a.nft";
	const include = (more: string) =>
		`config include\n\toption type nftables\n\toption path /etc/bgp.rules\n${more}`;

	test.each([
		["an include of any name", { "/etc/bgp.rules": NAMED }, include(""), ["/etc/bgp.rules"]],
		["an include that is disabled", { "/etc/bgp.rules": NAMED }, include("\toption enabled 0\n"), []],
		["a script", { "/etc/bgp.rules": NAMED }, "config include\n\toption path /etc/bgp.rules\n", []],
		[
			"a type that is cut short, as fw4 takes it",
			{ "/etc/bgp.rules": NAMED },
			include("").replace("nftables", "NFT"),
			["/etc/bgp.rules"],
		],
		["a file of another package's", { [POST]: NAMED }, "", [POST]],
		["the same without a configuration", { [POST]: NAMED }, undefined, [POST]],
		["the same with one that is no UCI", { [POST]: NAMED }, "rubbish", [POST]],
		[
			"the same where fw4 is not to take such files",
			{ [POST]: NAMED },
			"config defaults\n\toption auto_includes 0\n",
			[],
		],
		[
			"a file of a chain's",
			{ "/usr/share/nftables.d/chain-post/input/b.nft": NAMED },
			undefined,
			["/usr/share/nftables.d/chain-post/input/b.nft"],
		],
		[
			"a file that is always taken",
			{ "/etc/nftables.d/c.nft": NAMED },
			"config defaults\n\toption auto_includes 0\n",
			["/etc/nftables.d/c.nft"],
		],
		[
			"files with other endings, and hidden ones",
			{ "/etc/nftables.d/c.txt": NAMED, "/etc/nftables.d/.d.nft": NAMED },
			undefined,
			[],
		],
		["a place that fw4 does not know", { "/usr/share/nftables.d/other/e.nft": NAMED }, undefined, []],
	] as const)("%s", (_, all, config, paths) => {
		expect(found(all, config)).toEqual(paths);
	});

	test.each([
		["table inet custom_bgp { }", true],
		['delete table inet "custom_bgp"', true],
		["\tadd rule inet custom_bgp raw_pre counter", true],
		["define T = custom_bgp", true],
		["jump custom_bgp", false],
		["table inet custom_bgp2 { }", false],
		["table ip custom_bgp { }", false],
		["# table inet custom_bgp was here", false],
		["flush ruleset # but not table inet custom_bgp", false],
	])("the line %j: %s", (line, names) => {
		expect(found({ [POST]: `\n${line}\n` })).toEqual(names ? [POST] : []);
	});

	test("tell the line", () => {
		const { files } = new FakePlatform();
		files.set(POST, `\n  ${NAMED}`);
		expect(includesNaming(files, "custom_bgp")).toEqual([{ path: POST, line: "table inet custom_bgp {" }]);
	});
});

describe("fw4's table is meant to be there", () => {
	const meant = (...paths: string[]) => {
		const { files } = new FakePlatform();
		for (const path of paths) files.set(path, "");
		return firewallMeant(files);
	};
	test.each([
		["once fw4 has started", ["/var/run/fw4.state"], "started"],
		["while its service is enabled", ["/sbin/fw4", "/etc/rc.d/S19firewall", "/etc/rc.d/K89log"], "enabled"],
		["not where it is disabled", ["/sbin/fw4", "/etc/init.d/firewall", "/etc/rc.d/S19firewalld2"], undefined],
		["not where the firewall is an older one", ["/sbin/fw3", "/etc/rc.d/S19firewall"], undefined],
		["not where there is none", [], undefined],
	])("%s", (_, paths, expected) => {
		expect(meant(...paths)).toBe(expected);
	});
});

describe("a look at what fw4 will load", () => {
	const CONFIG = "/etc/config/firewall";
	const FILE = "/usr/share/nftables.d/ruleset-post/a.nft";
	const NAMED = "add chain inet custom_bgp extra\n";
	const found = [{ path: FILE, line: "add chain inet custom_bgp extra" }];

	test("follows every change: of a file, its text, its place, the configuration, the state", () => {
		const { files } = new FakePlatform();
		const firewall = new FirewallFiles(files);
		const look = () => firewall.look("custom_bgp");
		expect(look()).toEqual({ includes: [] });
		files.set(FILE, NAMED);
		expect(look()).toEqual({ includes: found });
		expect(firewall.look("another")).toEqual({ includes: [] });
		files.set(FILE, NAMED.replace("inet", "ip  "));
		expect(look()).toEqual({ includes: [] });
		files.set(FILE, NAMED);
		files.set(CONFIG, "config defaults\n\toption auto_includes 0\n");
		expect(look()).toEqual({ includes: [] });
		files.set(CONFIG, `config include\n\toption type nftables\n\toption path ${FILE}\n`);
		expect(look().includes[0]).toEqual(found[0]);
		files.remove(CONFIG);
		files.remove(FILE);
		files.set("/var/run/fw4.state", "{}");
		expect(look()).toEqual({ includes: [], meant: "started" });
	});

	test("reads nothing again that has not changed", () => {
		const { files } = new FakePlatform();
		files.set(CONFIG, "config defaults\n");
		files.set(FILE, NAMED);
		const firewall = new FirewallFiles(files);
		expect(firewall.look("custom_bgp").includes).toEqual(found);
		const read: string[] = [];
		const { read: really } = files;
		files.read = (path, limit) => {
			read.push(path);
			return really.call(files, path, limit);
		};
		expect(firewall.look("custom_bgp").includes).toEqual(found);
		expect(read).toEqual([]);
		files.set(FILE, `# more\n${NAMED}`);
		expect(firewall.look("custom_bgp").includes).toEqual(found);
		expect(read).toEqual([FILE]);
	});
});
