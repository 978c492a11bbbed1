import { expect, test } from "vitest";
import { check } from "../../src/cli/check.ts";
import { FakePlatform } from "../fakes/platform.ts";

const configPath = "/etc/config/bgpwarden";

function checked(text: string, firewall?: string) {
	const platform = new FakePlatform();
	if (firewall !== undefined) platform.files.set("/etc/config/firewall", firewall);
	platform.files.set(configPath, text);
	const code = check(platform, { configPath, runDirectory: "/var/run/bgpwarden" });
	return { code, ...platform.printed };
}

test.each([
	["an empty file", "", "/etc/config/bgpwarden: empty (to start over"],
	[
		"a certificate without TLS",
		"config mqtt 'mqtt'\n\toption host 'b'\n\toption tls '0'\n\toption ca_file '/etc/ca.pem'\n",
		"/etc/config/bgpwarden:4: mqtt.ca_file: is for TLS, which is switched off (option tls '1')\n",
	],
])("%s is one line, and exit code 1", (_, text, line) => {
	const { code, stdout, stderr } = checked(text);
	expect({ code, stdout, lines: stderr.split("\n").length }).toEqual({ code: 1, stdout: "", lines: 2 });
	expect(stderr.startsWith(line)).toBe(true);
});

test("no mistake shows a password", () => {
	const secret = "hunter22";
	const options = ["password 'two\nlines hunter22'", `password ${secret} ${secret}`, `password '${secret}`];
	for (const option of options) {
		const { code, stdout, stderr } = checked(`config mqtt 'mqtt'\n\toption host 'b'\n\toption ${option}\n`);
		expect(code, option).toBe(1);
		expect(stdout + stderr).not.toContain(secret);
	}
});

test("a zone that fw4 does not have is said, and told from a mistake", () => {
	const zone = "config bgpwarden 'main'\n\toption zone 'lna'\n";
	const firewall = "config zone\n\toption name 'lan'\n";
	expect(checked(zone, firewall)).toMatchObject({ code: 4, stdout: "" });
	expect(checked(zone, firewall).stderr).toMatch(
		/^\/etc\/config\/bgpwarden: option zone 'lna' .*no such zone.*\n$/,
	);
	expect(checked(zone.replace("lna", "lan"), firewall).code).toBe(0);
	// Without fw4 there is nothing to compare with.
	expect(checked(zone).code).toBe(0);
});

test("a file without mistakes is fine", () => {
	expect(checked("config bgpwarden 'main'\n")).toEqual({
		code: 0,
		stdout: "/etc/config/bgpwarden: fine\n",
		stderr: "",
	});
});
