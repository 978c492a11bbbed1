import { readFileSync } from "node:fs";
import { bundleForQjs } from "../../../qjs.ts";
import { type Figure, quantile, renderFigures } from "../../bench/figures.ts";
import type { Guest } from "../guest.ts";
import { Mihomo } from "../mihomo.ts";
import { mihomoRedirect, nikkiDefault } from "../rulesets.ts";
import { startTailnet, Tailscale } from "../tailscale.ts";
import { World } from "../world.ts";

/**
 * A hundred restarts of the guests in a row (with QUICK=1 twenty), and what they cost; then the time from a guest's change
 * to a state that somebody else has verified. Fails when a session was lost; a figure that is missed is only told.
 */
const restarts = process.env.QUICK === "1" ? 20 : 100;
/** Tailscale takes its time: each `tailscaled --cleanup` is a second. So each fifth restart is its. */
const turn = 5;
const rounds = 50;
/** Milliseconds between changes: closer together they would be a fight, which is answered with backoff. */
const apart = 250;

const say = (text: string) => process.stderr.write(`guests: ${text}\n`);

/** Seconds on a processor: of the process alone, and with every child it has or had (proc_pid_stat(5), ticks of 10 ms). */
function processorTime(pid: number): { readonly own: number; readonly all: number } {
	const fields = (id: number) => {
		const stat = readFileSync(`/proc/${id}/stat`, "utf8");
		return stat
			.slice(stat.lastIndexOf(")") + 2)
			.split(" ")
			.slice(11, 15)
			.map(Number);
	};
	const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields(pid);
	const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
		.split(" ")
		.filter(Boolean)
		.map(Number);
	const running = children.flatMap((child) => fields(child).slice(0, 2));
	const ended = [childrenUser, childrenSystem];
	const own = user + system;
	const all = [own, ...ended, ...running].reduce((sum, ticks) => sum + ticks, 0);
	return { own: own / 100, all: all / 100 };
}

async function restartGuests(): Promise<Figure[]> {
	// Without ownership of the table nothing but the daemon keeps it.
	const world = await World.start({ bird: 3, main: { protect: false } });
	try {
		const tailscale = await Tailscale.install(world.router, world.procd, await startTailnet(world.lab));
		const mihomo = new Mihomo(world.lab, world.procd, mihomoRedirect);
		const guests: Guest[] = [tailscale, mihomo];
		for (const guest of guests) await guest.start();
		const before = await world.states();
		const { pid } = world.daemon.process;
		const used = processorTime(pid);
		say(`${restarts} restarts in a row`);
		const outcome = await world.act(`${restarts} restarts`, async () => {
			for (let count = 0; count < restarts; count++) {
				const guest = count % turn === 0 ? tailscale : mihomo;
				await guest.stop();
				await guest.start();
			}
		});
		const after = processorTime(pid);
		for (const guest of guests) await guest.works();
		const kept = [...before].filter(([name, { up }]) => up && outcome.lost[name] === undefined).length;
		const seconds = (from: number, to: number) => `${(to - from).toFixed(2)} s`;
		const figures: Figure[] = [
			{
				what: `sessions kept over ${restarts} restarts of Tailscale and Mihomo`,
				measured: `${kept} of ${before.size}`,
				goal: "all",
				reached: kept === before.size,
			},
			{
				what: "the daemon's processor time for them",
				measured: `${seconds(used.own, after.own)}, with its children ${seconds(used.all, after.all)}`,
				goal: "at most 2 s",
				reached: after.own - used.own <= 2,
			},
		];
		return [...figures, await verified(world)];
	} finally {
		await world.stop();
	}
}

/** nikki's table is replaced, as at its restart, by a script that takes bgpwarden's along. */
async function verified(world: World): Promise<Figure> {
	say(`${rounds} changes by a guest`);
	const { router } = world;
	const table = nikkiDefault.table ?? "";
	const replaced = `table inet nikki\ndelete table inet nikki\n${table}`;
	router.write("/tmp/change.nft", `${replaced}delete table inet custom_bgp\n`);
	const probe = bundleForQjs(new URL("./probe.ts", import.meta.url));
	router.write("/tmp/probe.js", readFileSync(probe, "utf8"));
	const argv = ["qjs", "-m", "/tmp/probe.js", "/tmp/change.nft", String(rounds), String(apart)];
	const { stdout } = await router.run(argv, { timeout: 60_000 });
	const { times, looks } = JSON.parse(stdout) as { times: number[]; looks: number[] };
	const [median, look] = [quantile(times, 0.5), quantile(looks, 0.5)];
	return {
		what: `a guest's change to table back, listed as before and nothing tracked, median of ${times.length}`,
		measured: `${median.toFixed(1)} ms, of which the look takes ${look.toFixed(1)} ms (p95 ${quantile(times, 0.95).toFixed(1)} ms)`,
		goal: "at most 30 ms",
		reached: median <= 30,
	};
}

const figures = await restartGuests();
process.stdout.write(`${renderFigures(figures)}\n`);
if (figures[0]?.reached !== true) process.exitCode = 1;
