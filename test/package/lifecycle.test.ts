import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Router } from "./router.ts";

const DEFAULTS = "/etc/uci-defaults/90-bgpwarden";
const UNINSTALL = "/usr/lib/bgpwarden/uninstall";
const TABLE = "/etc/bgpwarden/table.nft";

let router: Router;

beforeEach(() => {
	router = new Router([DEFAULTS, UNINSTALL, "/usr/lib/bgpwarden/check.sh"]);
	// As uci does: nothing on a section that is not there, and code 1. Its files are one section each.
	router.double(
		"uci",
		`section="${router.path("/tmp/section")}"
case "$*" in
*" get "*) cat "$section" 2>/dev/null || exit 1 ;;
*batch) cat >"$section" ;;
*delete*) rm "$section" ;;
esac`,
	);
	router.double("nft", "exit $NFT");
	router.double("ubus", "exit $RPCD");
	router.write(
		"/etc/init.d/bgpwarden",
		`#!/bin/sh\necho "init $*" >>"${router.path("/tmp/calls")}"\n`,
		0o755,
	);
});

afterEach(() => router.remove());

describe("uci-defaults", () => {
	const apply = (rpcd = "1") =>
		router.run(`( cd / && . '${router.path(DEFAULTS)}' ) && echo remove`, { env: { RPCD: rpcd } });

	it("adds the include once; the second run changes nothing", () => {
		router.write("/etc/config/firewall", "");
		expect(apply()).toMatchObject({ stdout: "remove\n", stderr: "" });
		const section = readFileSync(router.path("/tmp/section"), "utf8").replaceAll(router.root, "");
		expect(section.split("\n")).toEqual([
			"set firewall.bgpwarden=include",
			"set firewall.bgpwarden.type='script'",
			"set firewall.bgpwarden.path='/usr/lib/bgpwarden/firewall.include'",
			"set firewall.bgpwarden.fw4_compatible='1'",
			"commit firewall",
			"",
		]);
		const second = apply();
		expect(second).toMatchObject({ stdout: "remove\n", stderr: "" });
		expect(second.calls).toEqual(["uci -q get firewall.bgpwarden", "ubus list session"]);
	});

	it("does nothing on a router without a firewall, and is done", () => {
		expect(apply()).toMatchObject({ stdout: "remove\n", stderr: "", calls: ["ubus list session"] });
	});

	it("has an rpcd that runs look for the plugin", () => {
		expect(apply("0")).toMatchObject({ stdout: "remove\n", stderr: "", calls: ["ubus list session"] });
		router.write("/etc/init.d/rpcd", `#!/bin/sh\necho "rpcd $*" >>"${router.path("/tmp/calls")}"\n`, 0o755);
		expect(apply("0")).toMatchObject({ stdout: "remove\n", calls: ["ubus list session", "rpcd reload"] });
		expect(apply("1")).toMatchObject({ stdout: "remove\n", calls: ["ubus list session"] });
	});
});

describe("uninstall", () => {
	const uninstall = (env: Record<string, string> = {}) =>
		router.run(`. '${router.path(UNINSTALL)}'`, { env: { NFT: "0", ...env } });
	const stopped = ["init disable", "init stop"];

	it("stops the service and takes back table, include and state", () => {
		router.write(TABLE, "table inet bgp_raw\ndelete table inet bgp_raw\ntable inet bgp_raw {\n}\n");
		router.write("/tmp/section", "include\n");
		router.write("/var/run/bgpwarden/status.json", "{}");
		expect(uninstall()).toMatchObject({
			status: 0,
			stdout: "",
			stderr: "",
			calls: [
				...stopped,
				"nft delete table inet bgp_raw",
				"uci -q get firewall.bgpwarden",
				"uci -q delete firewall.bgpwarden",
				"uci -q commit firewall",
			],
		});
		for (const path of ["/etc/bgpwarden", "/var/run/bgpwarden", "/tmp/section"])
			expect(existsSync(router.path(path)), path).toBe(false);
	});

	it("is quiet where there is nothing to take back", () => {
		const nothing = { status: 0, stdout: "", stderr: "" };
		const calls = [...stopped, "nft delete table inet custom_bgp", "uci -q get firewall.bgpwarden"];
		expect(uninstall({ NFT: "1" })).toMatchObject({ ...nothing, calls });
		expect(uninstall({ NFT: "1" })).toMatchObject({ ...nothing, calls });
	});

	it("waits for the table's owner to end after the daemon", () => {
		const refused = "Error: Could not process rule: Operation not permitted";
		router.double("sleep", `touch "${router.path("/tmp/ended")}"`);
		router.double("nft", `[ -e "${router.path("/tmp/ended")}" ] || { echo "${refused}" >&2; exit 1; }`);
		const { calls, stderr } = uninstall();
		expect(stderr).toBe("");
		const nftDelete = "nft delete table inet custom_bgp";
		expect(calls.slice(0, 5)).toEqual([...stopped, nftDelete, "sleep 1", nftDelete]);
	});

	it("takes no table's name from a file that is not the daemon's", () => {
		router.write(TABLE, "delete table inet x; flush ruleset\ndelete table ip nat\n");
		expect(uninstall().calls).toContain("nft delete table inet custom_bgp");
	});

	it("leaves what else the owner keeps in /etc/bgpwarden", () => {
		router.write("/etc/bgpwarden/ca.pem", "");
		expect(uninstall().status).toBe(0);
		expect(existsSync(router.path("/etc/bgpwarden/ca.pem"))).toBe(true);
	});

	it("waits until the daemon has ended, or it would put the table back", () => {
		const daemon = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { argv0: "bgpwarden" });
		router.write("/var/run/bgpwarden.pid", `${daemon.pid}\n`);
		// procd takes the file away at once and waits for the process on its own.
		router.write(
			"/etc/init.d/bgpwarden",
			`#!/bin/sh\n[ "$1" != stop ] || rm "${router.path("/var/run/bgpwarden.pid")}"\n`,
			0o755,
		);
		router.double("sleep", `kill -9 ${daemon.pid}; exec /bin/sleep 1`);
		router.double("nft", `! grep -q bgpwarden /proc/${daemon.pid}/cmdline || echo "still there" >&2`);
		const { calls } = uninstall();
		expect(calls.indexOf("sleep 1")).toBeGreaterThanOrEqual(0);
		expect(calls.indexOf("nft delete table inet custom_bgp")).toBeGreaterThan(calls.indexOf("sleep 1"));
	});
});
