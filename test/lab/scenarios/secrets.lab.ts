import { afterEach, beforeEach, expect, test } from "vitest";
import { VERBS } from "../../../src/cli/arguments.ts";
import { configFile, runDirectory, uciConfig, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { OpenWrt } from "../openwrt.ts";
import {
	birdMultihop,
	FakeUbus,
	fw4Table,
	type Mosquitto,
	type MosquittoOptions,
	type Subscriber,
	startBird,
	startFrr,
	startMosquitto,
} from "../programs.ts";
import { until } from "../wait.ts";
import { marked, mistakes } from "./secrets.ts";

/** Passwords are in the configuration and its last good copy, for root alone, and nowhere else. */
let lab: Lab;
let openwrt: OpenWrt;
let warden: Warden;
/** All that the service has written to standard output and standard error, whichever daemon it was. */
let log: string[];
/** Subscribers that see every message from before the daemon's first. */
let seen: Subscriber[];

const lastGood = "/etc/bgpwarden/last-good";
const birdPassword = marked("bird");
const account = { username: "router", password: `a'b"c $(d);${marked("mqtt")}\\` };
const main = { log_level: "debug", poll_interval: 2 };
const peers = [{ name: network.peer, address: network.speaker.address, local_as: 65001, remote_as: 65009 }];

beforeEach(async () => {
	lab = await startLab();
	[log, seen] = [[], []];
	await FakeUbus.start(lab.router);
	await lab.router.nft(fw4Table);
	// As libubox's jsonfilter prints one member.
	const filter = `import * as std from "std";
const value = JSON.parse(std.in.readAsString())[scriptArgs[1].slice(2)];
if (value === undefined) std.exit(1);
print(typeof value === "string" ? value : JSON.stringify(value));`;
	lab.router.write("/usr/share/jsonfilter.js", filter);
	lab.router.write(
		"/usr/local/bin/jsonfilter",
		'#!/bin/sh\nexec qjs -m /usr/share/jsonfilter.js "$2"\n',
		0o755,
	);
	openwrt = new OpenWrt(lab.router, (line) => log.push(line));
	openwrt.install();
	warden = new Warden(lab.router);
});
afterEach(() => lab.stop());

async function startBroker(options: MosquittoOptions = {}): Promise<Mosquitto> {
	const others = { lab: "lab" };
	const broker = await startMosquitto(lab.broker, { ...account, others, ...options });
	seen.push(await broker.subscribe());
	lab.router.write("/etc/lab.crt", broker.caCertificate ?? "");
	return broker;
}

function configure(mqtt: Readonly<Record<string, string | number | boolean>>): void {
	lab.router.write(configFile, uciConfig({ main, mqtt: { ...account, ...mqtt }, peers }), 0o600);
}

const pid = () => openwrt.daemon?.pid;

async function untilMqtt(what: string, holds: (mqtt: { connected: boolean; reason?: string }) => boolean) {
	await openwrt.settled();
	await until(what, () => warden.status(), {
		holds: (status) => status?.router.pid === pid() && status?.mqtt !== undefined && holds(status.mqtt),
		timeout: 30_000,
	});
}

/** Every command that there is, with what it needs. */
const commandLines = VERBS.flatMap((verb) => {
	if (verb === "run") return [];
	const json = ["status", "peers", "doctor"].includes(verb) ? [verb, `${verb} --json`] : [verb];
	if (verb === "restart") return [`restart ${network.peer}`];
	if (verb === "trace") return [`trace ${network.peer} --seconds 1`];
	if (verb !== "render") return json;
	const rendered = ["nft", "bird", "metallb", "frr", "bird --check", "bird --check --live --json"];
	return rendered.map((what) => `render ${what}`);
});

const rpcd = ["list", "call status", "call peers", "call events", "call ensure"];

/** Where passwords are found that should not be there, one line each. */
async function leaks(commands = commandLines, calls = rpcd): Promise<string[]> {
	const found: string[] = [];
	const look = (where: string, text: string | undefined) => {
		for (const [secret] of (text ?? "").matchAll(/marked7f3a\w*/g)) found.push(`${where}: ${secret}`);
	};
	for (const process of lab.router.processes())
		for (const file of ["cmdline", "environ", "comm"])
			look(`/proc/${process}/${file}`, lab.router.read(`/proc/${process}/${file}`));
	for (const words of commands) {
		const { stdout, stderr } = await openwrt.shell([`/usr/sbin/bgpwarden ${words} </dev/null`]);
		look(`bgpwarden ${words}`, stdout + stderr);
	}
	for (const words of calls) {
		const { stdout, stderr } = await openwrt.shell([`echo '{}' | /usr/libexec/rpcd/bgpwarden ${words}`]);
		look(`the ubus object: ${words}`, stdout + stderr);
	}
	look("the log", log.join("\n"));
	for (const { topic, payload } of seen.flatMap(({ messages }) => messages)) look(topic, payload);
	const places = ["/etc", "/run", "/tmp", "/var", "/root", "/usr/lib/bgpwarden"];
	const { stdout } = await lab.router.run(["grep", "-rlE", "marked7f3a", ...places], { allowFailure: true });
	for (const file of new Set(stdout.split("\n").filter(Boolean))) {
		const { stdout: mode } = await lab.router.run(["stat", "-c", "%a %U", file]);
		const isKept = [configFile, lastGood].includes(file) && mode === "600 root\n";
		if (!isKept && file !== "/etc/bird.conf") found.push(`${file}, mode ${mode.trim()}`);
	}
	return found;
}

test.each([{ tls: false }, { tls: true }])(
	"right, wrong, and without a broker (TLS: $tls)",
	async ({ tls }) => {
		const broker = await startBroker({ tls });
		const password = `password "${birdPassword}";`;
		await startBird(lab.router, birdMultihop().replace("passive on;", `passive on; ${password}`));
		const frr = await startFrr(lab.speaker, { password: birdPassword });
		const way = tls ? { tls, port: 8883, ca_file: "/etc/lab.crt" } : {};
		configure({ ...way, password: marked("wrong") });
		await openwrt.service("start");
		await untilMqtt("refused", ({ reason }) => /refused/.test(reason ?? ""));
		expect(await leaks(["status", "status --json", "doctor", "doctor --json"])).toEqual([]);

		configure({ ...way, commands: true });
		await openwrt.service("reload");
		await untilMqtt("connected", ({ connected }) => connected);
		await until("a session with a password", () => warden.status()?.peers[0]?.state, {
			holds: (state) => state === "Established",
			timeout: 40_000,
		});
		// What was asked for is told over MQTT too.
		await broker.publish("bgpwarden/router/command", "ensure");
		await until("the outcome", () => seen[0]?.last("bgpwarden/router/event"));
		expect(await leaks()).toEqual([]);
		// All of it was looked through.
		expect(seen[0]?.messages.length).toBeGreaterThan(5);
		expect(log.join("\n")).toContain("connected");
		expect(lab.router.read(lastGood)).toContain("marked7f3a");

		// A peer whose password is another one, and a broker that is gone
		await frr.vtysh("configure", "router bgp 65009", `neighbor ${network.router.lan} password other`);
		await frr.vtysh("clear bgp *");
		await broker.stop();
		await untilMqtt("not connected", ({ connected }) => !connected);
		await until("a lost session", () => warden.status()?.peers[0]?.state, {
			holds: (state) => state !== "Established",
			timeout: 40_000,
		});
		expect(await leaks()).toEqual([]);
	},
	120_000,
);

test("no mistake in the file has a message that shows a password", async () => {
	await startBroker();
	configure({});
	await openwrt.service("start");
	await untilMqtt("connected", ({ connected }) => connected);
	const good = uciConfig({ main, mqtt: account, peers });

	const untilProblem = (what: string, isThere: boolean) =>
		until(`${what}: a problem ${isThere ? "" : "no more"}`, () => warden.status()?.router, {
			holds: (router) =>
				router?.pid === pid() && (router?.problem?.startsWith(`${configFile}:`) ?? false) === isThere,
		});

	for (const [what, text] of mistakes(good)) {
		lab.router.write(configFile, text, 0o600);
		openwrt.daemon?.kill("SIGHUP");
		await untilProblem(what, true);
		const { code, stderr } = await openwrt.shell(["/usr/sbin/bgpwarden check"]);
		expect({ what, code, told: stderr !== "" }).toEqual({ what, code: 1, told: true });
		// The others print what is in the log and in status.json; they are asked at the end.
		const found = await leaks(["check"], []);
		expect({ what, found }).toEqual({ what, found: [] });
		lab.router.write(configFile, good, 0o600);
		openwrt.daemon?.kill("SIGHUP");
		await untilProblem(what, false);
	}

	// And a start with such a file: the last good configuration is in use, and told so.
	const last = mistakes(good).find(([what]) => what === "another mistake beside it")?.[1] ?? "";
	lab.router.write(configFile, last, 0o600);
	await openwrt.service("restart");
	await untilMqtt("connected", ({ connected }) => connected);
	await untilProblem("a start", true);
	expect(await leaks()).toEqual([]);
}, 180_000);

test("a daemon that crashes leaves no core file, and neither does a child or a command", async () => {
	await startBroker();
	configure({});
	await openwrt.service("start");
	await untilMqtt("connected", ({ connected }) => connected);
	const none = /^Max core file size +0 +0 /m;
	const mine = () =>
		lab.router.processes().flatMap((process) => {
			const command = lab.router.read(`/proc/${process}/cmdline`)?.replaceAll("\0", " ") ?? "";
			const limits = lab.router.read(`/proc/${process}/limits`) ?? "";
			// Without limits it has ended meanwhile.
			return limits !== "" && /bgpwarden|^nft |^nc |^cat /.test(command)
				? [{ command, isSafe: none.test(limits) }]
				: [];
		});
	expect(mine().filter(({ isSafe }) => !isSafe)).toEqual([]);
	expect(mine().length).toBeGreaterThan(3);
	await openwrt.service("stop");
	await openwrt.settled();

	// Whatever is allowed to whoever starts it: OpenWrt's core files would be in /tmp, this machine's perhaps where it works.
	const argv = ["prlimit", "--core=unlimited:unlimited", "/usr/sbin/bgpwarden", "run"];
	const daemon = lab.router.start(argv, { name: "bgpwarden" });
	await until("it to run", () => warden.status()?.router.pid === daemon.pid);
	expect(lab.router.read(`/proc/${daemon.pid}/limits`)).toMatch(none);
	lab.router.signal(daemon.pid, "SIGSEGV");
	expect(await daemon.ended).toEqual({ code: null, signal: "SIGSEGV" });
	const newer = ["-newer", `${runDirectory}/status.json`, "-name", "*core*"];
	const { stdout } = await lab.router.run(["find", "/", "/tmp", "/run", "-xdev", ...newer]);
	expect(stdout).toBe("");
});
