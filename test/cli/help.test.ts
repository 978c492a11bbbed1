import { describe, expect, it } from "vitest";
import { help } from "../../src/cli/help.ts";
import { HELP } from "../../src/cli/text/help.ts";
import { optionHelp } from "../../src/config/option-help.ts";
import { FakePlatform } from "../fakes/platform.ts";

function ask(topic?: string) {
	const platform = new FakePlatform();
	const code = help(platform, topic);
	return { code, ...platform.printed };
}

describe("help", () => {
	it("without an option is the general help", () => {
		expect(ask()).toEqual({ code: 0, stdout: HELP, stderr: "" });
	});

	it.each(["route_mark", "main.route_mark", "bgpwarden.main.route_mark"])("explains %s", (topic) => {
		expect(ask(topic)).toEqual({
			code: 0,
			stdout:
				"main.route_mark\n" +
				"  Packet mark that selects the route of BGP and BFD from this router; keep: as others set it.\n" +
				"  accepts  a packet mark (0 to 0xffffffff) or 'keep'\n" +
				"  default  0\n",
			stderr: "",
		});
	});

	it.each(["main", "mqtt", "peer"])("lists the section %s", (section) => {
		const wanted = optionHelp().filter((each) => each.section === section);
		expect(ask(section).stdout.match(/^\w+\.\w+$/gm)).toEqual(
			wanted.map(({ option }) => `${section}.${option}`),
		);
	});

	it("explains an option of several sections once for each", () => {
		const { stdout } = ask("zone");
		expect(stdout.match(/^\w+\.\w+$/gm)).toEqual(["main.zone", "peer.zone"]);
		expect(stdout).toContain("  default  empty\n");
		expect(stdout).toContain("  default  none\n");
	});

	it("shows the default as it stands in the file", () => {
		expect(ask("bypass_mark").stdout).toContain("  default  0x2024\n");
		expect(ask("protect").stdout).toContain("  default  1\n");
		expect(ask("forwarded").stdout).toContain("  default  0\n");
	});

	it.each([
		["rout_mark", "unknown option 'rout_mark' (did you mean 'route_mark'?)"],
		["mqtt.hots", "unknown option 'mqtt.hots' (did you mean 'mqtt.host'?)"],
		["mqtt.zone", "unknown option 'mqtt.zone'"],
		["constructor", "unknown option 'constructor'"],
		["a\n\u001b[31m", "unknown option 'a\\x0a\\x1b[31m'"],
	])("does not know %j", (topic, line) => {
		expect(ask(topic)).toMatchObject({ code: 2, stdout: "" });
		expect(ask(topic).stderr).toMatch(
			new RegExp(`^bgpwarden: ${line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`),
		);
		expect(ask(topic).stderr.split("\n")).toHaveLength(2);
	});
});

describe("optionHelp", () => {
	it.each(optionHelp())("$section.$option has one short sentence", ({ help }) => {
		expect(help).toMatch(/^\S.*\.$/);
		expect(help.length).toBeLessThanOrEqual(110);
	});
});
