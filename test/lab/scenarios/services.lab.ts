import { afterEach, beforeEach, expect, test } from "vitest";
import { type Daemon, repairing, startDaemon, type Warden } from "../daemon.ts";
import { contained } from "../host.ts";
import { type Lab, startLab } from "../lab.ts";
import { capturedChanges, FakeUbus } from "../programs.ts";
import { pause, until } from "../wait.ts";

let lab: Lab;
let ubus: FakeUbus;
let warden: Warden;
let daemon: Daemon;
beforeEach(async () => {
	lab = await startLab();
	ubus = await FakeUbus.start(lab.router);
	({ warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false }, main: repairing }));
	await daemon.untilStatus("the table is in place", ({ router }) => router.protection !== "missing");
	await until("both ends of the bus", subscribers, { holds: ({ length }) => length === 2 });
});
afterEach(() => lab.stop());

/** Process ids of the daemon's long-lived `ubus`, which the fake turns into `cat`. */
async function subscribers(): Promise<string[]> {
	const children = ["ps", "-o", "pid=,comm=", "--ppid", `${daemon.process.pid}`];
	const { stdout } = await lab.router.run(children, { allowFailure: true });
	return stdout.split("\n").filter((line) => line.endsWith(" cat"));
}

function restarts() {
	const events = warden.events().filter(({ event_type }) => event_type === "service_restarted");
	return events.map(({ service, change }) => ({ service, change }));
}

/** Starts a program that deletes the table when told to, and is still there when it is looked for. */
function startCulprit() {
	const wipe = "(echo delete table inet custom_bgp; sleep 1) | nft -i; true";
	const script = `until [ -e /run/now ]; do sleep 0.05; done; ${wipe}`;
	return lab.router.start(["sh", "-c", script], { name: "culprit" });
}

async function watchStarts() {
	const strace = lab.router.start(["strace", "-f", "-e", "trace=execve", "-p", String(daemon.process.pid)], {
		name: "strace",
	});
	await strace.says(/attached/);
	return { strace, starts: () => strace.lines.filter((line) => line.includes("execve(")) };
}

test("a restart of a service leads to two looks at the table, and is told once", async () => {
	const { strace, starts } = await watchStarts();
	// By process: one may try several directories, and strace may tell one start in two lines.
	const processes = (argument: string) => {
		const lines = starts().filter((line) => line.includes(argument));
		return [...new Set(lines.map((line) => /pid +(\d+)/.exec(line)?.[1]))];
	};
	const looks = () => processes('"list", "table"');

	await ubus.changes(capturedChanges("tailscale", 6).slice(2));

	await until("two looks", looks, { holds: ({ length }) => length === 2 });
	expect(restarts()).toEqual([{ service: "tailscale", change: "restarted" }]);

	// Then all is quiet again: no process is started after the fake's own second answer
	const answers = () => processes("/services");
	await until("two readings of procd's processes", answers, { holds: ({ length }) => length === 2 });
	// Each look asks for fw4's table as well, at its own pace.
	const firewall = () => processes('"list", "tables"');
	await until("two looks for fw4's table", firewall, { holds: ({ length }) => length === 2 });
	const before = starts().length;
	await pause(6000);
	expect(starts().slice(before)).toEqual([]);
	await strace.end("SIGTERM");
});

/** The service that is named; in a container none is, for nothing tells whose process it was. */
const named = (service: string) => ({ service: contained ? undefined : service });

test("the service whose process did it is named, even among others that changed", async () => {
	const culprit = startCulprit();
	ubus.services({ mihomo: culprit.pid, tailscale: 1 });
	await ubus.changes([...capturedChanges("mihomo", 3), ...capturedChanges("tailscale", 6)]);
	await until("both restarts", restarts, { holds: ({ length }) => length === 2 });
	// The processes are read with the last look, about 4 s after the change.
	await pause(4000);

	lab.router.write("/run/now", "");

	const { router } = await daemon.untilStatus("a repair", (status) => status.router.repairs === 1);
	const { reason, service } = router.last_repair ?? {};
	expect({ reason, service }).toEqual({ reason: "deleted", ...named("mihomo") });
	const told = warden.events().filter(({ event_type }) => event_type.startsWith("table_"));
	expect(told.map(({ event_type, by, service }) => ({ event_type, by, service }))).toEqual([
		{ event_type: "table_lost", by: "nft", ...named("mihomo") },
		{ event_type: "table_restored", by: "nft", ...named("mihomo") },
	]);
});

test("else the only service that changed just before is named", async () => {
	await ubus.changes(capturedChanges("firewall", 3));
	// One that stays: a change before it tells nothing of a process that had gone before it could be looked at.
	startCulprit();
	await until("the restart", restarts, { holds: ({ length }) => length === 1 });
	lab.router.write("/run/now", "");
	const { router } = await daemon.untilStatus("a repair", (status) => status.router.repairs === 1);
	expect(router.last_repair?.service).toBe(named("firewall").service);
});

test("a new ubusd, and a procd that comes again, are attached to", async () => {
	const before = await subscribers();
	await ubus.ubusdStarts();
	await until("two others", subscribers, {
		holds: (now) => now.length === 2 && now.every((process) => !before.includes(process)),
	});
	await ubus.changes(capturedChanges("firewall", 1));
	await until("the start", restarts, { holds: ({ length }) => length === 1 });

	const again = await subscribers();
	await ubus.procdComes();
	await until("one other", subscribers, {
		holds: (now) => now.length === 2 && now.filter((process) => again.includes(process)).length === 1,
	});
	await ubus.changes(capturedChanges("nikki", 1));
	await until("another start", restarts, { holds: ({ length }) => length === 2 });
});
