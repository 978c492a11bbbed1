import { readdirSync, readFileSync, rmSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Json, PROCD_FUNCTIONS, procdMessages } from "./procd.ts";
import { type Outcome, Router, uciFunctions } from "./router.ts";

const PEERS = `
config bgpwarden 'main'
	option zone 'lan'
config peer
	option name 'waukeen'
	option address '192.168.1.2'
config peer 'six'
	option address 'fe80::2%br-lan'
	option zone 'k8s'
config peer
	option name 'any'
`;

let router: Router;

beforeAll(() => {
	router = new Router(["/etc/init.d/bgpwarden", "/usr/lib/bgpwarden/check.sh"]);
	router.double("nft", '[ -z "$BROKEN" ] || { echo "Error: no" >&2; exit 1; }');
	router.double("logger");
	router.double("uci", 'echo "$ENABLED"');
	judged("good");
	router.write(
		"/usr/sbin/bgpwarden",
		`#!/bin/sh\n[ "$*" != check ] || . ${router.path("/tmp/check")}\necho "<$*>"; exit 3\n`,
		0o755,
	);
});

afterAll(() => router.remove());

/** What the daemon has said of the configuration file: it is its last good one, or it has mistakes. */
function judged(file: "good" | "new" | "misfit" | "bad"): void {
	router.write("/etc/config/bgpwarden", file);
	router.write("/etc/bgpwarden/last-good", file === "good" ? file : "another");
	router.write("/tmp/check", file === "bad" ? "exit 1" : file === "misfit" ? "exit 4" : "exit 0");
}

/** Runs functions of the init script below the double of rc.common. */
function call(
	action: string,
	config: string | undefined = "",
	env: Record<string, string> = {},
	lastGood?: string,
): Outcome & { sent: Json[] } {
	// The first word is the action, as for rc.common.
	const script = `exec 3>&1
${PROCD_FUNCTIONS}
${uciFunctions(config, lastGood)}
boot() { start; }
action=${action.split(" ")[0] ?? ""}
. "${router.path("/etc/init.d/bgpwarden")}"
${action}`;
	const outcome = router.run(script, { env });
	expect(outcome.stderr).toBe("");
	return { ...outcome, sent: procdMessages(outcome.stdout.replaceAll(router.root, "")) };
}

const golden = (name: string): Json =>
	JSON.parse(readFileSync(new URL(`../fixtures/procd/${name}.json`, import.meta.url), "utf8"));
const disabled = "config bgpwarden main\n\toption enabled 0\n\toption zone lan\n";

describe("the init script", () => {
	it("starts before firewall and network, and stops before the network", () => {
		expect(call('echo "$START $STOP $USE_PROCD"').stdout).toContain("18 89 1\n");
	});

	it.each([
		["plain", ""],
		["zone", "config bgpwarden main\n\toption zone lan\n"],
		["peers", PEERS],
		["disabled", disabled],
	])("tells procd what the golden file '%s' says", (name, config) => {
		expect(call("start", config).sent).toEqual([golden(name)]);
	});

	describe("with a configuration file that is not the last good one", () => {
		afterEach(() => judged("good"));
		const started = (config: string, lastGood?: string) => call("start", config, {}, lastGood).sent;

		it("takes the file when the program finds no mistake in it", () => {
			judged("new");
			expect(started(PEERS, disabled)).toEqual([golden("peers")]);
		});

		it("takes a file that names a zone fw4 does not have, as the daemon does", () => {
			judged("misfit");
			expect(started(PEERS, disabled)).toEqual([golden("peers")]);
		});

		it("takes the last good one when the file is empty, broken or wrong: its ports stay open", () => {
			judged("bad");
			expect(started("", PEERS)).toEqual([golden("peers")]);
			expect(started("config bgpwarden main\n\toption enabled 0\n", PEERS)).toEqual([golden("peers")]);
			expect(started("", disabled)).toEqual([golden("disabled")]);
			expect(call("boot", "", { ENABLED: "1" }, PEERS).calls).not.toContain(
				"uci -q -c /etc/config get bgpwarden.main.enabled",
			);
		});

		it("takes the defaults, as the daemon does, when there is no last good one", () => {
			judged("bad");
			expect(started(PEERS)).toEqual([golden("plain")]);
		});
	});

	it("leaves ports closed for peers without a zone", () => {
		const [message] = call("start", "config peer\n\toption name a\nconfig peer b\n\toption zone lan\n").sent;
		const rules = (message as { data: { firewall: { src: string }[] } }).data.firewall;
		expect(rules.map((rule) => rule.src)).toEqual(["lan", "lan"]);
	});

	it("opens the port that a peer dials, where it is another", () => {
		const [message] = call(
			"start",
			`${PEERS}\nconfig peer\n\toption address 10.0.0.9\n\toption port 1790\n`,
		).sent;
		const rules = (message as { data: { firewall: { src_ip?: string; dest_port: string }[] } }).data.firewall;
		const portsFor = (address: string) =>
			rules.filter(({ src_ip }) => src_ip === address).map(({ dest_port }) => dest_port);
		expect(portsFor("10.0.0.9")).toEqual(["1790", "3784 3785 4784"]);
		expect(portsFor("192.168.1.2")[0]).toBe("179");
	});

	it("opens it for a range, where the peers are whoever connects from there", () => {
		const [message] = call("start", "config peer c\n\toption range 192.168.7.0/24\n\toption zone lan\n").sent;
		const rules = (message as { data: { firewall: { src_ip?: string }[] } }).data.firewall;
		expect(rules.map(({ src_ip }) => src_ip)).toEqual(["192.168.7.0/24", "192.168.7.0/24"]);
	});

	describe("at boot", () => {
		const table = "/etc/bgpwarden/table.nft";

		beforeEach(() => router.write(table, "table inet custom_bgp\n"));

		it("does all this at boot alone", () => {
			expect(call("start").calls).toEqual([]);
		});

		it("puts the saved table in place and then starts", () => {
			const { calls, sent } = call("boot");
			expect(calls).toEqual(["uci -q -c /etc/config get bgpwarden.main.enabled", `nft -f ${table}`]);
			expect(sent).toEqual([golden("plain")]);
		});

		it("removes what a power cut has left beside the daemon's files, and nothing else", () => {
			const unfinished = ["last-good.new", "table.nft.new", "router_id.new"];
			for (const name of [...unfinished, "ca.pem"]) router.write(`/etc/bgpwarden/${name}`, "half");
			const left = () => readdirSync(router.path("/etc/bgpwarden")).sort();
			const before = left();
			call("start");
			expect(left()).toEqual(before);
			call("boot");
			expect(left()).toEqual(["ca.pem", "last-good", "table.nft"]);
			rmSync(router.path("/etc/bgpwarden/ca.pem"));
			expect(call("boot").sent).toEqual([golden("plain")]);
		});

		it("says why the table could not be loaded, and starts all the same", () => {
			const { calls, sent } = call("boot", "", { BROKEN: "1" });
			expect(calls.at(-1)).toBe(`logger -t bgpwarden -p daemon.warn nft -f ${table}: Error: no`);
			expect(sent).toEqual([golden("plain")]);
		});

		it("loads nothing when there is no table, or an empty one", () => {
			router.write(table, "");
			expect(call("boot").calls).toEqual([]);
		});

		it.each(["0", "off", "false", "no", "disabled"])("loads nothing when `enabled` is '%s'", (enabled) => {
			expect(call("boot", disabled, { ENABLED: enabled }).calls).toHaveLength(1);
		});
	});

	it("reloads by SIGHUP, after it has told procd what the configuration says now", () => {
		expect(call("reload_service", "", { RUNNING: "1" }).sent).toEqual([
			golden("plain"),
			["signal", "bgpwarden"],
		]);
		expect(call("reload_service").sent).toEqual([golden("plain")]);
		expect(call("reload_service", disabled, { RUNNING: "1" }).sent).toEqual([golden("disabled")]);
	});

	describe("when it is stopped", () => {
		const peers = golden("peers") as { [name: string]: Json };
		const nothing = { ...peers, instances: {}, triggers: [], data: {} };
		const rules = { ...peers, instances: {}, triggers: [] };

		it("keeps the firewall's rules, without an instance or a trigger", () => {
			expect(call("stop", PEERS).sent).toEqual([["delete"], rules]);
		});

		it.each([
			["it is not to start at boot any more", PEERS, { NOT_AT_BOOT: "1" }],
			["there are none", "", {}],
			["`enabled` is 0", disabled, {}],
		])("takes the rules back before it goes when %s", (_, config, env) => {
			expect(call("stop", config, env).sent).toEqual([nothing, ["delete"]]);
		});

		it("starts again as if it had not been", () => {
			expect(call("restart", PEERS).sent).toEqual([["delete"], rules, peers]);
			expect(call("restart", PEERS, { NOT_AT_BOOT: "1" }).sent).toEqual([nothing, ["delete"], peers]);
		});
	});

	it.each([
		["status_service --json", "<status --json>"],
		["doctor", "<doctor>"],
		["ensure", "<ensure>"],
		["release", "<release>"],
	])("%s is the command line's, exit code included", (action, output) => {
		const { stdout, status } = call(action);
		expect(stdout.trimEnd().split("\n").at(-1)).toBe(output);
		expect(status).toBe(3);
	});

	it("adds its commands to rc.common's", () => {
		expect(call("").stdout).toBe("procd\textra\tdoctor\nprocd\textra\tensure\nprocd\textra\trelease\n");
	});
});
