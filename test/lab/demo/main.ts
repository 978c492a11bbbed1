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
	startMosquitto,
	startProxy,
	trackedBgp,
} from "../programs.ts";
import { meetProxy, tableListing } from "../session.ts";
import { worldVersions } from "../versions.ts";
import { until } from "../wait.ts";
import { Stage } from "./stage.ts";

/** `make demo`: the article's story on real programs, with bgpwarden in it. */
const stage = new Stage();

/** The daemon of the current chapter, whose last words explain a failure. */
let running: Daemon | undefined;

const established = (daemon: Daemon, timeout: number) =>
	daemon.untilStatus(
		"the peer is Established",
		({ peers }) => peers.some((peer) => peer.name === network.peer && peer.state === "Established"),
		{ timeout },
	);

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

async function ghost(lab: Lab, bird: Bird, frr: Frr): Promise<{ warden: Warden; daemon: Daemon }> {
	stage.chapter(
		"1. The ghost",
		"A proxy's redirect has swallowed the BGP session: both ends wait, BFD looks fine, and without help this lasts until " +
			"somebody deletes the speaker's pod.",
	);
	await until("BFD up, BGP not", async () => [await bird.peer(), await frr.peer()], {
		holds: ([router, speaker]) =>
			router?.bfd === "Up" && speaker?.bfd === "up" && router.bgp !== "Established",
		timeout: 30_000,
	});
	const [router, speaker] = [await bird.peer(), await frr.peer()];
	stage.tell(
		`BIRD says ${router.bgp} (BFD ${router.bfd}), FRR says ${speaker.bgp} (BFD ${speaker.bfd}): stuck`,
	);
	for (const entry of (await trackedBgp(lab.router)).slice(0, 1)) {
		stage.tell(`conntrack: ${entry.trim().replace(/ +/g, " ")}`);
	}

	stage.tell("bgpwarden starts");
	const start = performance.now();
	const { warden, daemon } = startDaemon(lab.router);
	running = daemon;
	await established(daemon, 15_000);
	stage.result("ghost to Established", performance.now() - start < 5000, seconds(start));
	const left = await trackedBgp(lab.router);
	stage.result("no conntrack entry on port 179 is left", left.length === 0, `${left.length} entries`);
	return { warden, daemon };
}

async function wipes(lab: Lab, warden: Warden, daemon: Daemon): Promise<void> {
	stage.chapter(
		"2. Wipes",
		"Other programs rewrite the firewall, here in seven ways. Each would take the protection away and kill the session; " +
			"the session must not notice.",
	);
	const { router } = lab;
	const listing = () => tableListing(router);
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
	if (warden.status()?.router.protection === "owned") {
		stage.tell("the kernel lets nobody but bgpwarden change the table:");
		let resisted = 0;
		for (const [what, wipe] of kinds) {
			await wipe();
			const held = (await listing()) === whole && warden.status()?.router.protection === "owned";
			stage.tell(`${what}: ${held ? "without effect" : "TOOK EFFECT"}`);
			if (held) resisted++;
		}
		stage.result(
			"the table is owned: wipes without effect",
			resisted === kinds.length,
			`${resisted} of ${kinds.length}`,
		);
		stage.tell("as on a kernel that cannot do that (option protect '0'):");
		warden.configure({ main: repairing });
		daemon.reload();
		await until("the table without an owner", () => warden.status()?.router.protection, {
			holds: (now) => now === "installed",
		});
	} else
		stage.tell("this kernel or nft cannot keep others from changing the table, so bgpwarden repairs it:");
	const times: number[] = [];
	for (const [what, wipe] of kinds) {
		const before = warden.status()?.router.repairs ?? 0;
		await wipe();
		const status = await daemon.untilStatus("one repair more", ({ router }) => router.repairs > before);
		await until("the table as it was", listing, { holds: (text) => text === whole, every: 10 });
		const { milliseconds } = status.router.last_repair ?? {};
		stage.tell(`${what}: restored${milliseconds === undefined ? "" : ` after ${milliseconds} ms`}`);
		if (milliseconds !== undefined) times.push(milliseconds);
	}
	const slowest = times.length === 0 ? "" : `, the slowest after ${Math.max(...times)} ms`;
	stage.result(
		"the table is installed: wipes repaired",
		true,
		`${kinds.length} of ${kinds.length}${slowest}`,
	);
	const peer = warden.status()?.peers.find(({ name }) => name === network.peer);
	stage.result("the session never left Established", peer?.state === "Established" && peer.flaps === 0);
}

/** How long the router is without power: longer than the speaker's one dial after the loss can last. */
const AWAY = 12_000;

async function reboot(lab: Lab, frr: Frr, old: Daemon): Promise<Daemon> {
	stage.chapter(
		"3. The router reboots, and the proxy is there first",
		"This is how the ghost is born: the speaker has dialled in vain and given up, and whoever answers its next dial " +
			"keeps it. Nobody touches the speaker.",
	);
	const cut = performance.now();
	await lab.powerOff();
	await old.process.ended;
	stage.tell("power cut: every process killed, ruleset and conntrack empty, links down");
	const lost = await until("the speaker to lose the session", () => frr.peer(), {
		holds: ({ bgp, bfd }) => bgp !== "Established" && bfd === "down",
	});
	stage.tell(`the speaker has lost the router: FRR says ${lost.bgp} (BFD ${lost.bfd})`);
	await until("the power to come back", () => performance.now() - cut >= AWAY, { timeout: 2 * AWAY });

	stage.tell(`power is back after ${seconds(cut)}; the init scripts run, the links are still down:`);
	const warden = new Warden(lab.router);
	const proxy = await startProxy(lab.router);
	stage.tell("the proxy, with its redirect of port 179");
	await lab.router.run(["nft", "-f", "/etc/bgpwarden/table.nft"]);
	warden.configure({});
	const daemon = warden.start();
	running = daemon;
	stage.tell("START=18 bgpwarden: the saved table is loaded, the daemon starts");
	await lab.router.nft(fw4Table);
	stage.tell("START=19 firewall");
	await lab.powerOn();
	const start = performance.now();
	stage.tell("START=20 network: the links are up, the speaker can dial");
	const bird = await startBird(lab.router, birdMultihop());
	stage.tell("START=70 bird");
	const met = await until("BFD to come up", () => bird.peer(), {
		holds: ({ bfd }) => bfd === "Up",
		timeout: 15_000,
	});
	stage.tell(`BFD is ${met.bfd} after ${seconds(start)}: that ends the speaker's silence`);
	await established(daemon, 15_000);
	stage.result("reboot: network up to Established", true, seconds(start));
	const caught = proxy.lines.filter((line) => line.includes(network.speaker.address));
	stage.result(
		"the proxy has caught no dial of the speaker's",
		caught.length === 0,
		`${caught.length} caught`,
	);
	stage.tell("bgpwarden status:");
	const { stdout } = await warden.cli(["status"]);
	process.stdout.write(`\n${stdout.replace(/^/gm, "    ")}\n`);
	return daemon;
}

async function play(lab: Lab): Promise<void> {
	stage.chapter(
		"A home network in a box",
		"A router with BIRD, a Kubernetes node with FRR as MetalLB runs it, and a broker with mosquitto: the real programs, in " +
			"network namespaces. Lines with ~ are MQTT messages.",
	);
	const broker = await startMosquitto(lab.broker);
	const subscriber = await broker.subscribe((message) => stage.mqtt(message));
	await lab.router.nft(fw4Table);
	const { bird, frr } = await meetProxy(lab);
	stage.tell("everything runs:");
	for (const line of worldVersions()) stage.tell(line);
	const { warden, daemon } = await ghost(lab, bird, frr);
	await wipes(lab, warden, daemon);
	const last = await reboot(lab, frr, daemon);
	const told = (topic: string) => subscriber.last(`bgpwarden/router/${topic}`)?.payload;
	// Everything is told at a random moment within the first 2.5 s, and each topic at most once a second.
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
	await until("the goodbye", () => told("availability"), { holds: (payload) => payload === "offline" });
	stage.result("bgpwarden has said goodbye: its devices are unavailable", true);
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
		stage.failure((error as Error).message, running?.process.tail() ?? "");
	} finally {
		await lab?.stop();
	}
	process.exitCode = stage.summary() ? 0 : 1;
}

await main();
