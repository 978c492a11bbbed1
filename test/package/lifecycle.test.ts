import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startNamed } from "./command-line.ts";
import { Router, realUci } from "./router.ts";

const SETUP = "/usr/lib/bgpwarden/setup";
const UNINSTALL = "/usr/lib/bgpwarden/uninstall";
const TABLE = "/etc/bgpwarden/table.nft";
const FIREWALL = "/etc/config/firewall";
const STAGED = "/tmp/.uci/firewall";

let router: Router;

beforeEach(() => {
	router = new Router([SETUP, UNINSTALL, "/usr/lib/bgpwarden/include.sh", "/usr/lib/bgpwarden/check.sh"]);
	router.double("uci", realUci(router));
	router.double("nft", "exit $NFT");
	router.double("ubus", "exit $RPCD");
	router.double("sync");
	router.write(
		"/etc/init.d/bgpwarden",
		`#!/bin/sh\necho "init $*" >>"${router.path("/tmp/calls")}"\n`,
		0o755,
	);
});

afterEach(() => router.remove());

const setUp = (rpcd = "1", before = "") =>
	router.run(`${before}( cd / && . '${router.path(SETUP)}' ) && echo remove`, { env: { RPCD: rpcd } });
const uninstall = (env: Record<string, string> = {}, before = "") =>
	router.run(`${before}. '${router.path(UNINSTALL)}'`, { env: { NFT: "0", ...env } });

/** The firewall's configuration, with the router's paths. */
const firewall = () => readFileSync(router.path(FIREWALL), "utf8").replaceAll(router.root, "");
const included = "/usr/lib/bgpwarden/firewall.include";
const SECTION = `
config include 'bgpwarden'
	option type 'script'
	option path '${included}'
	option fw4_compatible '1'
`;
const LAN = "config zone\n\toption name 'lan'\n";
const beside = () => readdirSync(router.path("/etc/config"));

describe("setup", () => {
	it("adds the include once; the second run does not touch the file", () => {
		router.write(FIREWALL, LAN, 0o640);
		expect(setUp()).toMatchObject({ stdout: "remove\n", stderr: "", calls: ["sync", "ubus list session"] });
		expect(firewall()).toBe(`${LAN}${SECTION}`);
		const before = statSync(router.path(FIREWALL));
		expect(before.mode & 0o777).toBe(0o640);
		expect(setUp()).toMatchObject({ stdout: "remove\n", stderr: "", calls: ["ubus list session"] });
		expect(statSync(router.path(FIREWALL))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
		expect(beside()).toEqual(["firewall"]);
	});

	it("ends a last line that has no end", () => {
		router.write(FIREWALL, LAN.trimEnd());
		setUp();
		expect(firewall()).toBe(`${LAN}${SECTION}`);
	});

	it.each([
		["the section, changed by its owner", "config include bgpwarden\n\toption enabled 0\n"],
		["a section of another type that has the name", "config rule 'bgpwarden'\n"],
		["an include of the script without the name", `config include\n\toption path ROOT${included}\n`],
		["a quote that is never closed", "config include\n\toption path 'x\n"],
	])("leaves a file alone that has %s", (_, text) => {
		const given = text.replace("ROOT", router.root);
		router.write(FIREWALL, given);
		expect(setUp()).toMatchObject({ stdout: "remove\n", stderr: "" });
		expect(readFileSync(router.path(FIREWALL), "utf8")).toBe(given);
	});

	it("is not fooled by a value that reads like the section", () => {
		const value = "config zone\n\toption name 'a\nconfig include bgpwarden\n'\n";
		router.write(FIREWALL, value);
		setUp();
		expect(firewall()).toBe(`${value}${SECTION}`);
		uninstall();
		expect(firewall()).toBe(value);
	});

	it("does nothing on a router without a firewall, and is done", () => {
		expect(setUp()).toMatchObject({ stdout: "remove\n", stderr: "", calls: ["ubus list session"] });
	});

	it("has an rpcd that runs look for the plugin", () => {
		expect(setUp("0")).toMatchObject({ stdout: "remove\n", stderr: "", calls: ["ubus list session"] });
		router.write("/etc/init.d/rpcd", `#!/bin/sh\necho "rpcd $*" >>"${router.path("/tmp/calls")}"\n`, 0o755);
		expect(setUp("0")).toMatchObject({ stdout: "remove\n", calls: ["ubus list session", "rpcd reload"] });
		expect(setUp("1")).toMatchObject({ stdout: "remove\n", calls: ["ubus list session"] });
	});
});

describe("the firewall's file", () => {
	const full = "cannot write ROOT/etc/config/firewall: it stays as it is";

	it.each([
		["flash is full", "ulimit -f 1; "],
		["what was written is not what was to be written", "cmp() { return 1; }; "],
		["it cannot be copied", "cp() { return 1; }; "],
	])("stays as it is, with nothing beside it, when %s", (_, trouble) => {
		const text = `${LAN}${"# long\n".repeat(500)}config include 'bgpwarden'\n`;
		router.write(FIREWALL, text);
		const { stderr } = uninstall({}, trouble);
		expect(stderr).toContain(full.replace("ROOT", router.root));
		expect(firewall()).toBe(text);
		expect(beside()).toEqual(["firewall"]);
	});

	it.each([
		["as setup writes it", SECTION.replace(included, `ROOT${included}`)],
		["without quotes", "\nconfig include bgpwarden\n\toption enabled 0\n"],
		[
			"with all kinds of quotes",
			"\nconfig 'include' \"bgpwarden\" # mine\n\n\t# why\n\toption type script\n",
		],
		["by its short name", "\n  c include bgpwarden\n\to enabled '0\n1'\n"],
		["without a name", `\nconfig include\n\toption path 'ROOT${included}'\n`],
		["twice", "\nconfig include 'bgpwarden'\n\nconfig include 'bgpwarden'\n\toption type 'script'\n"],
	])("loses exactly the section %s", (_, section) => {
		const before = `# mine\nconfig include 'other'\n\toption path '/etc/other'\n`;
		const after = `\n# the next one\n${LAN}`;
		router.write(FIREWALL, `${before}${section.replaceAll("ROOT", router.root)}${after}`, 0o640);
		expect(uninstall()).toMatchObject({ status: 0, stderr: "" });
		expect(firewall()).toBe(`${before}${after}`);
		expect(statSync(router.path(FIREWALL)).mode & 0o777).toBe(0o640);
		expect(beside()).toEqual(["firewall"]);
	});

	it("is not touched where the section is not", () => {
		router.write(FIREWALL, "config rule 'bgpwarden'\n\n\n");
		const before = statSync(router.path(FIREWALL));
		uninstall();
		expect(statSync(router.path(FIREWALL))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
	});

	it.each([
		["shares a line with another section", "config zone 'a'; config include 'bgpwarden'\n"],
		["is in a file that is no UCI", "config include 'bgpwarden'\n\toption path 'x\n"],
	])("keeps a section that %s, and its owner is told", (_, text) => {
		router.write(FIREWALL, text);
		expect(uninstall().stderr).toBe(
			`bgpwarden: section 'bgpwarden' stays in ${router.path(FIREWALL)}, without effect: remove it yourself\n`,
		);
		expect(firewall()).toBe(text);
	});

	it.each([
		["a section after it", STAGED, "firewall.cfg03dc81.input='DROP'\n", true],
		["a section after it, in LuCI", "/var/run/rpcd/uci-0123/firewall", "-firewall.cfg0adc81\n", true],
		["a section before it", STAGED, "firewall.cfg01dc81.input='DROP'\n", false],
		["a new section", STAGED, "+firewall.cfg04dc81='rule'\nfirewall.cfg04dc81.src='lan'\n", false],
		["a section with a name", STAGED, "firewall.lan.input='DROP'\n", false],
	])("keeps the section, without which uci would lose what is staged for %s", (_, path, staged, stays) => {
		router.write(FIREWALL, `${LAN}${SECTION}${LAN}`);
		router.write(path, staged);
		expect(uninstall().stderr !== "").toBe(stays);
		expect(firewall()).toBe(stays ? `${LAN}${SECTION}${LAN}` : `${LAN}${LAN}`);
		expect(readFileSync(router.path(path), "utf8")).toBe(staged);
	});

	it("keeps out what its owner has staged, which stays staged", () => {
		const staged = "firewall.@zone[0].input='DROP'\nfirewall.bgpwarden.enabled='0'\n";
		router.write(FIREWALL, LAN);
		router.write(STAGED, staged);
		setUp();
		expect(firewall()).toBe(`${LAN}${SECTION}`);
		uninstall();
		expect(firewall()).toBe(LAN);
		expect(readFileSync(router.path(STAGED), "utf8")).toBe(staged);
		// And that this would have been seen:
		router.run("uci commit firewall");
		expect(firewall()).toContain("DROP");
		expect(existsSync(router.path(STAGED))).toBe(false);
	});
});

describe("uninstall", () => {
	const stopped = ["init disable", "init stop"];

	it("stops the service and takes back table, include and state", () => {
		router.write(TABLE, "table inet bgp_raw\ndelete table inet bgp_raw\ntable inet bgp_raw {\n}\n");
		router.write("/etc/bgpwarden/last-good", "secret");
		router.write("/var/run/bgpwarden/status.json", "{}");
		expect(uninstall()).toMatchObject({
			status: 0,
			stdout: "",
			stderr: "",
			calls: [...stopped, "nft delete table inet bgp_raw"],
		});
		for (const path of ["/etc/bgpwarden", "/var/run/bgpwarden"])
			expect(existsSync(router.path(path)), path).toBe(false);
	});

	it("is quiet where there is nothing to take back", () => {
		const nothing = { status: 0, stdout: "", stderr: "" };
		const calls = [...stopped, "nft delete table inet custom_bgp"];
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
		const daemon = startNamed("bgpwarden");
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
