import { beforeEach, expect, test } from "vitest";
import type { RenderOptions } from "../../src/cli/arguments.ts";
import { render } from "../../src/cli/render.ts";
import { FakePlatform } from "../fakes/platform.ts";

const path = "/etc/config/bgpwarden";
const plain = { check: false, live: false, json: false };

let platform: FakePlatform;
beforeEach(() => {
	platform = new FakePlatform();
});

/** What a command line prints and its exit code. */
async function run(options: Partial<RenderOptions> & Pick<RenderOptions, "what">) {
	platform.printed.stdout = "";
	platform.printed.stderr = "";
	const code = await render(platform, path, { ...plain, ...options });
	return { code, ...platform.printed };
}

/** The article's peer on the lines from 3 on. */
const config = `config bgpwarden 'main'

config peer
	option name 'waukeen'
	option address '192.168.1.2'
	option local_address '192.168.1.1'
	option local_as '65001'
	option remote_as '65009'
	option multihop '1'
`;

test.each(["bird", "metallb", "frr"] as const)(
	"render %s needs a peer, and says where which option is missing",
	async (what) => {
		const none = `${path}: no 'config peer' section to render from; add one with name, address, local_address, local_as and remote_as\n`;
		expect(await run({ what })).toEqual({ code: 1, stdout: "", stderr: none });
		platform.files.set(path, config.replace(/.*remote_as.*\n/, ""));
		expect(await run({ what })).toEqual({
			code: 1,
			stdout: "",
			stderr: `${path}:3: peer 'waukeen': option remote_as is needed to render\n`,
		});
		platform.files.set(path, config);
		expect(await run({ what })).toMatchObject({ code: 0, stderr: "" });
	},
);

test("a mistake in the configuration comes first", async () => {
	platform.files.set(path, config.replace("65009", "x"));
	expect(await run({ what: "bird" })).toEqual({
		code: 1,
		stdout: "",
		stderr: `${path}:8: @peer[0].remote_as: 'x' is not an AS number (1 to 4294967295)\n`,
	});
});

test("render nft needs no peers, and no file", async () => {
	const { code, stdout } = await run({ what: "nft" });
	expect(code).toBe(0);
	expect(stdout).toContain("table inet custom_bgp {");
});

test("render frr refuses several clusters", async () => {
	const other = config
		.slice(config.indexOf("config peer"))
		.replace("waukeen", "other")
		.replace("65009", "65010");
	platform.files.set(path, `${config}\n${other}`);
	expect(await run({ what: "frr" })).toEqual({
		code: 1,
		stdout: "",
		stderr:
			"render frr: one speaker has one AS number, but the peers have 65009 and 65010 (option remote_as)\n",
	});
});

test("--check compares with BIRD's file and says what of it could not be read", async () => {
	platform.files.set(path, config);
	const { stdout } = await run({ what: "bird" });
	platform.files.set("/etc/bird.conf", stdout);
	expect(await run({ what: "bird", check: true })).toEqual({
		code: 0,
		stdout: "/etc/bird.conf: fits\n",
		stderr: "",
	});

	platform.files.set(
		"/etc/bird.conf",
		`include "gone.conf";\n${stdout.replace("passive on", "passive off")}`,
	);
	expect(await run({ what: "bird", check: true })).toEqual({
		code: 1,
		stdout:
			"waukeen: passive: off, wanted on\nnote: /etc/gone.conf: No such file or directory\n/etc/bird.conf: 1 difference\n",
		stderr: "",
	});
	const { code, stdout: json } = await run({ what: "bird", check: true, json: true });
	expect({ code, ...JSON.parse(json) }).toEqual({
		code: 1,
		fits: false,
		compared: [
			{
				of: "/etc/bird.conf",
				differences: [{ peer: "waukeen", what: "passive", there: "off", wanted: "on" }],
				notes: ["/etc/gone.conf: No such file or directory"],
			},
		],
	});
});

// BIRD 3.1.8 and 2.17.6 read every one of them whole.
test.each([
	["fe80::211:22ff:fe33:4455", "fe80::1", "br-lan"],
	["fe80::2", "fe80::1:2:3", "wg0"],
	["fd00::10:2", "fd00::10:1", "br-lan"],
	["2001:db8:1:2:3:4:5:6", "2001:db8::1", "br-lan"],
	["::ffff:192.0.2.1", "::ffff:192.0.2.2", "br-lan"],
	["64:ff9b::192.0.2.33", "64:ff9b::1", "br-lan"],
	["fd00::", "fd00:0:0:1::1", "br-lan"],
])("--check accepts what is written for %s", async (address, local, device) => {
	const section = config
		.replace("192.168.1.2", address)
		.replace("192.168.1.1", local)
		.replace("multihop '1'", `interface '${device}'`);
	platform.files.set(path, section);
	const { stdout } = await run({ what: "bird" });
	platform.files.set("/etc/bird.conf", stdout);
	expect(await run({ what: "bird", check: true })).toEqual({
		code: 0,
		stdout: "/etc/bird.conf: fits\n",
		stderr: "",
	});
	platform.files.set("/etc/bird.conf", stdout.replace(/neighbor [^\s%]+/, "neighbor 2001:db8::bad"));
	expect(await run({ what: "bird", check: true })).toMatchObject({ code: 1 });
});
