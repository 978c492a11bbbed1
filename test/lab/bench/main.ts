import { readFileSync } from "node:fs";
import { type Daemon, repairing, startDaemon, type UciOptions, type Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { type Bird, birdMultihop, startBird, startFrr, startMosquitto, startProxy } from "../programs.ts";
import { manyRules } from "../rulesets.ts";
import { pause, until } from "../wait.ts";
import { type Figure, quantile, renderFigures } from "./figures.ts";
import { type ManySize, manyDown, manyUp } from "./many-peers.ts";
import { onCpu, ownerAtRest, ownership } from "./owner.ts";
import { packageFigures } from "./package.ts";
import { APART, wipeTimes } from "./wipes.ts";

/** `make bench`: the figures, as ratios within one run where the machine's own speed would tell more than ours. */
const short = process.env.BENCH === "short";
const size = short
	? {
			latency: 40,
			wipes: 60,
			growthFrom: 20,
			flaps: 5,
			rest: 15,
			ghosts: 3,
			starts: 5,
			doctor: 10,
		}
	: {
			latency: 200,
			wipes: 1000,
			growthFrom: 200,
			flaps: 100,
			rest: 60,
			ghosts: 10,
			starts: 40,
			doctor: 30,
		};

/** Not in short: a thousand sessions take their time. */
const many: ManySize = { warmUp: 60, seconds: 120, wipes: 40 };

/** Rules of a long ruleset. */
const RULES = 2000;

const say = (text: string) => process.stderr.write(`bench: ${text}\n`);
const round = (value: number, digits = 1) => value.toFixed(digits);

const isUp = (daemon: Daemon, timeout: number) =>
	daemon.untilStatus("Established", ({ peers }) => peers.some((peer) => peer.state === "Established"), {
		timeout,
		every: 10,
	});

/** Resident memory in kB. */
function resident(pid: number): number {
	return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

async function healthy(
	lab: Lab,
	main: UciOptions["main"] = {},
): Promise<{ bird: Bird; daemon: Daemon; warden: Warden }> {
	await startMosquitto(lab.broker);
	const bird = await startBird(lab.router, birdMultihop());
	await startFrr(lab.speaker);
	const { warden, daemon } = startDaemon(lab.router, { main });
	await isUp(daemon, 60_000);
	return { bird, daemon, warden };
}

async function latency(lab: Lab): Promise<Figure[]> {
	say(`${size.latency} deletions and as many bare nft -f`);
	const times = await wipeTimes(lab, size.latency);
	const figure = (name: string, part: number, most: number): Figure => {
		const [ours, theirs] = [quantile(times.restored, part), quantile(times.bare, part)];
		const ratio = ours / theirs;
		return {
			what: `delete to restored, ${name} of ${times.restored.length}`,
			measured: `${round(ours)} ms, ${round(ratio, 2)} times a bare nft -f (${round(theirs)} ms)`,
			goal: `at most ${most} times`,
			reached: ratio <= most,
		};
	};
	return [figure("median", 0.5, 1.5), figure("p99", 0.99, 4)];
}

async function memory(lab: Lab, daemon: Daemon, bird: Bird): Promise<Figure[]> {
	const { pid } = daemon.process;
	const samples: number[] = [];
	say(`${size.wipes} wipes`);
	for (let wipe = 1; wipe <= size.wipes; wipe++) {
		await lab.router.run(["nft", "flush", "ruleset"]);
		await pause(APART);
		if (wipe >= size.growthFrom) samples.push(resident(pid));
	}
	say(`${size.flaps} peer flaps`);
	for (let flap = 0; flap < size.flaps; flap++) {
		await bird.control(`restart ${network.peer}`);
		await until("the peer to go down", () => bird.peer(), { holds: ({ bgp }) => bgp !== "Established" });
		await until("the peer to come up", () => bird.peer(), {
			holds: ({ bgp }) => bgp === "Established",
			timeout: 60_000,
		});
		samples.push(resident(pid));
	}
	const quarter = Math.max(1, Math.floor(samples.length / 4));
	const first = quantile(samples.slice(0, quarter), 0.5);
	const last = quantile(samples.slice(-quarter), 0.5);
	const most = Math.max(...samples);
	return [
		{
			what: `resident memory after ${size.wipes} wipes and ${size.flaps} flaps`,
			measured: `${round(most / 1024)} MB at most`,
			goal: "at most 8 MB",
			reached: most <= 8 * 1024,
		},
		{
			what: `growth from wipe ${size.growthFrom} on`,
			measured: `${round((last - first) / 1024, 2)} MB (median of the last quarter against the first)`,
			goal: "none (at most 0.25 MB)",
			reached: last - first <= 256,
		},
	];
}

async function rest(lab: Lab, daemon: Daemon): Promise<Figure[]> {
	say(`${size.rest} s at rest, then ${size.rest} s under strace`);
	await pause(15_000);
	const children = readFileSync(`/proc/${daemon.process.pid}/task/${daemon.process.pid}/children`, "utf8");
	const pids = [daemon.process.pid, ...children.split(" ").filter(Boolean).map(Number)];
	const before = pids.map(onCpu);
	await pause(size.rest * 1000);
	const busy = pids
		.map((pid, index) => onCpu(pid) - (before[index] ?? 0))
		.reduce((sum, time) => sum + time, 0);
	const share = (busy / (size.rest * 1e9)) * 100;
	const trace = "execve,fork,vfork,clone,clone3";
	const traced = await lab.router.run(
		[
			"timeout",
			"-s",
			"INT",
			String(size.rest),
			"strace",
			"-f",
			"-e",
			`trace=${trace}`,
			"-p",
			String(daemon.process.pid),
		],
		{ allowFailure: true, timeout: (size.rest + 20) * 1000 },
	);
	if (!traced.stderr.includes("attached")) throw new Error(`strace: ${traced.stderr}`);
	const started = traced.stderr.split("\n").filter((line) => /\b(execve|v?fork|clone3?)\(/.test(line)).length;
	return [
		{
			what: `processes started in ${size.rest} s at rest`,
			measured: String(started),
			goal: "none",
			reached: started === 0,
		},
		{
			what: `processor time at rest, with its ${pids.length - 1} children`,
			measured: `${round(share, 3)} % of a core`,
			goal: "at most 0.1 %",
			reached: share <= 0.1,
		},
	];
}

/** `bgpwarden doctor` on a router whose ruleset is long, against the one program that it has to wait for. */
async function doctor(lab: Lab, warden: Warden): Promise<Figure[]> {
	say(`${size.doctor} times doctor with ${RULES} rules`);
	await lab.router.nft(manyRules(RULES));
	const [ours, bare]: [number[], number[]] = [[], []];
	const timed = async (times: number[], run: () => Promise<unknown>) => {
		const start = performance.now();
		await run();
		times.push(performance.now() - start);
	};
	for (let run = 0; run < size.doctor; run++) {
		await timed(ours, () => warden.cli(["doctor"], { allowFailure: false }));
		await timed(bare, () => lab.router.run(["nft", "-j", "list", "ruleset"]));
	}
	await lab.router.nft("delete table inet many");
	const [median, listing] = [quantile(ours, 0.5), quantile(bare, 0.5)];
	return [
		{
			what: `doctor with ${RULES} rules, median of ${ours.length}`,
			measured: `${round(median, 0)} ms (${round(Math.min(...ours), 0)} to ${round(Math.max(...ours), 0)}); its nft alone ${round(listing, 0)} ms`,
			goal: "at most 300 ms",
			reached: median <= 300,
		},
	];
}

async function ghost(): Promise<number> {
	const lab = await startLab();
	try {
		await startProxy(lab.router);
		const bird = await startBird(lab.router, birdMultihop());
		const frr = await startFrr(lab.speaker);
		await until("the ghost", async () => [await bird.peer(), await frr.peer()], {
			holds: ([router, speaker]) =>
				router?.bfd === "Up" && speaker?.bfd === "up" && router.bgp !== "Established",
			timeout: 30_000,
		});
		const start = performance.now();
		const { daemon } = startDaemon(lab.router, { mqtt: { enabled: false } });
		await isUp(daemon, 60_000);
		return (performance.now() - start) / 1000;
	} finally {
		await lab.stop();
	}
}

async function ghosts(): Promise<Figure[]> {
	say(`${size.ghosts} ghosts`);
	const times: number[] = [];
	for (let count = 0; count < size.ghosts; count++) times.push(await ghost());
	const median = quantile(times, 0.5);
	return [
		{
			what: `ghost to Established, median of ${times.length}`,
			measured: `${round(median)} s (${round(Math.min(...times))} to ${round(Math.max(...times))})`,
			goal: "at most 3 s",
			reached: median <= 3,
		},
	];
}

async function inLab(work: (lab: Lab) => Promise<void>): Promise<void> {
	const lab = await startLab();
	try {
		await work(lab);
	} finally {
		await lab.stop();
	}
}

async function main(): Promise<void> {
	if (process.getuid?.() !== 0) {
		say("root is needed: it makes network namespaces");
		process.exitCode = 1;
		return;
	}
	const figures = await ghosts();
	await inLab(async (lab) => {
		say(`${size.starts} starts of the daemon and of the boot script`);
		figures.push(...(await packageFigures(lab.router, size.starts)));
	});
	await inLab(async (lab) => {
		const { daemon, warden } = await healthy(lab);
		figures.push(...(await doctor(lab, warden)));
		figures.push(...(await rest(lab, daemon)));
		figures.push(...(await ownerAtRest(lab, daemon, size.rest)));
		await daemon.stop();
		say(`${size.starts} starts with an owner and as many without`);
		figures.push(...(await ownership(lab, size.starts)));
	});
	// What follows is about repair.
	await inLab(async (lab) => {
		const { bird, daemon } = await healthy(lab, repairing);
		figures.push(...(await latency(lab)));
		figures.push(...(await memory(lab, daemon, bird)));
	});
	if (!short) {
		await inLab(async (lab) => {
			say(`1,000 peers that are up, ${many.seconds} s`);
			figures.push(...(await manyUp(lab, many)));
		});
		await inLab(async (lab) => {
			say(`1,000 peers that are down, ${many.seconds} s`);
			figures.push(...(await manyDown(lab, many)));
		});
	}
	process.stdout.write(`${renderFigures(figures)}\n`);
	if (!short && figures.some(({ reached }) => reached === false)) process.exitCode = 1;
}

await main();
