import { afterEach, beforeEach, expect, test } from "vitest";
import { startDaemon } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { birdMultihop, FakeUbus, startBird, startFrr, startMosquitto } from "../programs.ts";
import { pause } from "../wait.ts";
import { canOwn } from "../world.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

/** Milliseconds after which a session is nothing new, and two readings of BIRD. */
const SETTLED = 12_000;
const commandLine = (pid: number) => lab.router.read(`/proc/${pid}/cmdline`) ?? "";

test.each([
	{ bus: "without ubus", withUbus: false },
	{ bus: "with procd on ubus", withUbus: true },
])("at rest the daemon starts no process, though it reads BIRD: $bus", async ({ withUbus }) => {
	// Given a session, a broker, and nothing left to settle
	if (withUbus) await FakeUbus.start(lab.router);
	await startMosquitto(lab.broker);
	const bird = await startBird(lab.router, birdMultihop());
	await startFrr(lab.speaker);
	const { daemon } = startDaemon(lab.router, { main: { poll_interval: 5 } });
	await daemon.untilStatus(
		"all is well",
		({ peers: [peer], mqtt }) =>
			peer?.state === "Established" &&
			peer.bfd === "up" &&
			mqtt?.connected === true &&
			// The route to a new session's peer is looked at until its own routes have come.
			Date.now() - Date.parse(peer.since ?? "") > SETTLED,
		{ timeout: 35_000 },
	);

	// When the daemon is watched for 20 s
	const calls = "trace=execve,execveat,clone,clone3,fork,vfork,read";
	const strace = lab.router.start(["strace", "-f", "-e", calls, "-p", String(daemon.process.pid)], {
		name: "strace",
	});
	await strace.says(/attached/);
	const isStart = (line: string) => /\b(execve|execveat|clone|clone3|fork|vfork)\(/.test(line);
	const starts = () => strace.lines.filter(isStart);
	await pause(20_000);

	// Then it has read from its children, and started none
	expect(starts()).toEqual([]);
	expect(
		strace.lines.filter((line) => line.includes("BGP state:") || line.includes("read(")).length,
	).toBeGreaterThan(3);
	expect((await bird.peer()).bgp).toBe("Established");

	// And it would have been seen: an owner that ends is followed by another, and so is a monitor
	const isChild = canOwn ? /^nft\0-e\0/ : /^nft\0monitor\0/;
	const child = lab.router.processes().find((pid) => isChild.test(commandLine(pid)));
	lab.router.signal(child, "SIGKILL");
	await strace.says(/\b(clone|clone3|fork|vfork)\(/);
	await strace.end("SIGTERM");
});
