import { afterEach, beforeEach, expect, test } from "vitest";
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
import { birdMultihop, startBird, startFrr, startMosquitto } from "../programs.ts";
import { untilEstablished, untilWatched } from "../session.ts";
import { until } from "../wait.ts";

/** What SECURITY.md says of the daemon and of a local user, as it is on a whole router. */
let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

const { peer, broker: brokerHost } = network;

test("it listens on no port, and its only connection is to the broker", async () => {
	await startMosquitto(lab.broker);
	await startBird(lab.router, birdMultihop());
	await startFrr(lab.speaker);
	const { daemon } = startDaemon(lab.router, { mqtt: { commands: true } });
	await untilEstablished(daemon, { timeout: 40_000 });
	await daemon.untilStatus("the broker", ({ mqtt }) => mqtt?.connected === true);

	/** Sockets of internet protocols: state, own address, the other's, and the programs that have them. */
	const { stdout } = await lab.router.run(["ss", "-H", "-tuwnap"]);
	const sockets = stdout.trim().split("\n");
	// A connection that BIRD has closed stays for a minute, and is nobody's.
	const ours = sockets.filter((line) => !line.includes('"bird"') && !/^tcp +TIME-WAIT .*:179 /.test(line));
	expect(ours).toHaveLength(1);
	expect(ours[0]).toMatch(
		new RegExp(`^tcp +ESTAB .* ${brokerHost.address.replaceAll(".", "\\.")}:1883 .*"nc"`),
	);
	// And that a listener would have been seen: BIRD's
	expect(sockets.some((line) => /LISTEN .*:179 .*"bird"/.test(line))).toBe(true);
});

test("it starts no shell, and reads BIRD through a client that can change nothing", async () => {
	await startMosquitto(lab.broker);
	await startBird(lab.router, birdMultihop());
	const frr = await startFrr(lab.speaker);
	const warden = new Warden(lab.router);
	warden.install();
	warden.configure({ main: { ...repairing, poll_interval: 2 } });
	const argv = [
		"qjs",
		"--strip-source",
		"-m",
		daemonFile,
		"run",
		"--config",
		configFile,
		"--run-dir",
		runDirectory,
	];
	const strace = lab.router.start(["strace", "-f", "-s", "300", "-e", "trace=execve", "--", ...argv], {
		name: "strace",
	});
	const status = (what: string, holds: (found: NonNullable<ReturnType<Warden["status"]>>) => boolean) =>
		until(what, () => warden.status(), {
			holds: (found) => found !== undefined && holds(found),
			timeout: 40_000,
		});
	await status(
		"a session and the broker",
		({ peers: [first], mqtt }) => first?.state === "Established" && mqtt?.connected === true,
	);

	// Everything that it does: a repair, deleting entries, looking into a peer that is down, restarting it
	await lab.router.nft("delete table inet custom_bgp");
	await status("a repair", ({ router }) => router.repairs === 1);
	for (const words of [["flush"], ["ensure"], ["restart", peer]])
		expect((await warden.cli(words)).code).toBe(0);
	await frr.stop();
	await status(
		"a peer that is down, and why",
		({ peers: [first] }) => first?.state !== "Established" && first?.diagnosis !== undefined,
	);
	await until("a look at the peer", () => strace.lines.some((line) => line.includes('["ip", ')));

	const started = strace.lines.flatMap(
		(line) => /execve\("([^"]+)", \[(.*?)\], /.exec(line)?.slice(1, 3).join(" ") ?? [],
	);
	const programs = new Set(started.map((line) => line.split(" ")[0]?.split("/").at(-1)));
	const known = ["birdcl", "conntrack", "ip", "mkfifo", "nc", "nft", "nslookup", "ping", "qjs"];
	expect([...programs].filter((name) => !known.includes(name ?? ""))).toEqual([]);
	expect([...programs]).toEqual(expect.arrayContaining(["birdcl", "ip", "mkfifo", "nc", "nft", "qjs"]));
	// Without -r it is used for the restart alone
	const clients = started.filter((line) => line.includes('"birdcl", '));
	expect(clients.some((line) => line.includes('"-r"'))).toBe(true);
	for (const line of clients) expect(line).toMatch(/"-r"|"(?:restart|enable)"/);
}, 120_000);

test("a local user without root reads the state and the table, no password, and changes nothing", async () => {
	await startMosquitto(lab.broker, { username: "router", password: "marked7f3a" });
	const warden = new Warden(lab.router);
	warden.install();
	const account = { username: "router", password: "marked7f3a" };
	lab.router.write(configFile, uciConfig({ main: repairing, mqtt: account }), 0o600);
	const daemon = warden.start();
	await daemon.untilStatus(
		"the broker and the table",
		({ mqtt, router }) => mqtt?.connected === true && router.protection === "installed",
	);
	await untilWatched(lab.router);
	await lab.router.nft("delete table inet custom_bgp");
	await daemon.untilStatus("something to read of", ({ router }) => router.repairs === 1);
	const user = (...argv: readonly string[]) =>
		lab.router.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", ...argv], {
			allowFailure: true,
		});
	const shell = (script: string) => user("sh", "-c", script);

	for (const path of [
		`${runDirectory}/status.json`,
		`${runDirectory}/events.jsonl`,
		"/etc/bgpwarden/table.nft",
	]) {
		const { code, stdout } = await user("cat", path);
		expect({ path, code, secret: stdout.includes("marked7f3a") }).toEqual({ path, code: 0, secret: false });
	}
	for (const path of [configFile, "/etc/bgpwarden/last-good"])
		expect(await user("cat", path)).toMatchObject({ code: 1, stdout: "" });
	const { pid } = daemon.process;
	const before = daemon.process.lines.length;
	const tries = [
		`echo flush > ${runDirectory}/control`,
		`echo x > ${runDirectory}/status.json`,
		`rm -f ${runDirectory}/status.json`,
		`mv ${runDirectory}/replies /tmp/x`,
		`ln -s /etc/passwd ${runDirectory}/status.json.new`,
		`ls ${runDirectory}/replies && cat ${runDirectory}/replies/*`,
		"echo x > /etc/bgpwarden/table.nft",
		"ln -s /etc/passwd /etc/bgpwarden/table.nft.new",
		"nft delete table inet custom_bgp",
		`kill ${pid}`,
		`cat /proc/${pid}/environ`,
		`cat /proc/${pid}/mem`,
	];
	for (const script of tries)
		expect({ script, failed: (await shell(script)).code !== 0 }).toEqual({ script, failed: true });
	// The command line asks the daemon through a file that is root's.
	expect((await user("qjs", "--strip-source", "-m", daemonFile, "flush")).code).not.toBe(0);
	expect(daemon.process.lines.slice(before)).toEqual([]);
	expect(warden.status()?.router).toMatchObject({ pid, repairs: 1, flushed: 0 });
});
