import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Daemon, repairing, startDaemon, type Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdDirect, startBird, startMosquitto } from "../programs.ts";
import { pause, until } from "../wait.ts";
import { madBirdcl } from "./mad-birdcl.ts";

/** Programs that go mad, one after the other, under a daemon that was well. */
let lab: Lab;
let warden: Warden;
let daemon: Daemon;
beforeEach(async () => {
	lab = await startLab();
	await startMosquitto(lab.broker);
	await startBird(lab.router, birdDirect());
	({ warden, daemon } = startDaemon(lab.router, { main: { poll_interval: 2, ...repairing } }));
	await daemon.untilStatus(
		"all is well",
		({ router, peers, mqtt }) =>
			router.protection !== "missing" && peers[0]?.state === "Passive" && mqtt?.connected === true,
		{ timeout: 20_000 },
	);
});
afterEach(() => lab.stop());

/** The programs as they are installed; the fakes stand in front of them in PATH. */
const real = {
	nft: "/usr/sbin/nft",
	birdcl: "/usr/sbin/birdcl",
	conntrack: "/usr/sbin/conntrack",
	nc: "/usr/bin/busybox nc",
};
type Program = keyof typeof real;

async function repair(program: Program): Promise<void> {
	await lab.router.run(["rm", "-f", `/usr/local/sbin/${program}`]);
}

/** Puts a shell script in place of a program; `$real` in it runs the program itself. */
async function fake(program: Program, script: string): Promise<void> {
	await repair(program);
	const text = `#!/bin/sh\n${script.replaceAll("$real", real[program])}\n`;
	lab.router.write(`/usr/local/sbin/${program}`, text, 0o755);
}

/** Processes whose command line begins like this. */
function children(commandLine: string): number[] {
	const words = commandLine.replaceAll(" ", "\0");
	return lab.router.processes().filter((pid) => lab.router.read(`/proc/${pid}/cmdline`)?.startsWith(words));
}

/** Ends the daemon's child with this command line, so that the next one is the fake. */
function endChild(commandLine: string): void {
	const pids = children(commandLine);
	expect(pids).toHaveLength(1);
	for (const pid of pids) process.kill(pid, "SIGKILL");
}

/**
 * Takes the table away and waits until it is back. A daemon whose monitor is new puts the table in place once more until
 * that monitor shows it: a loss in that moment is mended before it is seen, and counts as none.
 */
async function wipe(): Promise<void> {
	// Events are written at once, the status when there is time for it.
	const restored = () => warden.events().filter(({ event_type }) => event_type === "table_restored").length;
	const before = restored();
	await until(
		"a repair",
		async () => {
			await lab.router.run([real.nft, "delete", "table", "inet", "custom_bgp"]);
			await until("the table", () =>
				lab.router
					.run([real.nft, "list", "table", "inet", "custom_bgp"], { allowFailure: true })
					.then(({ code }) => code === 0),
			);
			return until("its event", () => restored() > before, { timeout: 2000 });
		},
		{ timeout: 10_000 },
	);
	await daemon.untilStatus("protection", ({ router }) => router.protection !== "missing");
}

/** Seconds of processor time that the daemon has used, and the megabytes that it occupies. */
function cost(): { seconds: number; megabytes: number } {
	const { pid } = daemon.process;
	const [user = 0, system = 0] = (lab.router.read(`/proc/${pid}/stat`) ?? "")
		.replace(/^.*\) /, "")
		.split(" ")
		.slice(11, 13)
		.map(Number);
	const resident = lab.router.read(`/proc/${pid}/status`)?.match(/VmRSS:\s+(\d+) kB/)?.[1];
	return { seconds: (user + system) / 100, megabytes: Number(resident) / 1024 };
}

/** What the daemon printed since, and that it cost it neither lines nor memory, and left it at rest. */
async function bounded(before: number): Promise<string[]> {
	const said = daemon.process.lines.slice(before);
	expect(said.length, said.join("\n")).toBeLessThanOrEqual(20);
	expect(cost().megabytes).toBeLessThan(12);
	await until("the daemon to rest", restsNow, { every: 1 });
	return said;
}

/** Whether the daemon spends less than half of its time at work: a share, which a busy machine only makes smaller. */
async function restsNow(): Promise<boolean> {
	const [start, before] = [performance.now(), cost().seconds];
	await pause(300);
	daemon.process.mustRun();
	return (cost().seconds - before) / ((performance.now() - start) / 1000) < 0.5;
}

const mark = () => daemon.process.lines.length;

describe("nft monitor", () => {
	test.each([
		{ what: "a line of garbage", script: "echo 'Segmentation fault'", told: /Segmentation fault/ },
		{ what: "random bytes", script: "head -c 300000 /dev/urandom; echo", told: /cannot parse/ },
		{
			what: "a 10 MB line",
			// Once: it may take longer than a monitor may be silent, and another one takes its place.
			script: "[ -e /tmp/said ] || { touch /tmp/said; head -c 10000000 /dev/zero | tr '\\0' x; echo; }",
			told: /a line over 64 kB/,
		},
		{ what: "half of a change", script: "echo 'delete table'", told: /cannot parse: delete table/ },
	])("prints $what: one line about it, and the table is kept", async ({ script, told }) => {
		const before = mark();
		await fake("nft", `[ "$1" = monitor ] || exec $real "$@"\n${script}\nexec $real monitor`);
		endChild("nft monitor");
		await daemon.process.says(told);
		await until("the next monitor", () => children("/usr/sbin/nft monitor").length === 1);
		await wipe();
		const said = await bounded(before);
		expect(said.filter((line) => /cannot parse/.test(line))).toHaveLength(1);
	});

	test("ends at once, every time: a problem is told until it stays", async () => {
		const before = mark();
		await fake("nft", '[ "$1" = monitor ] || exec $real "$@"\necho "no memory" >&2\nexit 1');
		endChild("nft monitor");
		const told = /cannot watch the ruleset: nft monitor: exit 1: no memory/;
		await daemon.untilStatus("the problem", ({ router }) => told.test(router.problem ?? ""));
		expect(await warden.cli(["ensure"])).toMatchObject({ code: 0 });
		await repair("nft");
		await daemon.untilStatus("no problem", ({ router }) => router.problem === undefined, { timeout: 20_000 });
		await wipe();
		await bounded(before);
	});

	test("nft is missing: a problem, and the table comes back with it", async () => {
		const before = mark();
		await lab.router.run(["mv", real.nft, "/root/nft"]);
		await lab.router.run(["/root/nft", "delete", "table", "inet", "custom_bgp"]);
		const missing = await daemon.untilStatus("the problem", ({ router }) => router.problem !== undefined);
		expect(missing.router).toMatchObject({
			protection: "missing",
			problem: "table inet custom_bgp cannot be installed: nft: not found",
		});
		await lab.router.run(["mv", "/root/nft", real.nft]);
		await daemon.untilStatus(
			"the table, and no problem",
			({ router }) => router.protection !== "missing" && router.problem === undefined,
			{ timeout: 15_000 },
		);
		await wipe();
		await bounded(before);
	});

	test("a listing that is garbage does not make it repair for ever", async () => {
		const before = mark();
		await fake("nft", '[ "$2" = list ] || exec $real "$@"\nhead -c 3000000 /dev/urandom');
		expect(await warden.cli(["ensure"])).toMatchObject({
			code: 1,
			stderr: "nft -s list table inet custom_bgp: its output is not a table\n",
		});
		await repair("nft");
		expect((await warden.cli(["ensure"])).code).toBe(0);
		await wipe();
		await bounded(before);
		await daemon.untilStatus("the one repair", ({ router }) => router.repairs === 1);
	});
});

describe("BIRD's client", () => {
	// Which of a reading's questions is the first to get a bad answer is left to chance.
	test.each([
		{
			what: "garbage",
			told: /BIRD: show (status|protocols all|bfd sessions( all)?): not an answer: "rubbish"/,
		},
		{ what: "random bytes", told: /birdcl: a line of more than 64 kB|not an answer: |unexpected output/ },
		{ what: "half of an answer", told: /birdcl: no answer in 3 s/ },
		{ what: "half of an answer and a prompt", told: /birdcl: no answer in 3 s|not an answer/ },
		{
			what: "half of an answer, a newline and a prompt",
			told: /cannot query BIRD: BIRD: show (status|protocols all|bfd sessions( all)?): not an answer/,
		},
		{ what: "nothing", told: /birdcl: no answer in 3 s/ },
	])(
		"prints $what: BIRD is lost, each reason is told once, what was known is kept, and it comes back",
		async (given) => {
			await repair("birdcl");
			lab.router.write("/usr/local/sbin/birdcl", madBirdcl, 0o755);
			endChild("birdcl -v -r");
			const answers = () => daemon.process.lines.filter((line) => /^BIRD \S+ answers$/.test(line)).length;
			await until("BIRD back through it", answers, { holds: (times) => times === 2 });

			const before = mark();
			lab.router.write("/tmp/mad", given.what);
			await daemon.untilStatus("BIRD lost", ({ router }) => !router.bird.reachable, { timeout: 15_000 });
			await daemon.process.says(given.told);
			await wipe();
			expect(warden.status()?.peers).toMatchObject([{ name: network.peer, state: "Passive" }]);

			await lab.router.run(["rm", "/tmp/mad"]);
			await daemon.untilStatus("BIRD back", ({ router }) => router.bird.reachable, { timeout: 20_000 });
			expect(warden.status()?.peers).toMatchObject([{ name: network.peer, state: "Passive", flaps: 0 }]);
			const outages = (await bounded(before)).filter((line) => /cannot query BIRD/.test(line));
			// BIRD is tried again meanwhile, and may be lost for another reason: that one is told too.
			expect(outages.length).toBeGreaterThan(0);
			expect(new Set(outages).size).toBe(outages.length);
		},
	);

	test("is missing from the start, and installed later", async () => {
		await daemon.stop();
		const clients = ["birdcl", "birdc"];
		for (const client of clients) {
			await lab.router.run(["rm", `/usr/local/sbin/${client}`]);
			await lab.router.run(["mv", `/usr/sbin/${client}`, `/root/${client}`]);
		}
		daemon = warden.start();
		await daemon.process.says(/^cannot query BIRD: neither birdcl nor birdc can be run$/);
		await daemon.untilStatus("the table", ({ router }) => router.protection !== "missing");
		const before = mark();
		await wipe();
		for (const client of clients) await lab.router.run(["mv", `/root/${client}`, `/usr/sbin/${client}`]);
		await daemon.untilStatus("BIRD back", ({ router }) => router.bird.reachable, { timeout: 20_000 });
		await bounded(before);
	});
});

describe("conntrack", () => {
	const leaveStaleEntry = async (conntrack: string) => {
		const ends = [
			"-s",
			network.speaker.address,
			"-d",
			network.router.lan,
			"--sport",
			"40000",
			"--dport",
			"179",
		];
		const entry = ["-p", "tcp", ...ends, "--state", "ESTABLISHED", "-t", "300"];
		await lab.router.run([conntrack, "-I", ...entry]);
	};
	const elsewhere = "/root/conntrack";

	test.each([
		{
			what: "prints garbage",
			break: () => fake("conntrack", "head -c 300000 /dev/urandom"),
			now: undefined,
			told: /^conntrack deletes none of them$/m,
		},
		{
			what: "fails",
			break: () => fake("conntrack", "echo 'Operation failed: out of luck' >&2; exit 1"),
			now: undefined,
			told: /out of luck/,
		},
		{
			what: "is missing",
			break: async () => {
				await lab.router.run(["mv", real.conntrack, elsewhere]);
			},
			now: elsewhere,
			told: /conntrack: not found/,
		},
	])("$what: flush says so, the table is kept, and the entry goes when it is back", async (given) => {
		const before = mark();
		await given.break();
		// Only now, or a flush that is still under way from the start would take it.
		await leaveStaleEntry(given.now ?? real.conntrack);
		const failed = await warden.cli(["flush"]);
		expect(failed).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(given.told) });
		await wipe();

		await repair("conntrack");
		await lab.router.run(["sh", "-c", `[ ! -e ${elsewhere} ] || mv ${elsewhere} ${real.conntrack}`]);
		// The flush after the wipe may still have been under way, and have met the real one.
		expect((await warden.cli(["flush"])).code).toBe(0);
		await daemon.untilStatus(
			"no problem",
			({ router }) => router.problem === undefined && router.flushed === 1,
		);
		await bounded(before);
	});
});

describe("nc", () => {
	test.each([
		{ what: "prints garbage", script: "head -c 3000000 /dev/urandom; exec cat", told: /no MQTT broker/ },
		{ what: "prints half of a packet", script: "printf '\\040'; exit 0", told: /MQTT: .*:1883: / },
		{ what: "is no program", script: "exit 127", told: /nc: not found/ },
	])("$what: one line, the rest goes on, and it connects again", async ({ script, told }) => {
		const before = mark();
		await fake("nc", script);
		endChild("nc ");
		await daemon.process.says(told);
		await daemon.untilStatus("not connected", ({ mqtt }) => mqtt?.connected === false);
		await wipe();
		await repair("nc");
		await daemon.untilStatus("connected", ({ mqtt }) => mqtt?.connected === true, { timeout: 20_000 });
		await bounded(before);
	});
});
