import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { daemonFile, runDirectory, startDaemon, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { fw4Flush, fw4Restart } from "../programs.ts";
import { tableListing, untilWatched } from "../session.ts";
import { until } from "../wait.ts";
import { canOwn } from "../world.ts";

/**
 * A router whose nft cannot keep a table from others, with the configuration as it comes: what others do to the table takes
 * effect, and is repaired. Where nft can, a wrapper refuses the flags as an older one does.
 */
let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
	await fw4Restart(lab.router);
	if (!canOwn) return;
	// nft has the process id of the child that the daemon started, by which it knows its own transactions.
	const script = `#!/bin/sh
text=$(cat)
case $text in
*persist*) echo "Error: unknown table option persist" >&2; exit 1 ;;
esac
printf '%s\\n' "$text" >"/tmp/nft.$$"
exec /usr/sbin/nft "$@" <"/tmp/nft.$$"
`;
	const wrapper = `#!/bin/sh\ncase "$*" in *-) exec /root/nft "$@" ;; esac\nexec /usr/sbin/nft "$@"\n`;
	lab.router.write("/root/nft", script, 0o755);
	lab.router.write("/usr/local/sbin/nft", wrapper, 0o755);
});
afterEach(() => lab.stop());

const alone = { mqtt: { enabled: false } };
const nft = (...argv: string[]) => lab.router.run(["/usr/sbin/nft", ...argv], { allowFailure: true });
const listing = () => tableListing(lab.router);

async function installed() {
	const { warden, daemon } = startDaemon(lab.router, alone);
	await daemon.untilStatus("the table", ({ router }) => router.protection === "installed");
	await untilWatched(lab.router);
	/** The table is back as it was, after this many repairs in all. */
	const repaired = async (before: string, repairs: number) => {
		await until("the table as before", listing, { holds: (now) => now === before });
		await daemon.untilStatus("the repairs", ({ router }) => router.repairs === repairs);
	};
	return { warden, daemon, repaired };
}

test("the log says why, and nothing is left of the try", async () => {
	const { daemon } = await installed();
	await daemon.process.says(/^the table is not owned: kernel or nft cannot: ./);
	expect(daemon.process.lines.filter((line) => line.includes("was changed by"))).toEqual([]);
	expect((await nft("list", "tables")).stdout.split("\n").sort()).toEqual([
		"",
		"table inet custom_bgp",
		"table inet fw4",
	]);
	expect((await nft("-s", "list", "table", "inet", "custom_bgp")).stdout).toMatch(
		/^table inet custom_bgp \{\n\tchain/,
	);
});

describe("a person", () => {
	test("deletes it and finds it back, reads how to, and then can", async () => {
		const { warden, daemon, repaired } = await installed();
		const before = await listing();
		expect(await nft("delete", "table", "inet", "custom_bgp")).toMatchObject({ code: 0 });
		await repaired(before, 1);
		expect((await warden.cli(["status"])).stdout).toMatch(
			/^Table .*in place \(changes by others are repaired\)/m,
		);

		expect(await warden.cli(["release"])).toMatchObject({ code: 0, stderr: "" });
		await daemon.untilStatus("a problem", ({ router }) =>
			/ was released on request; /.test(router.problem ?? ""),
		);
		expect(await nft("delete", "table", "inet", "custom_bgp")).toMatchObject({ code: 0 });
		await daemon.untilStatus("it is gone", ({ router }) => router.protection === "missing");
		await warden.cli(["flush"]);
		expect(await listing()).toBe("");

		expect(await warden.cli(["ensure"])).toMatchObject({ code: 0 });
		await daemon.untilStatus("it is back", ({ router }) => router.protection === "installed");
		expect(await listing()).toBe(before);
	});

	test.each([
		{ how: "as it is", start: "" },
		{ how: "behind a flush", start: "flush ruleset\n" },
	])("restores a backup of the whole ruleset, $how: the table is as before", async ({ start }) => {
		const { daemon } = await installed();
		const before = await listing();
		lab.router.write("/tmp/backup.nft", start + (await nft("list", "ruleset")).stdout);
		expect(await nft("-f", "/tmp/backup.nft")).toMatchObject({ code: 0 });
		await until("the table as before", listing, { holds: (now) => now === before });
		await daemon.untilStatus("no problem", ({ router }) => router.problem === undefined);
	});
});

test("the firewall is restarted and flushed: the table is repaired", async () => {
	const { repaired } = await installed();
	const before = await listing();
	await fw4Restart(lab.router);
	expect(await listing()).toBe(before);
	await fw4Flush(lab.router);
	await repaired(before, 1);
});

test("in a container, whose process ids the kernel does not tell, it is repaired as well", async () => {
	const warden = new Warden(lab.router);
	warden.install();
	warden.configure(alone);
	const container = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
	const program = ["qjs", "--strip-source", "-m", daemonFile, "run", "--run-dir", runDirectory];
	const daemon = lab.router.start([...container, ...program], { name: "container" });
	await until("the table", () => warden.status(), {
		holds: (status) => status?.router.protection === "installed",
	});
	// Its processes have a file system of their own: its socket is the only one that listens.
	const sockets = () => lab.router.read(`/proc/${lab.router.pid}/net/netlink`) ?? "";
	await until("nft monitor to listen", () => /^\S+ +12 +\d+ +(?!0+ )/m.test(sockets()));
	const before = await listing();
	expect(await nft("delete", "table", "inet", "custom_bgp")).toMatchObject({ code: 0 });
	await until("the table as before", listing, { holds: (now) => now === before });

	// When all of it is killed at once, the next one finds the table
	await daemon.end("SIGKILL");
	expect(await listing()).toBe(before);
	await installed();
	expect(await listing()).toBe(before);
});
