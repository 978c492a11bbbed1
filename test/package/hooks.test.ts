import { execFileSync } from "node:child_process";
import {
	closeSync,
	constants,
	mkdirSync,
	openSync,
	readFileSync,
	readSync,
	rmSync,
	symlinkSync,
} from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startNamed } from "./command-line.ts";
import { Router, uciFunctions } from "./router.ts";

const CHECK = "/usr/lib/bgpwarden/check.sh";
const INCLUDE = "/usr/lib/bgpwarden/firewall.include";
const HOTPLUG = "/etc/hotplug.d/iface/90-bgpwarden";
const CONTROL = "/var/run/bgpwarden/control";
const CONFIG = "/etc/config/bgpwarden";
const LAST_GOOD = "/etc/bgpwarden/last-good";
const PID_FILE = "/var/run/bgpwarden.pid";
const TABLE = "/etc/bgpwarden/table.nft";
/** How long a hook may take, in milliseconds, before it is taken to wait for somebody. */
const PATIENCE = 5000;

let router: Router;
let cleanups: (() => void)[] = [];

beforeEach(() => {
	router = new Router([CHECK, INCLUDE, HOTPLUG]);
	cleanups = [() => router.remove()];
	// Real words of nft; $BROKEN for a file, $BROKEN_INPUT for its input.
	router.double(
		"nft",
		`case "$*" in *-) cat >>"${router.path("/tmp/input")}"; said=$BROKEN_INPUT ;; *) said=$BROKEN ;; esac
[ -z "$said" ] || { echo "/dev/stdin:1:1-3: Error: $said" >&2; exit 1; }`,
	);
	router.double("logger");
	router.double("fw4");
	router.double("uci", 'echo "$ENABLED"');
	router.write(TABLE, "table inet custom_bgp\n");
	router.write(CONFIG, "good");
	router.write(LAST_GOOD, "good");
	mkdirSync(router.path("/etc/rc.d"), { recursive: true });
	mkdirSync(router.path("/var/run/bgpwarden"), { recursive: true });
	symlinkSync("../hotplug.d", router.path("/etc/rc.d/S18bgpwarden"));
});

afterEach(() => {
	for (const cleanup of cleanups.reverse()) cleanup();
});

/** A process that is called `name`, and what procd would have written down about it. */
function runs(name: string): void {
	const child = startNamed(name);
	cleanups.push(() => child.kill("SIGKILL"));
	router.write(PID_FILE, `${child.pid}\n`);
}

/** The daemon's end of the FIFO; the function reads what has arrived. */
function listen(): () => string {
	execFileSync("mkfifo", [router.path(CONTROL)]);
	// Opened for both, so that the other end may come and go, as the daemon does it.
	const fd = openSync(router.path(CONTROL), constants.O_RDWR | constants.O_NONBLOCK);
	cleanups.push(() => closeSync(fd));
	return () => {
		const buffer = Buffer.alloc(65_536);
		try {
			return buffer.toString("utf8", 0, readSync(fd, buffer));
		} catch {
			return "";
		}
	};
}

/** As fw4's main.uc runs an include. */
const include = (env: Record<string, string> = {}) =>
	router.run(`config() { echo "no UCI here" >&2; exit 1; }; . '${router.path(INCLUDE)}'`, {
		env,
		limit: PATIENCE,
	});
const quiet = { status: 0, stdout: "", stderr: "" };

describe("the firewall's include", () => {
	it("asks a daemon that runs, and leaves the table to it", () => {
		runs("bgpwarden");
		const heard = listen();
		expect(include()).toEqual({ ...quiet, calls: [] });
		expect(heard()).toBe("ensure\n");
	});

	it("does not wait for a daemon that reads nothing", () => {
		runs("bgpwarden");
		execFileSync("mkfifo", [router.path(CONTROL)]);
		expect(include()).toEqual({ ...quiet, calls: [] });
	});

	it("leaves a daemon alone that has no FIFO yet", () => {
		runs("bgpwarden");
		expect(include()).toEqual({ ...quiet, calls: [] });
	});

	const loaded = ["uci -q -c /etc/config get bgpwarden.main.enabled", `nft -f ${TABLE}`];

	it("loads the saved table when no daemon runs, and writes nothing into its FIFO", () => {
		const heard = listen();
		expect(include()).toEqual({ ...quiet, calls: loaded });
		expect(heard()).toBe("");
	});

	it.each([
		["of a process that has ended", "999999999\n"],
		["that is no number", "../../etc\n"],
		["of another program", `${process.pid}\n`],
		["that is empty", ""],
	])("takes a process id %s for no daemon", (_, pid) => {
		router.write(PID_FILE, pid);
		expect(include()).toEqual({ ...quiet, calls: loaded });
	});

	it("neither fails nor prints when the table cannot be loaded, but says so in the log", () => {
		const told = `logger -t bgpwarden -p daemon.warn nft -f ${TABLE}: /dev/stdin:1:1-3: Error:`;
		expect(include({ BROKEN: "no" })).toEqual({ ...quiet, calls: [...loaded, `${told} no`] });
		const unsupported = { BROKEN: "Could not process rule: Operation not supported", BROKEN_INPUT: "no" };
		expect(include(unsupported)).toEqual({ ...quiet, calls: [...loaded, "nft -f -", `${told} no`] });
	});

	it("leaves a table alone that a daemon owns of which nobody knows", () => {
		const owned = { BROKEN: "Could not process rule: Operation not permitted" };
		expect(include(owned)).toEqual({ ...quiet, calls: loaded });
	});

	it("replaces a table whose owner was killed, without its first line", () => {
		const text = [
			"table inet custom_bgp",
			"delete table inet custom_bgp",
			"table inet custom_bgp {",
			"}",
			"",
		];
		router.write(TABLE, text.join("\n"));
		const orphan = { BROKEN: "Could not process rule: Operation not supported" };
		expect(include(orphan)).toEqual({ ...quiet, calls: [...loaded, "nft -f -"] });
		expect(readFileSync(router.path("/tmp/input"), "utf8")).toBe(text.slice(1).join("\n"));
	});

	it("loads nothing that its owner has switched off, or that is not there", () => {
		expect(include({ ENABLED: "off" }).calls).toEqual(loaded.slice(0, 1));
		rmSync(router.path("/etc/rc.d/S18bgpwarden"));
		expect(include()).toEqual({ ...quiet, calls: [] });
		rmSync(router.path(TABLE));
		expect(include()).toEqual({ ...quiet, calls: [] });
	});

	it("asks the last good configuration when the file has been emptied", () => {
		router.write(CONFIG, "");
		router.write("/usr/sbin/bgpwarden", "#!/bin/sh\necho no; exit 1\n", 0o755);
		const [asked] = include().calls;
		expect(asked).toBe("uci -q -c /etc/bgpwarden get last-good.main.enabled");
	});

	it("says nothing when the package is half gone", () => {
		rmSync(router.path(CHECK));
		expect(include()).toEqual({ ...quiet, calls: [] });
	});
});

describe("the hotplug script", () => {
	const peers = "config peer a\n\toption interface br-lan\nconfig peer b\n\toption interface wg0\n";
	const hotplug = (config: string, action: string, network: string, device: string) =>
		router.run(`${uciFunctions(config)}\n. '${router.path(HOTPLUG)}'`, {
			env: { ACTION: action, INTERFACE: network, DEVICE: device },
			limit: PATIENCE,
		});

	it.each([
		["an interface with a peer", peers, "ifup", "lan", "br-lan", "ensure\n"],
		["a network with a peer's name", peers, "ifup", "wg0", "", "ensure\n"],
		["another interface", peers, "ifup", "wan", "eth1", ""],
		["a peer on any interface", `${peers}config peer c\n`, "ifup", "wan", "eth1", "ensure\n"],
		["no peers in the configuration", "", "ifup", "wan", "eth1", "ensure\n"],
		["an interface that goes down", peers, "ifdown", "lan", "br-lan", ""],
	])("with %s writes what it should", (_, config, action, network, device, written) => {
		runs("bgpwarden");
		const heard = listen();
		expect(hotplug(config, action, network, device)).toEqual({ ...quiet, calls: [] });
		expect(heard()).toBe(written);
	});

	it("knows the peers of the last good configuration when the file has been emptied", () => {
		router.write(CONFIG, "");
		router.write("/usr/sbin/bgpwarden", "#!/bin/sh\nexit 1\n", 0o755);
		const env = { ACTION: "ifup", INTERFACE: "wan", DEVICE: "eth1" };
		const script = `${uciFunctions("", peers)}\n. '${router.path(HOTPLUG)}'`;
		expect(router.run(script, { env, limit: PATIENCE })).toEqual({ ...quiet, calls: [] });
	});

	it("loads the saved table when no daemon runs", () => {
		expect(hotplug(peers, "ifup", "lan", "br-lan").calls).toContain(`nft -f ${TABLE}`);
		expect(hotplug(peers, "ifup", "wan", "eth1").calls).toEqual([]);
	});
});
