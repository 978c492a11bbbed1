import type { Random } from "../../random.ts";
import type { Daemon } from "../daemon.ts";
import { runDirectory } from "../daemon.ts";
import type { Lab } from "../lab.ts";
import { routeToPeers } from "../many-peers.ts";
import { network } from "../network.ts";
import type { Bird } from "../programs.ts";

/** The router and what is around it. */
export interface Scene {
	readonly lab: Lab;
	readonly daemon: Daemon;
	readonly bird: Bird;
	/** Starts the broker again. */
	restartBroker(): Promise<void>;
	/** bird.conf with as many peers as are wanted, or with a few less. */
	configuration(without: number): string;
}

/** One thing that happens to a router. */
export interface Gust {
	readonly name: string;
	readonly blow: (scene: Scene, random: Random) => Promise<void>;
}

const quiet = { allowFailure: true } as const;
const nft = ({ lab }: Scene, text: string) => lab.router.run(["nft", "-f", "-"], { ...quiet, stdin: text });

/** A child of the daemon, by the beginning of its command line. */
function child({ lab, daemon }: Scene, command: string): number | undefined {
	return lab.router.processes().find((pid) => {
		const parent = /^PPid:\s+(\d+)$/m.exec(lab.router.read(`/proc/${pid}/status`) ?? "")?.[1];
		const line = lab.router.read(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ") ?? "";
		return Number(parent) === daemon.process.pid && line.startsWith(command);
	});
}

function signalChild(scene: Scene, command: string, signal: NodeJS.Signals): void {
	const pid = child(scene, command);
	if (pid !== undefined) scene.lab.router.signalEach([pid], signal);
}

export const WEATHER: readonly Gust[] = [
	{ name: "wipe", blow: async (scene) => void (await nft(scene, "flush ruleset\n")) },
	{
		name: "delete",
		blow: async (scene) => void (await nft(scene, "delete table inet custom_bgp\n")),
	},
	{
		name: "change",
		blow: async (scene) => void (await nft(scene, "add rule inet custom_bgp filter_input drop\n")),
	},
	{
		name: "others' rules",
		blow: async (scene, random) =>
			void (await nft(
				scene,
				`table inet other { chain c${random.below(9)} { type filter hook input priority 5; tcp dport 81 drop; } }\n`,
			)),
	},
	{
		name: "a burst of changes",
		blow: async (scene) => {
			for (let count = 0; count < 20; count++)
				await nft(scene, `table ip burst { chain c { } }\ndelete table ip burst\n`);
		},
	},
	{ name: "kill monitor", blow: async (scene) => signalChild(scene, "nft monitor", "SIGKILL") },
	{ name: "stop monitor", blow: async (scene) => signalChild(scene, "nft monitor", "SIGSTOP") },
	{ name: "kill owner", blow: async (scene) => signalChild(scene, "nft -e", "SIGKILL") },
	{ name: "kill birdcl", blow: async (scene) => signalChild(scene, "birdcl -v -r", "SIGKILL") },
	{ name: "stop birdcl", blow: async (scene) => signalChild(scene, "birdcl -v -r", "SIGSTOP") },
	{ name: "kill nc", blow: async (scene) => signalChild(scene, "nc ", "SIGKILL") },
	{ name: "restart broker", blow: (scene) => scene.restartBroker() },
	{
		name: "fewer peers",
		blow: async (scene, random) =>
			void (await scene.bird.configure(scene.configuration(1 + random.below(3)))),
	},
	{ name: "all peers", blow: async (scene) => void (await scene.bird.configure(scene.configuration(0))) },
	{
		name: "stale entry",
		blow: async ({ lab }, random) =>
			void (await lab.router.run(
				[
					...["conntrack", "-I", "-s", network.speaker.address, "-d", network.router.lan, "-p", "tcp"],
					...["--sport", String(40_000 + random.below(20_000)), "--dport", "179"],
					...["--state", "ESTABLISHED", "-t", "1000"],
				],
				quiet,
			)),
	},
	{
		name: "link down and up",
		blow: async ({ lab }) => {
			await lab.router.link(network.router.lanInterface, "down");
			await lab.router.link(network.router.lanInterface, "up");
			await routeToPeers(lab);
		},
	},
	{
		name: "files removed",
		blow: async ({ lab }) => void (await lab.router.run(["sh", "-c", `rm -rf ${runDirectory}/*`], quiet)),
	},
	{
		name: "requests",
		blow: async ({ lab }) =>
			void (await lab.router
				.run(
					["sh", "-c", `for verb in ensure flush nonsense; do echo $verb >${runDirectory}/control; done`],
					{ ...quiet, timeout: 5000 },
				)
				.catch(() => undefined)),
	},
	{ name: "reload", blow: async ({ daemon }) => daemon.reload() },
	{
		name: "SYNs",
		blow: async ({ lab }) =>
			void (await lab.speaker
				.run(
					[
						"sh",
						"-c",
						`for i in 1 2 3 4 5 6 7 8; do nc -w 1 ${network.router.lan} 179 </dev/null & done; wait`,
					],
					{ ...quiet, timeout: 10_000 },
				)
				.catch(() => undefined)),
	},
];
