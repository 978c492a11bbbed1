import { bareListing } from "../../../src/render/nft.ts";
import { type Daemon, repairing, startDaemon, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import {
	type Bird,
	birdMultihop,
	type Frr,
	fw4Flush,
	fw4Table,
	startBird,
	startFrr,
	startMosquitto,
	startProxy,
	trackedBgp,
} from "../programs.ts";
import { pause, until } from "../wait.ts";
import { Stage } from "./stage.ts";

/** `make demo`: the article's story on real programs, with bgpwarden in it. */
const stage = new Stage();

const established = (daemon: Daemon, timeout: number) =>
	daemon.untilStatus(
		"the peer is Established",
		({ peers }) => peers.some((peer) => peer.name === network.peer && peer.state === "Established"),
		{ timeout },
	);

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

async function ghost(lab: Lab, bird: Bird, frr: Frr): Promise<{ warden: Warden; daemon: Daemon }> {
	stage.title("1. The ghost: a proxy's redirect has swallowed the BGP session");
	await until("BFD up, BGP not", async () => [await bird.peer(), await frr.peer()], {
		holds: ([router, speaker]) =>
			router?.bfd === "Up" && speaker?.bfd === "up" && router.bgp !== "Established",
		timeout: 30_000,
	});
	const [router, speaker] = [await bird.peer(), await frr.peer()];
	stage.tell(
		`BIRD says ${router.bgp} (BFD ${router.bfd}), FRR says ${speaker.bgp} (BFD ${speaker.bfd}): stuck`,
	);
	for (const entry of (await trackedBgp(lab.router)).slice(0, 1)) stage.tell(`conntrack: ${entry.trim()}`);

	stage.tell("bgpwarden starts");
	const start = performance.now();
	const { warden, daemon } = startDaemon(lab.router);
	await established(daemon, 15_000);
	stage.result("ghost to Established", performance.now() - start < 5000, seconds(start));
	const left = await trackedBgp(lab.router);
	stage.result("no conntrack entry on port 179 is left", left.length === 0, `${left.length} entries`);
	return { warden, daemon };
}

async function wipes(lab: Lab, warden: Warden, daemon: Daemon): Promise<void> {
	stage.title("2. Wipes: others rewrite the firewall, the session does not notice");
	const protection = () => warden.status()?.router.protection;
	const { router } = lab;
	const listing = async () =>
		(await router.run(["nft", "-s", "list", "table", "inet", "custom_bgp"], { allowFailure: true })).stdout;
	const whole = await listing();
	const chain = "inet custom_bgp raw_pre";
	const nft = (...argv: string[]) => router.run(["nft", ...argv], { allowFailure: true });
	const kinds: [string, () => Promise<unknown>][] = [
		["nft flush ruleset", () => nft("flush", "ruleset")],
		["nft delete table", () => nft("delete", "table", "inet", "custom_bgp")],
		["/etc/init.d/firewall stop (every table)", () => fw4Flush(router)],
		["a chain flushed", () => nft(`flush chain ${chain}`)],
		["a rule inserted before ours", () => nft(`insert rule ${chain} tcp dport 179 drop`)],
		["a policy changed to drop", () => nft(`chain ${chain} { policy drop; }`)],
		["a chain deleted", () => nft("delete chain inet custom_bgp filter_input")],
	];
	stage.tell("the kernel lets nobody but bgpwarden change the table");
	for (const [what, wipe] of kinds) {
		await wipe();
		const untouched = (await listing()) === whole;
		stage.result(what, untouched && protection() === "owned", "without effect");
	}
	stage.tell("as on an older kernel: option protect '0'");
	warden.configure({ main: repairing });
	daemon.reload();
	await until("the table without an owner", protection, { holds: (now) => now === "installed" });
	for (const [what, wipe] of kinds) {
		const before = warden.status()?.router.repairs ?? 0;
		await wipe();
		const status = await daemon.untilStatus("one repair more", ({ router }) => router.repairs > before);
		await until("the table as it was", listing, { holds: (text) => text === bareListing(whole) });
		stage.result(what, true, `restored after ${status.router.last_repair?.milliseconds ?? "?"} ms`);
		await pause(300);
	}
	const peer = warden.status()?.peers.find(({ name }) => name === network.peer);
	stage.result("the session never left Established", peer?.state === "Established" && peer.flaps === 0);
}

async function reboot(lab: Lab, old: Daemon): Promise<Daemon> {
	stage.title("3. The router reboots, and the proxy is there first");
	await lab.powerOff();
	await old.process.ended;
	stage.tell("power cut: every process killed, ruleset and conntrack empty, links down");
	await pause(2000);
	await lab.powerOn();
	stage.tell("power back: links up, the proxy and the firewall start");
	await startProxy(lab.router);
	await lab.router.nft(fw4Table);
	const tracked = async () => (await trackedBgp(lab.router)).filter((entry) => entry.includes("sport=7892"));
	const caught = await until("the proxy to catch the session", tracked, {
		holds: (entries) => entries.length > 0,
		timeout: 130_000,
	});
	stage.tell(`the proxy has caught FRR's first dial: ${caught[0]?.trim()}`);
	const start = performance.now();
	stage.tell("bgpwarden starts, then BIRD");
	const warden = new Warden(lab.router);
	warden.configure({});
	const daemon = warden.start();
	await startBird(lab.router, birdMultihop());
	await established(daemon, 60_000);
	stage.result("reboot: start to Established, nobody touched the speaker", true, seconds(start));
	stage.tell("bgpwarden status:");
	const { stdout } = await warden.cli(["status"]);
	process.stdout.write(`\n${stdout.replace(/^/gm, "    ")}\n`);
	return daemon;
}

async function play(lab: Lab): Promise<void> {
	stage.title("A router with BIRD, a MetalLB speaker with FRR, a broker with mosquitto");
	const broker = await startMosquitto(lab.broker);
	const subscriber = await broker.subscribe((message) => stage.mqtt(message));
	await startProxy(lab.router);
	await lab.router.nft(fw4Table);
	const bird = await startBird(lab.router, birdMultihop());
	const frr = await startFrr(lab.speaker);
	stage.tell("network namespaces with the real programs are up; lines with ~ are MQTT messages");
	const { warden, daemon } = await ghost(lab, bird, frr);
	await wipes(lab, warden, daemon);
	const last = await reboot(lab, daemon);
	const told = (topic: string) => subscriber.last(`bgpwarden/router/${topic}`)?.payload;
	// Everything is told at a random moment within the first 5 s, and each topic at most once a second.
	await until(
		"the peer's state at the broker",
		() => [told("availability"), JSON.parse(told(`peer/${network.peer}/state`) ?? "{}").state],
		{
			holds: ([availability, state]) => availability === "online" && state === "Established",
			timeout: 20_000,
		},
	);
	stage.result("Home Assistant's broker knows the peer", true);
	await last.stop();
	const goodbye = await until(
		"the goodbye",
		() => subscriber.last("bgpwarden/router/availability")?.payload,
		{
			holds: (payload) => payload === "offline",
		},
	);
	stage.result("the daemon said goodbye", goodbye === "offline");
}

async function main(): Promise<void> {
	if (process.getuid?.() !== 0) {
		process.stderr.write("demo: root is needed: it makes network namespaces (sudo make demo)\n");
		process.exitCode = 1;
		return;
	}
	let lab: Lab | undefined;
	try {
		lab = await startLab();
		await play(lab);
	} catch (error) {
		stage.result((error as Error).message, false);
	} finally {
		await lab?.stop();
	}
	process.exitCode = stage.summary() ? 0 : 1;
}

await main();
