import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Router } from "./router.ts";

/** A power cut while the package edits /etc/config/firewall: the shell ends at one of its steps. */
const SETUP = "/usr/lib/bgpwarden/setup";
const UNINSTALL = "/usr/lib/bgpwarden/uninstall";
const FIREWALL = "/etc/config/firewall";
const OLD = `config zone\n\toption name 'lan'\n${"# a long line of its owner's\n".repeat(300)}`;

let router: Router;

beforeEach(() => {
	router = new Router([SETUP, UNINSTALL, "/usr/lib/bgpwarden/include.sh", "/usr/lib/bgpwarden/check.sh"]);
	for (const name of ["uci", "nft", "sync"]) router.double(name);
	router.double("ubus", "exit 1");
	router.write("/etc/init.d/bgpwarden", "#!/bin/sh\n", 0o755);
	router.write(FIREWALL, OLD, 0o640);
});
afterEach(() => router.remove());

const run = (script: string, before = "") => router.run(`${before}. '${router.path(script)}'`);
const firewall = () => readFileSync(router.path(FIREWALL), "utf8");
const beside = () => readdirSync(router.path("/etc/config"));
const mode = () => statSync(router.path(FIREWALL)).mode & 0o777;

/** What a program of the script's does, and when it is the last thing that happens. */
const CUTS = [
	["before the copy is made", "cp() { kill -9 $$; }; "],
	["when the copy is made", 'cp() { command cp "$@"; kill -9 $$; }; '],
	["in the middle of the new text", 'awk() { command awk "$@" | head -c 5000; kill -9 $$; }; '],
	["when it is compared", "cmp() { kill -9 $$; }; "],
	["before it has reached the flash", "sync() { kill -9 $$; }; "],
	["before it is renamed", "mv() { kill -9 $$; }; "],
	["when it has been renamed", 'mv() { command mv "$@"; kill -9 $$; }; '],
] as const;

/** The edit alone: looking for the sections changes nothing. */
const edit = (cut: string, ...words: readonly string[]) =>
	router.run(
		`. '${router.path("/usr/lib/bgpwarden/include.sh")}'; ${cut}bgpwarden_rewrite ${words.join(" ")}`,
	);

describe.each(CUTS)("cut %s", (_, cut) => {
	it("the firewall's file is the old one or the new one, and the next run makes it right", () => {
		run(SETUP);
		const whole = firewall();
		router.write(FIREWALL, OLD, 0o640);

		expect(edit(cut, "bgpwarden_with_include").status).not.toBe(0);
		expect([OLD, whole]).toContain(firewall());
		expect(mode()).toBe(0o640);
		// What uci takes for a configuration (libuci's uci_list_config_files: every name that `*` finds)
		expect(beside().filter((name) => !name.startsWith("."))).toEqual(["firewall"]);

		expect(run(SETUP).stderr).toBe("");
		expect(firewall()).toBe(whole);
		expect(beside()).toEqual(["firewall"]);
	});

	it("so it is when the section is removed", () => {
		run(SETUP);
		const whole = firewall();

		expect(edit(cut, "bgpwarden_sections", "remove", "''").status).not.toBe(0);
		expect([OLD, whole]).toContain(firewall());
		expect(mode()).toBe(0o640);

		expect(run(UNINSTALL).stderr).toBe("");
		expect(firewall()).toBe(OLD);
		expect(beside()).toEqual(["firewall"]);
	});
});

it("what has been written reaches the flash before it is renamed", () => {
	router.double("mv", 'exec /bin/mv "$@"');
	const steps = () => router.run(`. '${router.path(SETUP)}'`).calls.map((call) => call.split(" ")[0]);
	expect(steps().filter((name) => name === "sync" || name === "mv")).toEqual(["sync", "mv"]);
});

it("what a cut has left beside a file that needs no edit is gone after the next run", () => {
	run(SETUP);
	router.write("/etc/config/.firewall.bgpwarden", "half");
	run(SETUP);
	expect(beside()).toEqual(["firewall"]);
});

it("a removal takes what a cut has left of the daemon's files", () => {
	for (const name of ["last-good.new", "table.nft.new", "router_id.new"])
		router.write(`/etc/bgpwarden/${name}`, "half");
	run(UNINSTALL);
	expect(readdirSync(router.path("/etc"))).not.toContain("bgpwarden");
});

it("no other script of the package's writes below /etc", () => {
	const at = (path: string) => new URL(`../../${path}`, import.meta.url);
	const init = readFileSync(at("init.d/bgpwarden"), "utf8");
	const makefile = readFileSync(at("openwrt-package/bgpwarden/Makefile"), "utf8");
	const files = fileURLToPath(at("openwrt-package/bgpwarden/files/"));
	const scripts = readdirSync(files, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && !entry.name.endsWith(".json"))
		.map(({ parentPath, name }) => [name, readFileSync(`${parentPath}/${name}`, "utf8")] as const);
	/** Commands that write, but for those that write into what is no file of flash. */
	const writes = (text: string) =>
		text
			.split("\n")
			.filter((line) => !/^\s*#/.test(line))
			.filter((line) =>
				/\b(sed -i|uci .*(set|commit|delete)|tee|touch|cp|mv|ln)\b|[^<>2&]>>?"?[/$]/.test(line),
			)
			.filter((line) => !/>\/dev\/null|>"\$BGPWARDEN_CONTROL"|>"\$UPGRADE_NOTE"/.test(line));
	const found = [["init", init] as const, ["Makefile", makefile] as const, ...scripts].flatMap(
		([name, text]) => writes(text).map((line) => `${name}: ${line.trim()}`),
	);
	expect(found.filter((line) => !line.startsWith("include.sh: "))).toEqual([
		// The image on the machine that builds it
		'Makefile: cp "$${IPKG_INSTROOT}/usr/lib/bgpwarden/setup" "$${IPKG_INSTROOT}/etc/uci-defaults/90-bgpwarden"',
	]);
});
