import { readdirSync, readlinkSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { configFile, daemonFile, runDirectory, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdMultihop, fw4Table, startBird, startFrr, startProxy, startStream } from "../programs.ts";
import { establish, flapsSoFar, settledMark } from "../session.ts";
import { until } from "../wait.ts";
import { protection } from "../world.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
	await lab.router.nft(fw4Table);
});
afterEach(() => lab.stop());

const { router, speaker, broker, peer } = network;
const argv = (...words: string[]) => [
	...["qjs", "--strip-source", "-m", daemonFile, ...words],
	...["--config", configFile, "--run-dir", runDirectory],
];
const startTrace = async (...words: string[]) => {
	const trace = lab.router.start(argv("trace", ...words), { name: "trace" });
	await trace.says(/^Tracing BGP and BFD of /);
	return trace;
};
const tables = async () =>
	(await lab.router.run(["nft", "list", "tables"])).stdout.trimEnd().split("\n").sort();
const commandLineOf = (pid: number) =>
	(lab.router.read(`/proc/${pid}/cmdline`) ?? "").split("\0").join(" ").trim();

/** Of the pipe that is this descriptor of the trace's child: the descriptor of its other end, in the trace. */
async function otherEnd(trace: number, commandLine: string, descriptor: number): Promise<number> {
	const child = await until(`the child ${commandLine}`, () =>
		lab.router.processes().find((pid) => commandLine === commandLineOf(pid)),
	);
	const pipe = readlinkSync(`/proc/${child}/fd/${descriptor}`);
	expect(pipe).toMatch(/^pipe:/);
	const ends = readdirSync(`/proc/${trace}/fd`).filter(
		(fd) => readlinkSync(`/proc/${trace}/fd/${fd}`) === pipe,
	);
	expect(ends).toHaveLength(1);
	return Number(ends[0]);
}

/**
 * Neither a table nor a process of the trace is left: each was there before, or is a child of what was, as the daemon's are that
 * come and go.
 */
async function thenNothingIsLeft(before: readonly string[], processes: readonly number[]): Promise<void> {
	const isChild = (pid: number) =>
		processes.includes(Number(/^PPid:\s+(\d+)$/m.exec(lab.router.read(`/proc/${pid}/status`) ?? "")?.[1]));
	const left = () => lab.router.processes().filter((pid) => !processes.includes(pid) && !isChild(pid));
	await until(
		"the trace's table and processes to be gone",
		async () => ({ tables: await tables(), left: left().map(commandLineOf) }),
		{ holds: ({ tables, left }) => tables.join() === before.join() && left.length === 0 },
	);
}

test("a session beside a daemon: its packets' ways chain by chain, and nothing is left, nor does the daemon stir", async () => {
	const session = await establish(lab);
	await settledMark(session);
	const flaps = await flapsSoFar(session.daemon);
	const [before, processes] = [await tables(), lab.router.processes()];
	const trace = await startTrace(peer, "--seconds", "4");
	expect(trace.lines[0]).toBe(`Tracing BGP and BFD of ${peer} (${speaker.address}) for 4 s; Ctrl-C ends it.`);
	expect((await tables()).join()).toContain("table inet bgpwarden_trace_");
	expect(await trace.ended).toEqual({ code: 0, signal: null });
	const text = trace.lines.join("\n");

	expect(text).toMatch(
		/^\d\d:\d\d:\d\d\.\d{3}Z {2}in on br-lan: 192\.168\.1\.2:\d+ > 192\.168\.1\.1:4784 udp$/m,
	);
	expect(text).toMatch(
		/^\d\d:\d\d:\d\d\.\d{3}Z {2}out on br-lan: 192\.168\.1\.1:\d+ > 192\.168\.1\.2:4784 udp$/m,
	);
	expect(text).toMatch(/^ {4}inet custom_bgp raw_pre +udp dport .*4784.* counter .*notrack comment/m);
	expect(text).toMatch(/^ {4}inet fw4 input +policy -> accept$/m);
	expect(text).toContain("    = let through");
	expect(text).toContain("    = let out");
	expect(text).not.toContain("bgpwarden_trace");
	expect(text).toMatch(/^\d+ packets; of very many, only some are shown\.$/m);
	await thenNothingIsLeft(before, processes);
	expect(session.warden.status()).toMatchObject({
		router: { protection, repairs: 0 },
		peers: [{ state: "Established", flaps }],
	});
});

test("a handshake without a daemon: who leads it elsewhere, and who drops the answer", async () => {
	const warden = new Warden(lab.router);
	warden.install();
	warden.configure({ peers: [{ name: peer, address: speaker.address }] });
	await startProxy(lab.router);
	const bird = await startBird(lab.router, birdMultihop());
	const trace = await startTrace(peer, "--seconds", "60");
	await startFrr(lab.speaker);
	await trace.says(/= redirected by inet proxy pre/, 30_000);
	expect(trace.lines.join("\n")).toMatch(
		/in on br-lan: 192\.168\.1\.2:\d+ > 192\.168\.1\.1:179 tcp syn\n(?: .*\n)* {4}inet proxy pre +tcp dport 179 redirect to :7892/,
	);
	// A rule that is newer than the trace is known by its text all the same
	await lab.router.nft("insert rule inet fw4 input tcp dport 7892 counter drop\n");
	await trace.says(/= dropped by inet fw4 input/, 130_000);
	expect(trace.lines.join("\n")).toMatch(/ {4}inet fw4 input +tcp dport 7892 counter drop/);

	trace.kill("SIGINT");
	expect(await trace.ended).toEqual({ code: 0, signal: null });
	expect(await tables()).toEqual(["table inet fw4", "table inet proxy"]);
	await bird.stop();
});

test("IPv6, by address; killed, it leaves nothing behind", async () => {
	const warden = new Warden(lab.router);
	warden.install();
	warden.configure({});
	const [before, processes] = [await tables(), lab.router.processes()];
	const trace = await startTrace("FD00:1:0::2");
	const dial = `import socket; socket.create_connection(("${router.lan6}", 179), 2)`;
	await lab.speaker.run(["python3", "-c", dial], { allowFailure: true });
	await trace.says(/in on br-lan: \[fd00:1::2\]:\d+ > \[fd00:1::1\]:179 tcp syn$/);
	await trace.says(/out on br-lan: \[fd00:1::1\]:179 > \[fd00:1::2\]:\d+ tcp rst,ack$/);
	expect(await tables()).toHaveLength(2);
	// A killed process's descriptors are closed from the highest down.
	expect(await otherEnd(trace.pid, "nft -f -", 0)).toBeLessThan(await otherEnd(trace.pid, "nft monitor", 1));

	await trace.end("SIGKILL");
	await thenNothingIsLeft(before, processes);
});

test("a flood is shown in part", async () => {
	const warden = new Warden(lab.router);
	warden.install();
	warden.configure({});
	const stream = startStream(lab.broker, 179);
	await stream.more(100);
	const trace = await startTrace(broker.address, "--seconds", "3");
	await trace.ended;
	await stream.more(100);
	const packets = trace.lines.filter((line) => line.includes(" > ")).length;
	expect(packets).toBeGreaterThan(3);
	// Of 3,000 that came and as many answers
	expect(packets).toBeLessThan(150);
});

test("what cannot be traced is one line", async () => {
	const warden = new Warden(lab.router);
	warden.install();
	warden.configure({ peers: [{ name: peer, address: speaker.address }] });
	expect(await warden.cli(["trace", "nosuch"])).toEqual({
		code: 1,
		stdout: "",
		stderr: `bgpwarden: trace: no peer 'nosuch' with an address is known; there is ${peer}\n`,
	});
	expect(await warden.cli(["trace"])).toMatchObject({ code: 2 });
	expect(await warden.cli(["trace", peer, "--seconds", "0"])).toMatchObject({ code: 2 });
	const script =
		'#!/bin/sh\n[ "$1" != -e ] || { echo "Error: no flags owner" >&2; exit 1; }\nexec /usr/sbin/nft "$@"\n';
	lab.router.write("/usr/local/sbin/nft", script, 0o755);
	const refused = await warden.cli(["trace", peer]);
	expect(refused).toMatchObject({ code: 1, stdout: "" });
	expect(refused.stderr).toMatch(
		/^bgpwarden: trace: nft -e -f -: exit 1: Error: no flags owner \(this needs a kernel from 5\.12 /,
	);
	await until("no process", () => lab.router.processes(), { holds: (pids) => pids.length === 0 });
	expect(await tables()).toEqual(["table inet fw4"]);
});
