import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const INIT = fileURLToPath(new URL("../../init.d/bgpwarden", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "bgpwarden-init-"));
const table = join(scratch, "table.nft");

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What OpenWrt's rc.common, functions.sh and procd.sh would do, as lines of text. */
const STUBS = `
config_load() { :; }
config_get_bool() { eval "$1=\${ENABLED:-$4}"; echo "asked $2.$3"; }
procd_open_instance() { echo "open"; }
procd_close_instance() { echo "close"; }
procd_set_param() { echo "set $*"; }
procd_add_reload_trigger() { echo "trigger $*"; }
procd_running() { [ "$RUNNING" = 1 ]; }
procd_send_signal() { echo "signal $*"; }
logger() { sed 's/^/log: /'; }
nft() { echo "nft $*" >&2; [ -z "$BROKEN" ]; }
start() { echo "start"; }
`;

/** Runs one function of the init script; the lines it caused. */
function call(action: string, environment: Record<string, string> = {}): string[] {
	const script = `${STUBS}\n. "${INIT}"\nSAVED_TABLE="${table}"\n${action} || echo "failed: $?"\n`;
	const env = { PATH: process.env.PATH, ...environment };
	const result = spawnSync("sh", ["-c", script], { env, encoding: "utf8" });
	expect(result.stderr).toBe("");
	return result.stdout.split("\n").filter((line) => line !== "" && line !== "asked main.enabled");
}

describe("the init script", () => {
	it("starts before firewall and network, and stops before the network", () => {
		expect(call('echo "$START $STOP $USE_PROCD"')).toEqual(["18 89 1"]);
	});

	it("declares one instance that procd restarts for ever", () => {
		expect(call("start_service")).toEqual([
			"open",
			"set command /usr/sbin/bgpwarden run",
			"set respawn 3600 5 0",
			"set stderr 1",
			"set term_timeout 10",
			"close",
		]);
	});

	it("declares none when it is switched off, and keeps the trigger", () => {
		expect(call("start_service", { ENABLED: "0" })).toEqual([]);
		expect(call("service_triggers", { ENABLED: "0" })).toEqual(["trigger bgpwarden"]);
	});

	it("puts the saved table in place at boot, before it starts", () => {
		rmSync(table, { force: true });
		expect(call("boot")).toEqual(["start"]);
		writeFileSync(table, "");
		expect(call("boot")).toEqual(["start"]);
		writeFileSync(table, "table inet custom_bgp\n");
		expect(call("boot")).toEqual([`log: nft -f ${table}`, "start"]);
		expect(call("boot", { BROKEN: "1" })).toEqual([`log: nft -f ${table}`, "start"]);
		expect(call("boot", { ENABLED: "0" })).toEqual(["start"]);
	});

	it("sends SIGHUP to a daemon that runs, and starts or ends it when `enabled` changed", () => {
		expect(call("reload_service", { RUNNING: "1" })).toEqual(["signal bgpwarden"]);
		expect(call("reload_service")).toEqual(["start"]);
		expect(call("reload_service", { RUNNING: "1", ENABLED: "0" })).toEqual(["start"]);
	});
});
