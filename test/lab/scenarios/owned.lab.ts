import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bareListing } from "../../../src/system/nft/table-listing.ts";
import { daemonFile, runDirectory, startDaemon, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { bundle } from "../paths.ts";
import { fw4Flush, fw4Restart, startStream, watchTracked } from "../programs.ts";
import { untilWatched } from "../session.ts";
import { until } from "../wait.ts";
import { canOwn, protection } from "../world.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
	await fw4Restart(lab.router);
});
afterEach(() => lab.stop());

const alone = { mqtt: { enabled: false } };
const nft = (...argv: string[]) => lab.router.run(["nft", ...argv], { allowFailure: true });
/**
 * The kernel's listing, flags and all. What was installed anew is compared as `bareListing`: the daemon marks what it owns,
 * and every table until `nft monitor` has shown it that it can tell its own processes.
 */
const listing = async () => (await nft("-s", "list", "table", "inet", "custom_bgp")).stdout;
const isProtected = ({ router }: { router: { protection: string } }) => router.protection === protection;
/** The table's first lines while the daemon keeps it, and after it was killed: an owner's flags, where there is one. */
const keptListing = canOwn
	? /^table inet custom_bgp \{ # progname nft\n\tflags owner,persist\n/
	: /^table inet custom_bgp \{\n\tchain/;
const leftListing = canOwn ? /^table inet custom_bgp \{\n\tflags persist\n/ : keptListing;

/** The process that owns the table; where nothing can, the one that watches it. */
function keeper(daemonPid: number): number | undefined {
	const command = canOwn ? "nft\0-e\0-f\0-\0" : "nft\0monitor\0";
	return lab.router
		.processes()
		.find(
			(pid) =>
				lab.router.read(`/proc/${pid}/cmdline`) === command &&
				lab.router.read(`/proc/${pid}/stat`)?.includes(`) S ${daemonPid} `),
		);
}

async function protectedDaemon(main = {}) {
	const { warden, daemon } = startDaemon(lab.router, { ...alone, main });
	await daemon.untilStatus("the table protected", isProtected);
	return { warden, daemon };
}

test("from the first packet of a stream to the last, whatever happens to the table's keeper and the daemon, nothing is tracked", async () => {
	// Given a stream that would be seen: to a port that nobody takes out of conntrack, it is
	const seen = await watchTracked(lab.router, 180);
	const control = startStream(lab.broker, 180);
	await until("entries of the control", () => seen.lines.length > 20);
	await control.stop();

	// And the table, and the same stream to port 179
	const started = await protectedDaemon();
	const { warden } = started;
	let { daemon } = started;
	const tracked = await watchTracked(lab.router, 179);
	const stream = startStream(lab.broker, 179);
	await stream.more(500);

	const again = async (what: string) => {
		await daemon.untilStatus(`protected after ${what}`, isProtected);
		// The status may be from before.
		await until(`an owner after ${what}`, listing, { holds: (text) => keptListing.test(text) });
		await stream.more(300);
		expect(tracked.lines, what).toEqual([]);
		expect(await listing()).toMatch(keptListing);
	};

	// When its keeper is killed, three times
	for (let round = 0; round < 3; round++) {
		const before = await until("a keeper", () => keeper(daemon.process.pid));
		lab.router.signal(before, "SIGKILL");
		await until("another keeper", () => keeper(daemon.process.pid), {
			holds: (now) => now !== undefined && now !== before,
		});
		await again(`kill ${round}`);
	}
	expect(warden.status()?.router.repairs).toBe(0);

	// When the daemon reads another configuration
	for (const main of [{ forwarded: true }, { protect: false }, { scope: "any" }]) {
		warden.configure({ ...alone, main });
		daemon.reload();
		if ("protect" in main)
			await daemon.untilStatus("no owner", ({ router }) => router.protection === "installed");
		else await again(JSON.stringify(main));
	}

	// When it is killed, and started again
	const lastKeeper = await until("a keeper", () => keeper(daemon.process.pid));
	await daemon.crash();
	await until(
		"the keeper's end",
		() => lastKeeper !== undefined && !lab.router.processes().includes(lastKeeper),
	);
	// Its socket goes a moment after it.
	await until("no owner", listing, { holds: (text) => leftListing.test(text) });
	await stream.more(300);
	daemon = warden.start();
	await again("the daemon was killed");

	// When it is upgraded
	lab.router.write(daemonFile, `${readFileSync(bundle, "utf8")}\n// another version\n`);
	expect(await daemon.stop()).toEqual({ code: 0, signal: null });
	await stream.more(100);
	daemon = warden.start();
	await again("an upgrade");

	// When a person lets go of it and takes it back
	expect(await warden.cli(["release"])).toMatchObject({ code: 0 });
	await stream.more(100);
	expect(await warden.cli(["ensure"])).toMatchObject({ code: 0 });
	await again("release and ensure");

	// Then of all these segments conntrack has seen none
	expect(stream.sent()).toBeGreaterThan(3000);
	expect(tracked.lines).toEqual([]);
	expect(tracked.process.running).toBe(true);
});

test("somebody else's table of that name is not taken for one's own, however late nft tells", async () => {
	// Given a table of that name whose owner lives, where one can live
	const flags = canOwn ? "{ flags owner; }" : "";
	lab.router.start(["sh", "-c", `{ echo 'add table inet custom_bgp ${flags}'; exec sleep 600; } | nft -i`], {
		name: "owner",
	});
	await until("the foreign table", async () => (await listing()) !== "");
	// And an nft that is slow, as on a busy machine
	const slow =
		'#!/bin/sh\nif [ "$1" = -e ]; then printf x >>/tmp/tries; sleep 0.2; fi\nexec /usr/sbin/nft "$@"\n';
	lab.router.write("/usr/local/sbin/nft", slow, 0o755);

	// Then it says that it cannot have it, and never that it has
	const { daemon } = startDaemon(lab.router, alone);
	if (!canOwn) {
		await daemon.untilStatus("the table protected", isProtected);
		return;
	}
	const reason = /cannot be installed: .*does another program own this table\?/;
	const { router } = await daemon.untilStatus("the reason", ({ router }) =>
		reason.test(router.problem ?? ""),
	);
	expect(router.protection).toBe("missing");
	await until("three more tries", () => lab.router.read("/tmp/tries")?.length, {
		holds: (tries = 0) => tries > 3,
	});
	expect(daemon.process.lines.filter((line) => /is owned|lost ownership|resolved/.test(line))).toEqual([]);
	expect(await listing()).toMatch(/^table inet custom_bgp \{ # progname nft\n\tflags owner\n\}/);

	// And has it once the other one has ended
	const isOther = (pid: number) => lab.router.read(`/proc/${pid}/cmdline`) === "nft\0-i\0";
	expect(lab.router.signalEach(lab.router.processes().filter(isOther), "SIGKILL")).toHaveLength(1);
	await daemon.untilStatus("the table protected", isProtected, { timeout: 20_000 });
});

describe("the saved table", () => {
	const saved = "/etc/bgpwarden/table.nft";
	const hooks = new URL("../../../openwrt-package/bgpwarden/files/usr/lib/bgpwarden/", import.meta.url);

	beforeEach(() => {
		lab.router.write("/usr/lib/bgpwarden/check.sh", readFileSync(new URL("check.sh", hooks), "utf8"));
		lab.router.write("/usr/local/bin/logger", '#!/bin/sh\necho "$*" >>/tmp/logged\n', 0o755);
	});
	const load = async () => {
		const script = ". /usr/lib/bgpwarden/check.sh; bgpwarden_load";
		expect(await lab.router.run(["busybox", "ash", "-c", script])).toMatchObject({ stdout: "", stderr: "" });
		expect(lab.router.read("/tmp/logged")).toBeUndefined();
	};

	test("has no owner's flags, and is loaded quietly in every state that the table can be in", async () => {
		const { warden, daemon } = await protectedDaemon();
		expect(lab.router.read(saved)).not.toMatch(/owner|persist|destroy/);
		const before = bareListing(await listing());
		await load();
		// An owner's table it cannot touch; any other it replaces, which is a change as somebody else's would be.
		await daemon.untilStatus("the repair", ({ router }) => router.repairs === (canOwn ? 0 : 1));
		await until("the table as before", listing, { holds: (text) => bareListing(text) === before });
		expect(warden.status()?.router.problem).toBeUndefined();

		await daemon.crash();
		await until("no owner", listing, { holds: (text) => leftListing.test(text) });
		await load();
		expect(await listing()).toMatch(/^table inet custom_bgp \{\n\tchain/);
		await load();
		await nft("delete", "table", "inet", "custom_bgp");
		await load();
		expect(await listing()).toMatch(/^table inet custom_bgp \{\n\tchain/);
	});
});

test("a person stops the service: the table stays, and is everybody's", async () => {
	const { daemon } = await protectedDaemon();
	await daemon.stop();
	await until("no process", () => lab.router.processes(), { holds: (pids) => pids.length === 0 });
	expect(await listing()).toMatch(/^table inet custom_bgp \{\n\tchain/);
	expect(await nft("delete", "table", "inet", "custom_bgp")).toMatchObject({ code: 0 });
});

test("a backup of the whole ruleset is loaded by itself before the daemon starts, as at a boot", async () => {
	const { daemon } = await protectedDaemon();
	const backup = (await nft("list", "ruleset")).stdout;
	const before = bareListing(await listing());
	await daemon.stop();
	await nft("flush", "ruleset");
	await lab.router.nft(backup);
	await protectedDaemon();
	expect(bareListing(await listing())).toBe(before);
});

// Where nothing can own a table, unowned.lab.ts shows what a router gets instead.
if (canOwn) {
	describe("a person", () => {
		test("cannot delete it, reads how to, and then can", async () => {
			const { warden, daemon } = await protectedDaemon();
			const before = await listing();
			const refused = await nft("delete", "table", "inet", "custom_bgp");
			expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("Operation not permitted") });
			expect(await nft("flush", "ruleset")).toMatchObject({ code: 0 });
			expect(await listing()).toBe(before);
			expect((await warden.cli(["status"])).stdout).toMatch(/^Table .*owned.*bgpwarden release/m);
			expect(daemon.process.lines.join("\n")).toMatch(
				/is owned: nobody else can change it \(bgpwarden release/,
			);

			expect(await warden.cli(["release"])).toEqual({
				code: 0,
				stdout:
					"table inet custom_bgp is released: anybody can change it; bgpwarden ensure protects it again\n",
				stderr: "",
			});
			// As any other table, without flags that another text would not know of
			expect(await listing()).toMatch(/^table inet custom_bgp \{\n\tchain/);
			await daemon.untilStatus("a problem", ({ router }) =>
				/ was released on request; /.test(router.problem ?? ""),
			);
			expect(await nft("delete", "table", "inet", "custom_bgp")).toMatchObject({ code: 0 });
			await daemon.untilStatus("it is gone", ({ router }) => router.protection === "missing");
			// A hook of the firewall's asks too, but is nobody
			await lab.router.run(["sh", "-c", "echo ensure >/var/run/bgpwarden/control"]);
			await warden.cli(["flush"]);
			expect(await listing()).toBe("");

			expect(await warden.cli(["ensure"])).toMatchObject({ code: 0 });
			await daemon.untilStatus("owned again", isProtected);
			expect(bareListing(await listing())).toBe(bareListing(before));
		});
	});

	describe("the firewall's own work succeeds beside an owned table", () => {
		test("start, restart and flush", async () => {
			await protectedDaemon();
			const before = await listing();
			await fw4Restart(lab.router);
			await fw4Flush(lab.router);
			expect(await listing()).toBe(before);
			expect((await nft("list", "tables")).stdout).toBe("table inet custom_bgp\n");
			await fw4Restart(lab.router);
			expect((await nft("list", "tables")).stdout).toContain("table inet fw4\n");
		});

		test("with an include of its own that names the table, which then has no owner", async () => {
			const include = "/usr/share/nftables.d/ruleset-post/bgp.nft";
			lab.router.write(include, "table inet custom_bgp {\n\tchain mine {\n\t}\n}\n");
			const { warden, daemon } = startDaemon(lab.router, alone);
			await daemon.untilStatus("no owner", ({ router }) => router.protection === "installed");
			await daemon.process.says(/^warn: .*ruleset-post\/bgp\.nft names table inet custom_bgp /);
			await untilWatched(lab.router);
			const before = bareListing(await listing());
			await lab.router.nft(`table inet fw4\nflush table inet fw4\ninclude "${include}"\n`);
			await daemon.untilStatus("a repair", ({ router }) => router.repairs === 1);
			expect(bareListing(await listing())).toBe(before);

			await lab.router.run(["rm", include]);
			expect(await warden.cli(["ensure"])).toMatchObject({ code: 0 });
			await daemon.untilStatus("an owner", isProtected);
		});
	});

	describe("a backup of the whole ruleset", () => {
		test.each([
			{ how: "as it is", before: "" },
			{ how: "behind a flush", before: "flush ruleset\n" },
		])(
			"restored $how: refused as a whole and without harm while owned, loaded when released",
			async (given) => {
				const { warden, daemon } = await protectedDaemon();
				const backup = given.before + (await nft("list", "ruleset")).stdout;
				lab.router.write("/tmp/backup.nft", backup);
				const whole = async () => (await nft("-s", "list", "ruleset")).stdout;
				const before = await whole();
				const refused = await nft("-f", "/tmp/backup.nft");
				expect(refused).toMatchObject({
					code: 1,
					stderr: expect.stringContaining("Operation not permitted"),
				});
				expect(await whole()).toBe(before);

				if (given.before === "") await nft("flush", "ruleset");
				expect(await warden.cli(["release"])).toMatchObject({ code: 0 });
				if (given.before === "") await nft("flush", "ruleset");
				expect(await nft("-f", "/tmp/backup.nft")).toMatchObject({ code: 0 });
				expect((await nft("list", "tables")).stdout.split("\n").sort()).toEqual([
					"",
					"table inet custom_bgp",
					"table inet fw4",
				]);
				// It came back with the flags of then, and without an owner
				expect(await listing()).toMatch(/^table inet custom_bgp \{\n\tflags persist\n/);
				expect(await warden.cli(["ensure"])).toMatchObject({ code: 0 });
				await daemon.untilStatus("owned again", isProtected);
			},
		);
	});

	test("in a container, whose process ids the kernel does not tell, the table is owned as well", async () => {
		const warden = new Warden(lab.router);
		warden.install();
		warden.configure(alone);
		// A process id namespace inside the lab's network namespace
		const container = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
		const program = ["qjs", "--strip-source", "-m", daemonFile, "run", "--run-dir", runDirectory];
		const daemon = lab.router.start([...container, ...program], { name: "container" });
		await until("the table protected", () => warden.status(), {
			holds: (status) => status !== undefined && isProtected(status),
		});
		const before = bareListing(await listing());
		expect(await nft("delete", "table", "inet", "custom_bgp")).toMatchObject({ code: 1 });
		await nft("flush", "ruleset");
		expect(bareListing(await listing())).toBe(before);

		// When all of it is killed at once, the next one takes over
		await daemon.end("SIGKILL");
		await until("no owner", listing, { holds: (text) => text.includes("\tflags persist\n") });
		await protectedDaemon();
	});
}
