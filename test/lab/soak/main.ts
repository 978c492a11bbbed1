import { Random } from "../../random.ts";
import { type Daemon, startDaemon, type Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { manyPeers, startManyPeers } from "../many-peers.ts";
import { type Bird, type Mosquitto, startMosquitto } from "../programs.ts";
import { pause, until } from "../wait.ts";
import { median, type Sample, sample, thirds } from "./measure.ts";
import { type Scene, WEATHER } from "./weather.ts";

/**
 * Weather on real parts: random changes, deaths and restarts of everything around a daemon under qjs, and at the end the
 * question whether it holds no more than at the beginning, and whether everything that it says is so.
 *
 * MINUTES (default 60; with QUICK 10) are shared by the numbers of PEERS (default 10,200,1000), half of the peers up and half down. SEED= is
 * another weather.
 */
const minutes = Number(process.env.MINUTES ?? (process.env.QUICK ? 10 : 60));
const counts = (process.env.PEERS ?? "10,200,1000").split(",").map(Number);
const seed = Number(process.env.SEED ?? 20_261_129);

/** Seconds that do not count: the first reading, the first messages. */
const WARM_UP = 40;
/** Milliseconds between gusts, at most. */
const APART = 4000;
/** MB that memory may have grown by, and the part of what it was. */
const GROWTH = { least: 1, part: 0.15 } as const;
const MOST = { children: 8, descriptors: 64 } as const;
/** Descriptors more or less: the connection to the broker has three, and may be away for most of a third of a short run. */
const PIPES = 4;

const say = (text: string) => process.stdout.write(`${text}\n`);
const isUp = (index: number) => index % 2 === 0;

let [passed, failed] = [0, 0];
function check(what: string, holds: boolean, seen: string): void {
	if (holds) passed++;
	else failed++;
	say(`  ${holds ? "ok " : "BAD"} ${what}: ${seen}`);
}

/** Established peers, by name, as each one says that tells of peers. */
async function sayings(lab: Lab, warden: Warden, bird: Bird, broker: Mosquitto) {
	const up = (pairs: readonly (readonly [string, unknown])[]) =>
		pairs
			.filter(([, state]) => state === "Established")
			.map(([name]) => name)
			.sort()
			.join();
	const listing = await bird.control("show protocols");
	const rows = [...listing.matchAll(/(peer_\d+)\s+BGP .*?\s(\S+)\s*$/gm)];
	const retained = await broker.retained();
	const states = [...retained].flatMap(([topic, payload]) => {
		const name = /\/peer\/(peer_\d+)\/state$/.exec(topic)?.[1];
		return name === undefined ? [] : [[name, JSON.parse(payload).state] as const];
	});
	const status = warden.status();
	const table = await lab.router.run(["nft", "list", "table", "inet", "custom_bgp"], { allowFailure: true });
	return {
		bird: up(rows.map(([, name = "", state]) => [name, state])),
		status: up((status?.peers ?? []).map(({ name, state }) => [name, state])),
		mqtt: up(states),
		all: [rows.length, status?.peers.length, states.length].join(),
		protection: [table.code === 0 ? "there" : "missing", status?.router.protection].join(),
		problem: status?.router.problem,
	};
}

/** Who says what that BIRD does not, in short. */
function disagreement({ bird, status, mqtt, ...rest }: Awaited<ReturnType<typeof sayings>>): string {
	const truth = bird.split(",").filter(Boolean);
	const differs = (said: string) => {
		const names = said.split(",").filter(Boolean);
		const missing = truth.filter((name) => !names.includes(name));
		const wrong = names.filter((name) => !truth.includes(name));
		return `${names.length} up, of which ${wrong.length} are not (${wrong.slice(0, 3)}), without ${missing.length} (${missing.slice(0, 3)})`;
	};
	return `BIRD: ${truth.length} up; status.json: ${differs(status)}; MQTT: ${differs(mqtt)}; ${JSON.stringify(rest)}`;
}

async function weather(scene: Scene, random: Random, milliseconds: number): Promise<Map<string, number>> {
	const end = performance.now() + milliseconds;
	const blown = new Map<string, number>();
	while (performance.now() < end && scene.daemon.process.running) {
		const { name, blow } = random.pick(WEATHER);
		await blow(scene, random);
		blown.set(name, (blown.get(name) ?? 0) + 1);
		await pause(random.below(APART));
	}
	return blown;
}

async function endure(peers: number, milliseconds: number): Promise<void> {
	say(`\n${peers} peers, half of them up, ${(milliseconds / 60_000).toFixed(1)} minutes, seed ${seed}`);
	const lab = await startLab();
	try {
		const bird = await startManyPeers(lab, peers, isUp);
		let broker = await startMosquitto(lab.broker);
		const { warden, daemon } = startDaemon(lab.router, { main: { poll_interval: 5 } });
		await daemon.untilStatus("every peer", (status) => status.peers.length === peers, { timeout: 60_000 });
		const samples = await follow(daemon, async () => {
			const scene: Scene = {
				lab,
				daemon,
				bird,
				configuration: (without) => manyPeers(peers - without),
				async restartBroker() {
					await broker.process.end("SIGTERM");
					broker = await startMosquitto(lab.broker);
				},
			};
			const blown = await weather(scene, new Random(seed), milliseconds);
			say(`  ${[...blown].map(([name, times]) => `${name} ${times}`).join(", ")}`);
			await bird.configure(manyPeers(peers));
		});
		check("it lives", daemon.process.running, daemon.process.running ? "yes" : daemon.process.tail());
		if (!daemon.process.running) return;
		await judge(samples, daemon);
		const up = Array.from({ length: peers }, (_, index) => index).filter(isUp).length;
		const said = await until("all to say the same", () => sayings(lab, warden, bird, broker), {
			holds: ({ bird: one, status, mqtt, all, protection, problem }) =>
				one.split(",").length === up &&
				new Set([one, status, mqtt]).size === 1 &&
				new Set(all.split(",")).size === 1 &&
				/^there,(owned|installed)$/.test(protection) &&
				problem === undefined,
			timeout: 180_000,
			every: 3000,
		}).catch(async () => disagreement(await sayings(lab, warden, bird, broker)));
		check(
			"MQTT, status.json, BIRD and the kernel agree",
			typeof said !== "string",
			typeof said === "string" ? said : `${up} of ${peers} peers up, the table ${said.protection}`,
		);
		const began = performance.now();
		await daemon.stop();
		check("it stops", performance.now() - began < 5000, `${Math.round(performance.now() - began)} ms`);
	} finally {
		await lab.stop();
	}
}

/** Samples the daemon while something goes on. */
async function follow(daemon: Daemon, task: () => Promise<void>): Promise<Sample[]> {
	const samples: Sample[] = [];
	const began = performance.now();
	const timer = setInterval(() => {
		const one = sample(daemon.process.pid, began);
		if (one) samples.push(one);
	}, 500);
	await task().finally(() => clearInterval(timer));
	return samples;
}

async function judge(samples: readonly Sample[], daemon: Daemon): Promise<void> {
	const { first, middle, last } = thirds(samples, WARM_UP);
	const memory = (of: readonly Sample[]) => median(of.map((each) => each.memory));
	// In the first third the heap finds its working size: 1,000 peers all change whenever BIRD is lost, and while what is in use stays
	// the same, the gaps between grow for a while.
	const [before, after] = [memory(middle), memory(last)];
	const most = (key: "children" | "descriptors") => Math.max(...samples.map((each) => each[key]));
	check(
		"memory is flat",
		after <= before * (1 + GROWTH.part) + GROWTH.least,
		`${before.toFixed(1)} MB in the middle third, ${after.toFixed(1)} in the last, ${Math.max(...samples.map((each) => each.memory)).toFixed(1)} at most`,
	);
	const rest = (of: readonly Sample[]) => median(of.map((each) => each.descriptors));
	check(
		"descriptors are constant",
		rest(last) <= rest(first) + PIPES && most("descriptors") <= MOST.descriptors,
		`${rest(first)} and ${rest(last)}, ${most("descriptors")} at most`,
	);
	check("children are few", most("children") <= MOST.children, `${most("children")} at most`);
	const [begin, end] = [samples[0], samples.at(-1)];
	const share = begin && end ? (end.processor - begin.processor) / (end.at - begin.at) / 10 : Number.NaN;
	check(
		"log lines are bounded",
		daemon.process.lines.length < (60 * (end?.at ?? 0)) / 10 + 500,
		`${daemon.process.lines.length}`,
	);
	say(`      ${share.toFixed(1)} % of a processor`);
}

for (const peers of counts) await endure(peers, (minutes * 60_000) / counts.length);
say(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
