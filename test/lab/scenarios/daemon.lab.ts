import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StoredEvent } from "../../../src/model/event.ts";
import type { PeerStatus, Status } from "../../../src/model/status.ts";
import { bareListing } from "../../../src/system/nft/table-listing.ts";
import {
	configFile,
	daemonFile,
	repairing,
	runDirectory,
	startDaemon,
	uciConfig,
	Warden,
} from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { bundle } from "../paths.ts";
import { runProcess } from "../process.ts";
import { birdMultihop, startBird, startFrr, startMosquitto } from "../programs.ts";
import { sessionMark, settledMark, untilWatched } from "../session.ts";
import { until } from "../wait.ts";
import { canOwn } from "../world.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

const alone = { mqtt: { enabled: false }, main: repairing };
const tableOf = async (name = "custom_bgp") =>
	bareListing(
		(await lab.router.run(["nft", "-s", "list", "table", "inet", name], { allowFailure: true })).stdout,
	);

/** Names of the programs that run on the router, sorted. */
const programs = () =>
	lab.router
		.processes()
		.map((pid) => lab.router.read(`/proc/${pid}/comm`)?.trim() ?? "")
		.filter((name) => name !== "")
		.sort();

/** Prints a line for every look at the table that does not find it. */
const watchTable = () =>
	lab.router.start(
		["sh", "-c", "while :; do nft list table inet custom_bgp >/dev/null 2>&1 || echo gone; sleep 0.05; done"],
		{ name: "the table's watcher" },
	);

const established = ({ peers }: Status) =>
	peers.length > 0 && peers.every((peer) => peer.state === "Established");

describe("the daemon ends", () => {
	test("killed and started again: the table and the session stay, and no child is left twice", async () => {
		await startMosquitto(lab.broker);
		const bird = await startBird(lab.router, birdMultihop());
		const frr = await startFrr(lab.speaker);
		const { warden, daemon } = startDaemon(lab.router);
		const up = (status: Status) => established(status) && status.mqtt?.connected === true;
		await daemon.untilStatus("all is well", up, { timeout: 25_000 });
		const owners = canOwn ? ["nft"] : [];
		const once = ["bird", "birdcl", "nc", "nft", ...owners, "qjs"];
		// As a session comes up the kernel is asked about its peer: those children come and go.
		await until("its long-lived children alone", programs, {
			holds: (names) => names.join() === once.join(),
		});
		const before = await settledMark({ bird, frr });
		const watcher = watchTable();

		await daemon.crash();
		const next = warden.start();
		await next.untilStatus("all is well again", up);
		await until("no child twice", () => programs().filter((name) => name !== "sh" && name !== "sleep"), {
			holds: (names) => names.join() === once.join(),
		});
		await watcher.end("SIGTERM");
		expect(watcher.lines).toEqual([]);
		expect(await sessionMark({ bird, frr })).toBe(before);
		expect((await next.untilStatus("up", up)).peers[0]?.flaps).toBe(0);
	});

	test("SIGTERM: says goodbye, exits 0, leaves the table and no child", async () => {
		const broker = await startMosquitto(lab.broker);
		const { warden, daemon } = startDaemon(lab.router);
		await daemon.untilStatus("the broker connected", ({ mqtt }) => mqtt?.connected === true);
		await until("the retained messages", () => broker.retained(), { holds: (topics) => topics.size >= 3 });
		const table = await tableOf();
		const seen = await broker.subscribe();

		expect(await daemon.stop()).toEqual({ code: 0, signal: null });
		await until("no process", () => lab.router.processes(), { holds: (pids) => pids.length === 0 });
		expect(table).toContain("raw_pre");
		expect(await tableOf()).toBe(table);
		await until("offline", () => seen.last("bgpwarden/router/availability")?.payload === "offline");
		expect(seen.messages.at(-1)).toMatchObject({ topic: "bgpwarden/router/availability" });
		expect((await broker.retained()).get("bgpwarden/router/availability")).toBe("offline");
		expect((await warden.cli(["status"])).code).toBe(3);
	});

	test("a second one refuses to start", async () => {
		const { warden, daemon } = startDaemon(lab.router, alone);
		await daemon.untilStatus("anything", () => true);
		const second = await warden.cli(["run"]);
		expect(second).toEqual({
			code: 1,
			stdout: "",
			stderr: `bgpwarden: already running (pid ${daemon.process.pid})\n`,
		});
		expect(daemon.process.running).toBe(true);
	});
});

describe("the configuration is read again", () => {
	test("a bad one is named by file and line, and keeping the last good configuration", async () => {
		const { warden, daemon } = startDaemon(lab.router, { ...alone, main: { table: "mine", ...repairing } });
		await daemon.untilStatus("the table", ({ router }) => router.protection !== "missing");
		await untilWatched(lab.router);
		const bad = uciConfig({ ...alone, main: { table: "other", poll_interval: "abc", ...repairing } });
		const line = bad.split("\n").findIndex((text) => text.includes("poll_interval")) + 1;
		const complaint = `${configFile}:${line}: main.poll_interval: 'abc'`;

		warden.configure(bad);
		daemon.reload();
		const troubled = await daemon.untilStatus("a problem", ({ router }) => router.problem !== undefined);
		expect(troubled.router).toMatchObject({
			table: "mine",
			problem: expect.stringContaining(complaint),
		});
		expect(daemon.process.lines.filter((text) => text.startsWith(`error: ${complaint}`))).toHaveLength(1);
		expect((await warden.cli(["status"])).stdout).toContain(complaint);
		await lab.router.nft("flush ruleset");
		await daemon.untilStatus("a repair", ({ router }) => router.repairs === 1);
		expect(await tableOf("mine")).toContain("raw_pre");

		warden.configure({ ...alone, main: { table: "mine", ...repairing } });
		daemon.reload();
		await daemon.untilStatus("no problem", ({ router }) => router.problem === undefined);
	});

	test("another table name and another log level are taken over", async () => {
		const { warden, daemon } = startDaemon(lab.router, alone);
		await daemon.untilStatus("the table", ({ router }) => router.protection !== "missing");

		warden.configure({ ...alone, main: { table: "renamed", log_level: "error", ...repairing } });
		daemon.reload();
		await until("the new table alone", async () => (await lab.router.run(["nft", "list", "tables"])).stdout, {
			holds: (tables) => tables === "table inet renamed\n",
		});
		await daemon.untilStatus("its name", ({ router }) => router.table === "renamed");
		// Another table has another monitor. What is deleted before that listens is put back, and is no repair.
		await untilWatched(lab.router);
		// The first may be answered by the listing after which the table is put in place once more.
		for (let round = 0; round < 2; round++) expect(await warden.cli(["ensure"])).toMatchObject({ code: 0 });
		const said = daemon.process.lines.length;
		const table = await tableOf("renamed");
		await lab.router.nft("delete table inet renamed");
		await daemon.untilStatus("a repair", ({ router }) => router.repairs === 1);
		expect(await tableOf("renamed")).toBe(table);
		expect(daemon.process.lines.slice(said)).toEqual([]);
	});
});

describe("the command line", () => {
	test("without a daemon", async () => {
		const warden = new Warden(lab.router);
		warden.install();
		warden.configure({});
		for (const verb of [
			["status"],
			["status", "--json"],
			["peers"],
			["ensure"],
			["flush"],
			["restart", network.peer],
		]) {
			const answer = await warden.cli(verb);
			expect({ verb, ...answer }).toEqual({
				verb,
				code: 3,
				stdout: "",
				stderr: expect.stringMatching(/^bgpwarden: the daemon is not running.*\n$/),
			});
		}
		expect(await warden.cli(["events"])).toEqual({ code: 0, stdout: "", stderr: "" });
		expect(await warden.cli(["check"])).toEqual({ code: 0, stdout: `${configFile}: fine\n`, stderr: "" });
		expect((await warden.cli(["--version"])).stdout).toMatch(/^bgpwarden \d+\.\d+\.\d+\S*\n$/);
		expect(await warden.cli(["--help"])).toMatchObject({ code: 0, stderr: "" });
		expect((await warden.cli(["--help"])).stdout).toContain("Usage: bgpwarden");
		expect(await warden.cli(["stauts"])).toMatchObject({
			code: 2,
			stdout: "",
			stderr: expect.stringMatching(/stauts.*status/),
		});
		expect((await warden.cli([])).code).toBe(2);

		const { stdout } = await warden.cli(["render", "nft"]);
		await lab.router.run(["nft", "-c", "-f", "-"], { stdin: stdout });
		expect(stdout).toContain("table inet custom_bgp");
		warden.configure("config bgpwarden 'main'\n\toption scope 'all'\n\toption colour 'red'\n");
		const bad = await warden.cli(["check"]);
		expect(bad).toMatchObject({ code: 1, stdout: "" });
		const lines = bad.stderr.trimEnd().split("\n");
		expect(lines).toHaveLength(2);
		expect(lines[0]).toContain(`${configFile}:2: main.scope`);
		expect(lines[1]).toContain(`${configFile}:3: `);
	});

	test("with a daemon", async () => {
		await startBird(lab.router, birdMultihop());
		await startFrr(lab.speaker);
		const { warden, daemon } = startDaemon(lab.router, alone);
		await daemon.untilStatus("Established", established, { timeout: 25_000 });

		const status = await warden.cli(["status"]);
		expect(status).toMatchObject({ code: 0, stderr: "" });
		expect(status.stdout).toMatch(/The peer waukeen is Established; the table is in place\./);
		// The file may be written anew at any time: what the command read is what was there before it or after it.
		const files = [warden.status()];
		const shown = JSON.parse((await warden.cli(["status", "--json"])).stdout);
		files.push(warden.status());
		expect(files).toContainEqual(shown);
		const peers = await warden.cli(["peers"]);
		expect(peers.stdout).toMatch(/^PEER +STATE[^\n]*\nwaukeen +Established +/);
		const [json] = JSON.parse((await warden.cli(["peers", "--json"])).stdout) as PeerStatus[];
		expect(json).toMatchObject({ name: network.peer, state: "Established" });

		const follower = lab.router.start(
			["qjs", "-m", daemonFile, "events", "--follow", "--run-dir", runDirectory],
			{ name: "events --follow" },
		);
		await lab.router.nft("flush ruleset");
		await follower.says(/deleted|table/);
		await follower.end("SIGINT");
		await daemon.untilStatus("a repair", ({ router }) => router.repairs === 1);
		const types = () => warden.events().map((event: StoredEvent) => event.event_type);
		const before = types();
		expect(before).toEqual(expect.arrayContaining(["table_lost", "table_restored"]));
		const lines = (await warden.cli(["events"])).stdout.trimEnd().split("\n");
		expect(lines.length).toBeGreaterThanOrEqual(before.length);
		expect(lines.length).toBeLessThanOrEqual(types().length);

		expect(await warden.cli(["ensure"])).toMatchObject({
			code: 0,
			stdout: "table inet custom_bgp is in place\n",
		});
		expect(await warden.cli(["flush"])).toMatchObject({ code: 0, stdout: "no stale conntrack entries\n" });
		const unknown = await warden.cli(["restart", "nosuch"]);
		expect(unknown).toMatchObject({ code: 1, stdout: "" });
		expect(unknown.stderr).toMatch(/nosuch.*waukeen\n$/);
		expect(await warden.cli(["restart", network.peer])).toMatchObject({
			code: 0,
			stdout: "peer waukeen restarted in BIRD\n",
		});
		await daemon.untilStatus("a flap", ({ peers: [peer] }) => peer?.flaps === 1);
		await daemon.untilStatus("Established again", established, { timeout: 20_000 });
	});

	test("Node and qjs give the same answers", async () => {
		const { warden, daemon } = startDaemon(lab.router, alone);
		await daemon.untilStatus("the table", ({ router }) => router.protection !== "missing");
		lab.router.write("/etc/config/bad", "config bgpwarden 'main'\n\toption colour 'red'\n");
		// Names that both see: Node is no program of the lab, but process ids are the machine's.
		const root = `/proc/${lab.router.pid}/root`;
		const global = ["--run-dir", `${root}${runDirectory}`, "--config"];
		const good = [...global, `${root}${configFile}`];
		for (const argv of [
			["check", ...good],
			["check", ...global, `${root}/etc/config/bad`],
			["check", ...global, `${root}/etc/config`],
			["render", "nft", ...good],
			["status", "--json", ...good],
			["peers", ...good],
			["events", ...good],
			["--version"],
			["--help"],
			["nonsense"],
		]) {
			const qjs = await lab.router.run(["qjs", "-m", daemonFile, ...argv], { allowFailure: true });
			const node = await runProcess("node", [process.execPath, bundle, ...argv], {
				allowFailure: true,
			});
			expect({ argv, ...node }).toEqual({ argv, ...qjs });
			expect(qjs.stdout + qjs.stderr === "" && argv[0] !== "events").toBe(false);
		}
		expect(warden.status()?.router.pid).toBe(daemon.process.pid);
	});
});
