import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commandLine } from "./command-line.ts";
import { Router, realUci, uciFunctions } from "./router.ts";

/** The package's own scripts under what OpenWrt's default_prerm, default_postinst, rc.common and procd do. */
const INIT = "/etc/init.d/bgpwarden";
const LINK = "/etc/rc.d/S18bgpwarden";
const PID_FILE = "/var/run/bgpwarden.pid";
const FIREWALL = "/etc/config/firewall";
const STAGED = "firewall.@zone[0].input='DROP'\n";
const PACKAGE = new URL("../../openwrt-package/bgpwarden/", import.meta.url);

/** A script of the Makefile's, as the package has it. */
function maintainerScript(name: string): string {
	const makefile = readFileSync(new URL("Makefile", PACKAGE), "utf8");
	const [, text] = new RegExp(`define Package/bgpwarden/${name}\n(.*?)endef`, "s").exec(makefile) ?? [];
	if (text === undefined) throw new Error(name);
	return text.replaceAll("$$", "$");
}

/** The package's files, as OpenWrt's list of them says. */
const fileList = readdirSync(fileURLToPath(new URL("files", PACKAGE)), {
	recursive: true,
	withFileTypes: true,
})
	.filter((entry) => entry.isFile())
	.map(({ parentPath, name }) =>
		`${parentPath}/${name}`.slice(fileURLToPath(new URL("files", PACKAGE)).length),
	);

let router: Router;

beforeEach(() => {
	const library = ["check.sh", "include.sh", "setup", "uninstall"].map(
		(name) => `/usr/lib/bgpwarden/${name}`,
	);
	router = new Router([INIT, ...library]);
	router.double("uci", realUci(router));
	router.double("nft");
	router.double("ubus", "exit 1");
	router.write("/etc/config/bgpwarden", "good");
	router.write("/etc/bgpwarden/last-good", "good");
	router.write(FIREWALL, "config zone\n");
	router.write("/tmp/.uci/firewall", STAGED);
	router.write("/tmp/version", "old");
	router.write("/etc/rc.d/K89bgpwarden", "");
	router.write("/var/run/daemon", "while :; do sleep 1; done\n");
	for (const name of ["postinst", "prerm"])
		router.write(`/tmp/${name}-pkg`, router.relocate(maintainerScript(name)));
	router.write("/tmp/list", [...fileList, INIT, ""].join("\n"));
	const initScript = readFileSync(router.path(INIT), "utf8");
	router.write("/tmp/init", initScript);
	router.write(INIT, rcCommon(), 0o755);
	router.write("/tmp/functions.sh", FUNCTIONS.replaceAll("ROOT", router.root));
});

afterEach(() => {
	router.run(FINISH.replaceAll("ROOT", router.root));
	router.remove();
});

const FINISH = "read -r pid <ROOT/var/run/bgpwarden.pid && kill $pid";

/** rc.common with procd: an instance that is declared anew runs the program that is there now. */
function rcCommon(): string {
	return `#!/bin/sh
action=$1
pid_file=${router.path(PID_FILE)}
${uciFunctions("")}
end() { [ ! -e "$pid_file" ] || { read -r pid <"$pid_file"; kill "$pid"; rm "$pid_file"; }; }
extra_command() { :; }
enabled() { [ -e ${router.path(LINK)} ]; }
enable() { touch ${router.path(LINK)}; }
disable() { rm -f ${router.path(LINK)}; }
procd_open_instance() {
	end
	sh ${router.path("/var/run/daemon")} "$(cat ${router.path("/tmp/version")})" >/dev/null 2>&1 &
	echo $! >"$pid_file"
}
rc_procd() { "$@"; }
procd_set_param() { :; }
procd_close_instance() { :; }
. ${router.path("/tmp/init")}
start() { start_service; }
stop() { stop_service; end; service_stopped; }
"$action"
`;
}

/** As /lib/functions.sh has them, as far as they concern this package. */
const FUNCTIONS = `
init=ROOT/etc/init.d/bgpwarden
default_prerm() {
	( . ROOT/tmp/prerm-pkg )
	[ "$PKG_UPGRADE" = 1 ] || "$init" disable
	"$init" stop
}
default_postinst() {
	! grep -q "^/etc/uci-defaults/" ROOT/tmp/list || uci commit
	[ -n "$apk" ] || ( . ROOT/tmp/postinst-pkg )
	[ "$PKG_UPGRADE" = 1 ] || "$init" enable
	"$init" start
}
`;

const run = (script: string, env: Record<string, string> = {}) => {
	const outcome = router.run(`. ${router.path("/tmp/functions.sh")}\n${script}`, { env });
	expect(outcome).toMatchObject({ stderr: "", stdout: "" });
	return outcome;
};
const replaced = () => `echo new >${router.path("/tmp/version")}`;
const upgrades: Record<string, () => void> = {
	opkg: () => {
		router.write("/usr/lib/opkg/info/bgpwarden.control", "");
		run(`default_prerm; ${replaced()}; default_postinst`, { PKG_UPGRADE: "1" });
	},
	apk: () => {
		const postinst = `( . ${router.path("/tmp/postinst-pkg")} )`;
		run(`${replaced()}; default_postinst; ${postinst}`, { PKG_UPGRADE: "1", apk: "1" });
	},
};

/** What runs, and whether it starts at boot. */
function service(): { runs: string | undefined; enabled: boolean } {
	const enabled = existsSync(router.path(LINK));
	if (!existsSync(router.path(PID_FILE))) return { runs: undefined, enabled };
	const pid = readFileSync(router.path(PID_FILE), "utf8").trim();
	return { runs: commandLine(pid).at(-1), enabled };
}

describe.each(Object.keys(upgrades))("an upgrade with %s", (manager) => {
	it.each([
		{ runs: true, enabled: true },
		{ runs: true, enabled: false },
		{ runs: false, enabled: true },
		{ runs: false, enabled: false },
	])("leaves the service as it was: %o", ({ runs, enabled }) => {
		if (enabled) run('"$init" enable');
		if (runs) run('"$init" start');
		expect(service()).toEqual({ runs: runs ? "old" : undefined, enabled });
		upgrades[manager]?.();
		expect(service()).toEqual({ runs: runs ? "new" : undefined, enabled });
		upgrades[manager]?.();
		expect(service()).toEqual({ runs: runs ? "new" : undefined, enabled });
		expect(existsSync(router.path("/var/run/bgpwarden.upgrade"))).toBe(false);
	});

	it("commits nothing of what the owner has staged", () => {
		upgrades[manager]?.();
		expect(readFileSync(router.path("/tmp/.uci/firewall"), "utf8")).toBe(STAGED);
		expect(readFileSync(router.path(FIREWALL), "utf8")).not.toContain("DROP");
		expect(readFileSync(router.path(FIREWALL), "utf8")).toContain("config include 'bgpwarden'");
	});
});

it.each([
	[true, "new"],
	[false, undefined],
])(
	"an opkg upgrade from a version that leaves no note goes by whether the service is enabled: %s",
	(enabled, runs) => {
		router.write("/usr/lib/opkg/info/bgpwarden.control", "");
		if (enabled) run('"$init" enable');
		run('"$init" start');
		const forget = `rm ${router.path("/var/run/bgpwarden.upgrade")}`;
		run(`default_prerm; ${forget}; ${replaced()}; default_postinst`, { PKG_UPGRADE: "1" });
		expect(service()).toEqual({ runs, enabled });
	},
);

it.each([
	["opkg", { PKG_UPGRADE: "0" }],
	["apk", { apk: "1" }],
])(
	"an installation with %s enables and starts it, a removal ends both, and neither commits anything",
	(_, env) => {
		run("default_postinst", env);
		expect(service()).toEqual({ runs: "old", enabled: true });
		run("default_prerm", env);
		expect(service()).toEqual({ runs: undefined, enabled: false });
		expect(readFileSync(router.path("/tmp/.uci/firewall"), "utf8")).toBe(STAGED);
		expect(readFileSync(router.path(FIREWALL), "utf8")).toBe("config zone\n");
	},
);

it("an image has the setup run at its first boot", () => {
	router.write("/image/usr/lib/bgpwarden/setup", "it");
	router.write("/tmp/image-pkg", maintainerScript("postinst"));
	run(`( . ${router.path("/tmp/image-pkg")} )`, { IPKG_INSTROOT: router.path("/image") });
	expect(readFileSync(router.path("/image/etc/uci-defaults/90-bgpwarden"), "utf8")).toBe("it");
	expect(readFileSync(router.path(FIREWALL), "utf8")).toBe("config zone\n");
});
