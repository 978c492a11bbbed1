import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { blockAfter } from "../../documents/markdown.ts";
import { type Daemon, repairing, startDaemon, type Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdDirect, certificate, type MosquittoOptions, startBird, startMosquitto } from "../programs.ts";
import { untilWatched } from "../session.ts";
import { pause, until } from "../wait.ts";

/** The way to the broker: TLS, names, addresses, secrets. */
let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

const { broker: brokerHost } = network;
const untilConnected = (daemon: Daemon, timeout = 20_000) =>
	daemon.untilStatus("the broker connected", ({ mqtt }) => mqtt?.connected === true, { timeout });
const linesAboutBroker = (daemon: Daemon) => daemon.process.lines.filter((line) => line.includes("MQTT"));

/** Waits for the one reason why there is no connection, in log and status. */
async function untilRefused(daemon: Daemon, reason: RegExp): Promise<void> {
	const status = await daemon.untilStatus("a reason", ({ mqtt }) => mqtt?.reason !== undefined, {
		timeout: 20_000,
	});
	expect(status.mqtt?.reason).toMatch(reason);
	expect(linesAboutBroker(daemon)).toEqual([expect.stringMatching(reason)]);
}

async function tableIsKept(daemon: Daemon, repairs: number): Promise<void> {
	await daemon.untilStatus("the table", ({ router }) => router.protection === "installed");
	await untilWatched(lab.router);
	await lab.router.nft("flush ruleset");
	await daemon.untilStatus("a repair", ({ router }) => router.repairs === repairs);
}

describe("TLS", () => {
	const tls = { tls: true, port: 8883, ca_file: "/etc/lab.crt" };

	/** A broker with TLS, and its authority known to the router. */
	async function startTlsBroker(options: MosquittoOptions = {}) {
		const broker = await startMosquitto(lab.broker, { tls: true, ...options });
		lab.router.write("/etc/lab.crt", broker.caCertificate ?? "");
		return broker;
	}

	test.each([
		{ kind: "expired", reason: /certificate was refused: certificate has expired/ },
		{ kind: "other name", reason: /certificate was refused: (IP address|hostname) mismatch/ },
		{ kind: "self-signed", reason: /certificate was refused: self-signed certificate/ },
	] as const)("a certificate that is $kind: one clear line, and the table is kept", async (given) => {
		await startTlsBroker({ certificate: given.kind });
		const { warden, daemon } = startDaemon(lab.router, { mqtt: tls, main: repairing });
		await untilRefused(daemon, given.reason);
		await tableIsKept(daemon, 1);

		// Only whoever asks for it gets a connection that is not verified, and is warned at each one
		warden.configure({ mqtt: { ...tls, tls_insecure: true } });
		daemon.reload();
		await untilConnected(daemon);
		expect(linesAboutBroker(daemon).join("\n")).toMatch(/not verified \(tls_insecure\)/);
	});

	test("a client certificate where the broker wants one, and a clear line where there is none", async () => {
		await startTlsBroker({ clientCertificates: true });
		const own = await certificate(lab.broker, "client");
		lab.router.write("/etc/own.crt", lab.broker.read(own.certificate) ?? "");
		lab.router.write("/etc/own.key", lab.broker.read(own.key) ?? "", 0o600);
		const { warden, daemon } = startDaemon(lab.router, { mqtt: tls });
		await untilRefused(daemon, /openssl: .*(certificate required|connection broke)/i);

		warden.configure({ mqtt: { ...tls, cert_file: "/etc/own.crt", key_file: "/etc/own.key" } });
		daemon.reload();
		await untilConnected(daemon);
	});

	test.each([
		{ what: "an authority", option: { ca_file: "/etc/nowhere.crt" }, reason: /No such file/ },
		{
			what: "a key",
			option: { cert_file: "/etc/lab.crt", key_file: "/etc/nowhere.key" },
			reason: /No such file/,
		},
	])("$what that is not there: one clear line", async ({ option, reason }) => {
		await startTlsBroker();
		const { daemon } = startDaemon(lab.router, { mqtt: { ...tls, ...option }, main: repairing });
		await untilRefused(daemon, reason);
		await tableIsKept(daemon, 1);
	});

	test("a broker without TLS, and TLS to a broker that does not expect it", async () => {
		await startMosquitto(lab.broker);
		await startTlsBroker();
		const { warden, daemon } = startDaemon(lab.router, { mqtt: { ...tls, port: 1883 } });
		await untilRefused(daemon, /openssl: /);
		warden.configure({ mqtt: { port: 8883 } });
		daemon.reload();
		await daemon.untilStatus("another reason", ({ mqtt }) =>
			/the broker closed the connection|no MQTT broker/.test(mqtt?.reason ?? ""),
		);
		warden.configure({ mqtt: tls });
		daemon.reload();
		await untilConnected(daemon);
	});
});

describe("names and addresses", () => {
	/** The router's own name server, as on OpenWrt: a name with these addresses. */
	async function name(...addresses: readonly string[]): Promise<void> {
		lab.router.write("/etc/names", addresses.map((address) => `${address} broker.lan\n`).join(""));
		lab.router.write("/etc/resolv.conf", "nameserver 127.0.0.1\n");
		const options = ["--keep-in-foreground", "--no-resolv", "--no-hosts", "--addn-hosts=/etc/names"];
		const dnsmasq = lab.router.start(["dnsmasq", "--user=root", "--log-facility=-", ...options], {
			name: "dnsmasq",
		});
		await dnsmasq.says(/read \/etc\/names/);
	}

	test("an IPv6 address", async () => {
		await startMosquitto(lab.broker);
		const { daemon } = startDaemon(lab.router, { mqtt: { host: brokerHost.address6 } });
		await untilConnected(daemon);
		expect(linesAboutBroker(daemon)[0]).toContain(`[${brokerHost.address6}]:1883: connected`);
	});

	test("an IPv6 address, with TLS", async () => {
		const broker = await startMosquitto(lab.broker, { tls: true });
		lab.router.write("/etc/lab.crt", broker.caCertificate ?? "");
		const tls = { tls: true, port: 8883, ca_file: "/etc/lab.crt" };
		const { daemon } = startDaemon(lab.router, { mqtt: { ...tls, host: brokerHost.address6 } });
		await untilConnected(daemon);
	});

	test.each([
		{ what: "plain", tls: false },
		{ what: "TLS", tls: true },
	])("a name with several addresses, of which one answers ($what)", async ({ tls }) => {
		const broker = await startMosquitto(lab.broker, { tls });
		lab.router.write("/etc/lab.crt", broker.caCertificate ?? "");
		// Nobody is at the others; nc takes the first it is told, whichever that is.
		const dead = ["192.168.10.96", "192.168.10.97", "192.168.10.98", "fd00:10::99"];
		await name(...dead, brokerHost.address);
		const options = tls ? { tls, port: 8883, ca_file: "/etc/lab.crt" } : {};
		const { daemon } = startDaemon(lab.router, { mqtt: { host: "broker.lan", ...options } });
		await untilConnected(daemon, 50_000);
		expect(linesAboutBroker(daemon)).toHaveLength(2);
	});

	test("a broker that says nothing is left after 5 s, with one line", async () => {
		await lab.broker.nft(
			"table inet silent { chain in { type filter hook input priority 0; tcp dport 1883 drop; }; }",
		);
		await startMosquitto(lab.broker);
		const { daemon } = startDaemon(lab.router, { main: repairing });
		await untilRefused(daemon, /no answer from the broker within 5 s/);
		await tableIsKept(daemon, 1);
		await lab.broker.nft("delete table inet silent");
		await untilConnected(daemon, 30_000);
	});
});

test("the document's access list is enough, and keeps a router out of another's topics", async () => {
	const account = { username: "bgpwarden-gateway", password: "x" };
	const list = `${blockAfter("docs/mqtt.md", "What mosquitto has to allow")}\nuser lab\ntopic readwrite #\n`;
	lab.broker.write("/etc/mosquitto/acl", list, 0o644);
	const broker = await startMosquitto(lab.broker, {
		...account,
		more: ["acl_file /etc/mosquitto/acl"],
		others: { lab: "lab" },
	});
	await broker.publish("bgpwarden/gateway/peer/ghost/state", '{"name":"ghost"}', { retain: true });
	await startBird(lab.router, birdDirect());
	const { daemon } = startDaemon(lab.router, {
		main: { router_id: "gateway" },
		mqtt: { ...account, commands: true },
	});
	await untilConnected(daemon);
	const topics = ["bgpwarden/gateway", "homeassistant/device/bgpwarden_gateway"].flatMap((start) =>
		start.startsWith("home")
			? [`${start}/config`, `${start}_${network.peer}/config`]
			: ["availability", "state", `peer/${network.peer}/state`, `peer/${network.peer}/availability`].map(
					(end) => `${start}/${end}`,
				),
	);
	const kept = async () =>
		[...(await broker.retained()).keys()].filter((topic) => !topic.startsWith("lab/")).sort();
	await until("every topic, and no ghost", kept, {
		holds: (found) => found.join() === topics.sort().join(),
		timeout: 20_000,
	});
	const seen = await broker.subscribe();
	await broker.publish("bgpwarden/gateway/command", "ensure");
	await until("an event", () => seen.last("bgpwarden/gateway/event"));

	// The same user as a router of another name
	const other = startDaemon(lab.speaker, { main: { router_id: "other" }, mqtt: account });
	await untilConnected(other.daemon);
	await pause(6000);
	expect((await kept()).filter((topic) => topic.startsWith("bgpwarden/other"))).toEqual([]);
});

test("a router with `_` in its name: with the list as it was for 0.1.0 its old devices stay, and the document's line replaces them", async () => {
	const account = { username: "bgpwarden-gateway", password: "x" };
	const list = (more = "") =>
		`${blockAfter("docs/mqtt.md", "What mosquitto has to allow").replaceAll("/gateway/", "/my_gateway/")}${more}\nuser lab\ntopic readwrite #\n`;
	const line = blockAfter("docs/mqtt.md", "publishes its discovery one level below");
	const old = "homeassistant/device/bgpwarden_my_gateway/config";
	const today = "homeassistant/device/bgpwarden-my_gateway/router/config";
	lab.broker.write("/etc/mosquitto/acl", list(), 0o644);
	const broker = await startMosquitto(lab.broker, {
		...account,
		more: ["acl_file /etc/mosquitto/acl"],
		others: { lab: "lab" },
	});
	const device = {
		device: { identifiers: ["bgpwarden_my_gateway"] },
		availability: [{ topic: "bgpwarden/my_gateway/availability" }],
	};
	await broker.publish(old, JSON.stringify(device), { retain: true });
	await startBird(lab.router, birdDirect());
	const { daemon } = startDaemon(lab.router, { main: { router_id: "my_gateway" }, mqtt: account });
	const discovery = async () =>
		[...(await broker.retained()).keys()].filter((topic) => topic === old || topic === today);
	const { router } = await daemon.untilStatus(
		"a problem",
		({ router }) => router.problem_kind === "mqtt_message",
		{ timeout: 30_000 },
	);
	expect(router.problem).toMatch(/below homeassistant\/device\/bgpwarden-my_gateway\/, .*access list/);
	await until("the router's state", async () => (await broker.retained()).has("bgpwarden/my_gateway/state"));
	expect(await discovery()).toEqual([old]);

	lab.broker.write("/etc/mosquitto/acl", list(`\n${line}`), 0o644);
	broker.process.kill("SIGHUP");
	daemon.reload();
	await until("today's discovery alone", discovery, {
		holds: (found) => found.join() === today,
		timeout: 20_000,
	});
	await daemon.untilStatus("no problem", (status) => status.router.problem === undefined, {
		timeout: 20_000,
	});
});

describe("what nobody may see", () => {
	const secret = "never-to-be-seen";

	/** Command lines, environments and files of the router that hold the secret, but for the configuration. */
	async function leaks(warden: Warden, daemon: Daemon): Promise<string[]> {
		const found: string[] = [];
		for (const pid of lab.router.processes()) {
			for (const file of ["cmdline", "environ"]) {
				if (lab.router.read(`/proc/${pid}/${file}`)?.includes(secret)) found.push(`${pid}/${file}`);
			}
		}
		const told = [(await warden.cli(["status", "--json"])).stdout, (await warden.cli(["status"])).stdout];
		if (told.some((text) => text.includes(secret))) found.push("status");
		if (daemon.process.lines.some((line) => line.includes(secret))) found.push("log");
		const { stdout } = await lab.router.run(["grep", "-rl", secret, "/run", "/tmp", "/etc/bgpwarden"], {
			allowFailure: true,
		});
		// The last good configuration is a copy of the user's file: for root alone, as that one.
		const copy = "/etc/bgpwarden/last-good";
		const { stdout: mode } = await lab.router.run(["stat", "-c", "%a %U", copy], { allowFailure: true });
		return [
			...found,
			...stdout.split("\n").filter((file) => file !== "" && !(file === copy && mode === "600 root\n")),
		];
	}

	test.each([{ tls: false }, { tls: true }])(
		"user and password, right or wrong (TLS: $tls)",
		async ({ tls }) => {
			const account = { username: `u-${secret}`, password: `p-${secret}` };
			const broker = await startMosquitto(lab.broker, { tls, ...account });
			lab.router.write("/etc/lab.crt", broker.caCertificate ?? "");
			const way = tls ? { tls, port: 8883, ca_file: "/etc/lab.crt" } : {};
			const { warden, daemon } = startDaemon(lab.router, {
				mqtt: { ...way, ...account, password: `wrong-${secret}` },
				main: { log_level: "debug" },
			});
			await daemon.untilStatus("refused", ({ mqtt }) => /refused/.test(mqtt?.reason ?? ""));
			expect(await leaks(warden, daemon)).toEqual([]);
			warden.configure({ mqtt: { ...way, ...account }, main: { log_level: "debug" } });
			daemon.reload();
			await untilConnected(daemon);
			await until("everything to be told", () => broker.retained(), {
				holds: (topics) => topics.has("bgpwarden/router/state"),
			});
			expect(await leaks(warden, daemon)).toEqual([]);
		},
	);
});
