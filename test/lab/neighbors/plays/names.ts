import { network } from "../../network.ts";
import { birdBgp, birdDirect, type Mosquitto, startMosquitto } from "../../programs.ts";
import { pause, until } from "../../wait.ts";
import type { Ledger } from "../ledger.ts";
import type { Play } from "../play.ts";
import { base } from "../programs/modes/mode.ts";
import { inWorld, linesOf, speakerBird, stops, type World, wipes } from "../world.ts";

const { router, speaker, peer } = network;

/** What BIRD takes as a name, and means something else to JavaScript, to a file system, or is as long as it can be. */
const NAMES = [
	"constructor",
	"toString",
	"valueOf",
	"hasOwnProperty",
	"__proto__",
	"isPrototypeOf",
	"prototype",
	"a.b",
	"..",
	"a-b:c.d",
	"fe80::1",
	"0123456789".repeat(6).concat("abcd"),
] as const;

const address = (index: number) => `192.168.1.${20 + index}`;

export const PEER_NAMES: readonly Play[] = [
	{ group: "names", name: "of protocols, all of them at once", quick: true, run: play },
];

async function play(ledger: Ledger): Promise<void> {
	const protocols = NAMES.map((name, index) => birdBgp(`'${name}'`, address(index), speaker.as, "bfd off;"));
	const dialing = NAMES.map(
		(_, index) => `protocol bgp p${index} {
	local ${address(index)} as ${speaker.as};
	neighbor ${router.lan} as ${router.as};
	connect delay time 1;
	connect retry time 3;
	error wait time 1, 3;
	ipv4 { import none; export all; };
}
`,
	);
	let broker: Mosquitto | undefined;
	const options = {
		router: birdDirect(protocols.join("")),
		speaker: speakerBird(dialing.join("")),
		broker: true,
		async before({ speaker, broker: host }: World["lab"]) {
			for (const index of NAMES.keys())
				await speaker.run(["ip", "address", "add", `${address(index)}/24`, "dev", "eth0"]);
			broker = await startMosquitto(host, { log: ["error", "information"] });
		},
	};
	await inWorld(ledger, options, async (world) => {
		if (broker) await look(broker, world, ledger);
	});
}

async function look(broker: Mosquitto, world: World, ledger: Ledger): Promise<void> {
	const { daemon, warden } = world;
	const all = [peer, ...NAMES];
	const peers = () => warden.status()?.peers ?? [];
	/** Waits until every peer holds that; tells of those that do not. */
	const every = async (what: string, holds: (status: ReturnType<typeof peers>[number]) => boolean) => {
		const missing = () => {
			const good = new Set(
				peers()
					.filter(holds)
					.map(({ name }) => name),
			);
			return all.filter((name) => !good.has(name));
		};
		await until(what, missing, { holds: (names) => names.length === 0, timeout: 30_000 }).catch(() =>
			ledger.broken.push(`not ${what}: ${missing().join(" ")}`),
		);
	};

	await every(
		"Established and healthy",
		({ state, diagnosis }) => state === "Established" && diagnosis === "healthy",
	);
	const listed = (await warden.cli(["peers"])).stdout.split("\n").map((line) => line.split(" ")[0]);
	const unlisted = all.filter((name) => !listed.includes(name));
	ledger.holds(unlisted.length === 0, `not in \`bgpwarden peers\`: ${unlisted.join(" ")}`);

	// Published: by the name in the payload, the topic's id is another thing
	const ids = new Map<string, string>();
	await until("every peer at the broker", () => broker.retained(), {
		holds(topics) {
			for (const [topic, payload] of topics) {
				const id = new RegExp(`^${base}/peer/([^/]+)/state$`).exec(topic)?.[1];
				if (id !== undefined) ids.set(JSON.parse(payload).name, id);
			}
			return all.every((name) => ids.has(name));
		},
		timeout: 20_000,
		every: 1000,
	}).catch(() => ledger.broken.push(`not published: ${all.filter((name) => !ids.has(name)).join(" ")}`));
	ledger.holds(new Set(ids.values()).size === ids.size, "two peers have one topic");

	/** The one with BFD may lose its session to that as well, where the machine is busy. */
	const isUpAfter =
		(losses: number) =>
		({ name, state, flaps }: ReturnType<typeof peers>[number]) =>
			state === "Established" && (name === peer ? flaps >= losses : flaps === losses);

	// Restarted on request, on the command line and over MQTT
	for (const name of all) {
		const { code, stderr } = await warden.cli(["restart", name]);
		ledger.holds(code === 0, `bgpwarden restart ${name}: exit ${code}: ${stderr.trim()}`);
	}
	await every("lost once and up again", isUpAfter(1));
	for (const name of all) {
		await broker.publish(`${base}/peer/${ids.get(name)}/command`, "restart", { qos: 0 });
		// No more than one command a second is obeyed.
		await pause(1100);
	}
	await every("lost twice and up again", isUpAfter(2));

	// Diagnosed like any other
	await wipes(world, ledger, 2);
	await world.speaker.crash();
	const diagnosisOf = (name: string) => peers().find((each) => each.name === name)?.diagnosis;
	await until(`a diagnosis of ${peer}`, () => diagnosisOf(peer), {
		holds: (id) => id !== undefined && id !== "healthy",
		timeout: 40_000,
	});
	await every(
		`diagnosed as ${peer} is (${diagnosisOf(peer)})`,
		({ diagnosis }) => diagnosis === diagnosisOf(peer),
	);
	ledger.note(`all ${diagnosisOf(peer)}`);

	// A restart of each, twice, is no rest.
	ledger.cost(world.meter.read(), "busy");
	ledger.clean("the log", daemon.process.lines.join("\n"));
	const odd = linesOf(world).filter(
		(line) => /error|undefined|\[object|NaN/i.test(line) && !/Received: |BGP error/.test(line),
	);
	ledger.holds(odd.length === 0, `the log says ${odd[0]}`);
	await stops(world, ledger);
}
