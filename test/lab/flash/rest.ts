import { configFile, uciConfig, Warden } from "../daemon.ts";
import type { Host } from "../host.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { OpenWrt } from "../openwrt.ts";
import {
	type Bird,
	birdMultihop,
	FakeUbus,
	fw4Table,
	startBird,
	startFrr,
	startMosquitto,
} from "../programs.ts";
import { pause, until } from "../wait.ts";
import type { Outcome } from "./outcome.ts";
import { changes, type Snapshot, snapshot, Watch } from "./watch.ts";

const directory = "/etc";
/** Milliseconds after which a session is nothing new. */
const SETTLED = 12_000;
/** As installed: what is not said here is by default, the poll interval above all. */
const config = { mqtt: { commands: true } };
const saved = ["table.nft", "last-good", "router_id"].map((name) => `/etc/bgpwarden/${name}`);

/** A whole router: BIRD with a peer, broker, procd and ubus, and the service as the package starts it. */
class Router {
	readonly warden: Warden;

	private constructor(
		readonly lab: Lab,
		readonly host: Host,
		readonly openwrt: OpenWrt,
		readonly bird: Bird,
	) {
		this.warden = new Warden(host);
	}

	static async start(lab: Lab): Promise<Router> {
		const host = lab.router;
		await FakeUbus.start(host);
		await host.nft(fw4Table);
		await startMosquitto(lab.broker);
		host.write(configFile, uciConfig(config), 0o600);
		const openwrt = new OpenWrt(host);
		openwrt.install();
		const bird = await startBird(host, birdMultihop());
		await startFrr(lab.speaker);
		await openwrt.service("start");
		const router = new Router(lab, host, openwrt, bird);
		await router.settled();
		return router;
	}

	/** Everything is up and no news, and all that is to be saved is there. */
	async settled(): Promise<void> {
		await this.openwrt.settled();
		await until("the router at rest", () => this.warden.status(), {
			holds: (status) => {
				const [peer] = status?.peers ?? [];
				const age = Date.now() - Date.parse(peer?.since ?? "");
				const isUp = peer?.state === "Established" && peer.bfd === "up" && age > SETTLED;
				return isUp && status?.mqtt?.connected === true && status.router.pid === this.openwrt.daemon?.pid;
			},
			timeout: 60_000,
		});
		await until("the saved files", () => saved.every((path) => this.host.read(path) !== undefined));
	}

	/** A command of the command line, as a person types it; what it says is of no interest here. */
	async command(words: string): Promise<void> {
		const { stdout, stderr } = await this.openwrt.shell([`/usr/sbin/bgpwarden ${words} </dev/null`]);
		if (stdout + stderr === "") throw new Error(`bgpwarden ${words}: it said nothing`);
	}

	/** A request that is answered when everything before it has been dealt with. */
	async answered(): Promise<void> {
		await until(
			"an answer",
			async () => (await this.openwrt.shell(["/usr/sbin/bgpwarden ensure"])).code === 0,
		);
	}
}

const commands = [
	...["status", "status --json", "peers", "peers --json", "doctor", "doctor --json", "events", "check"],
	...["render nft", "render bird --check", "render bird --check --live", "help", "help mqtt", "--version"],
	...[`trace ${network.peer} --seconds 1`, "ensure", "flush", "release"],
];

type Step = readonly [what: string, act: (router: Router) => Promise<unknown>];

const steps: readonly Step[] = [
	...commands.map((words): Step => [`bgpwarden ${words}`, (router) => router.command(words)]),
	["the firewall's include", (router) => router.openwrt.shell([". /usr/lib/bgpwarden/firewall.include"])],
	[
		"hotplug",
		(router) =>
			router.openwrt.shell([`. ${"/lib/functions.sh"}`, ". /etc/hotplug.d/iface/90-bgpwarden"], {
				...{ ACTION: "ifup", INTERFACE: "lan", DEVICE: network.router.lanInterface },
			}),
	],
	...["list", "call status", "call events", "call ensure"].map(
		(words): Step => [
			`the ubus object: ${words}`,
			(router) => router.openwrt.shell([`echo '{}' | /usr/libexec/rpcd/bgpwarden ${words}`]),
		],
	),
	["SIGHUP without a change", async (router) => router.openwrt.daemon?.kill("SIGHUP")],
	["service bgpwarden reload", (router) => router.openwrt.service("reload")],
	[
		"a session that is lost and comes back",
		async (router) => void (await router.bird.control(`restart ${network.peer}`)),
	],
	["service bgpwarden restart", (router) => router.openwrt.service("restart")],
	[
		"a daemon that is killed",
		async ({ openwrt, host }) => {
			host.signal(openwrt.daemon?.pid, "SIGKILL");
			await openwrt.daemon?.ended;
			await openwrt.service("start");
		},
	],
	[
		"an upgrade to the same version",
		async ({ openwrt }) => {
			await openwrt.service("stop", { PKG_UPGRADE: "1" });
			await openwrt.service("start", { PKG_UPGRADE: "1" });
		},
	],
];

/** What a look finds that is not as it was. */
async function moved(router: Router, watch: Watch, before: Snapshot): Promise<string[]> {
	return [...watch.seen.splice(0), ...changes(before, await snapshot(router.host, directory))];
}

/** Nothing below /etc is written: for this long at rest, and by nothing that anybody asks for. */
export async function playRest(outcome: Outcome, seconds: number): Promise<void> {
	const lab = await startLab();
	let watch: Watch | undefined;
	try {
		const router = await Router.start(lab);
		watch = await Watch.start(lab.router, directory);
		let before = await snapshot(lab.router, directory);

		const { pid } = router.openwrt.daemon ?? {};
		for (const end = performance.now() + seconds * 1000; performance.now() < end; await pause(1000))
			router.openwrt.daemon?.mustRun();
		await router.settled();
		outcome.check(
			`at rest for ${seconds} s: nothing below /etc is written`,
			await moved(router, watch, before),
		);
		outcome.check(
			"  and it is one and the same daemon",
			pid === router.openwrt.daemon?.pid ? [] : "another one",
		);

		for (const [what, act] of steps) {
			await act(router);
			if (!router.openwrt.daemon) await router.openwrt.service("start");
			await router.openwrt.settled();
			await router.answered();
			outcome.check(`${what}: nothing below /etc is written`, await moved(router, watch, before));
		}
		await router.settled();
		outcome.check(
			"all is well after all that: nothing below /etc is written",
			await moved(router, watch, before),
		);

		// And it would have been seen.
		before = await snapshot(lab.router, directory);
		await lab.router.run(["touch", saved[0] ?? ""]);
		const touched = await until(
			"the touch",
			async () => {
				const after = await snapshot(lab.router, directory);
				return watch?.seen.length ? changes(before, after) : [];
			},
			{ holds: ({ length }) => length > 0 },
		);
		outcome.check("a touch is seen by both", touched.length === 1 ? [] : touched);
		lab.router.write(configFile, uciConfig({ ...config, main: { scope: "peers" } }), 0o600);
		before = await snapshot(lab.router, directory);
		router.openwrt.daemon?.kill("SIGHUP");
		await router.answered();
		const written = () => snapshot(lab.router, directory).then((after) => changes(before, after));
		const found = await until("what another configuration writes", written, {
			holds: ({ length }) => length === 3,
		});
		const paths = found.map((line) => line.split(": ")[0]);
		const expected = ["/etc/bgpwarden", "/etc/bgpwarden/last-good", "/etc/bgpwarden/table.nft"];
		outcome.check(
			"another configuration writes the table and its own copy, and nothing else",
			paths.join() === expected.join() ? [] : found,
		);
	} finally {
		watch?.close();
		await lab.stop();
	}
}
