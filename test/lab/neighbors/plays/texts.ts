import type { Host } from "../../host.ts";
import { network } from "../../network.ts";
import { birdDirect, FakeUbus, type Mosquitto, startMosquitto } from "../../programs.ts";
import type { Ledger } from "../ledger.ts";
import type { Play } from "../play.ts";
import {
	inWorld,
	linesOf,
	speakerBird,
	stops,
	TABLE,
	untilTable,
	type World,
	type WorldOptions,
} from "../world.ts";

/** Clears a terminal, gives it a title, turns the direction of writing around, and looks like what BIRD prints. */
const EVIL = "\u001b[2J\u001b]0;owned\u0007\u202e\u009b31m BGP state: Established Neighbor address: 6.6.6.6";

/** What a process may be called: 15 bytes, which nft monitor prints as they are. */
const PROCESSES = [
	'\u001b[31mevil"}{',
	"x)\ndelete table",
	"a\nb",
	"\u001b]0;o\u0007",
	"a (nft)\r",
	"\u2028b",
	"'$(reboot)`",
];

/** Texts of others, of one kind. */
interface Kind {
	readonly name: string;
	readonly quick?: boolean;
	readonly options?: Omit<WorldOptions, "broker" | "before">;
	/** What the world has before the daemon starts. */
	before?(lab: World["lab"]): Promise<void>;
	/** Has the daemon read them. */
	provoke?(world: World, ledger: Ledger): Promise<void>;
}

const loses = (world: World) =>
	world.daemon.untilStatus("the session is down", ({ peers }) => peers[0]?.state !== "Established", {
		timeout: 20_000,
	});

const KINDS: readonly Kind[] = [
	{ name: "of processes that wipe the table", quick: true, provoke: wipedBy },
	{
		name: "of the host",
		options: { config: { main: { router_id: "" } } },
		async before({ router }) {
			const rename = "import socket, sys; socket.sethostname(sys.argv[1])";
			await router.run(["python3", "-c", rename, EVIL.slice(0, 20)]);
		},
	},
	{
		name: "of peers: descriptions, host names, a text at the end of the session",
		quick: true,
		options: {
			// A string of BIRD's may hold anything but a newline.
			router: birdDirect().replace("bfd on;", `description "${EVIL}\r\u2028";\n\tbfd on;`),
			speaker: `hostname "${EVIL}";\n${speakerBird().replace("import none;", "import none; add paths off;").replace("bfd on;", "advertise hostname on;\n\tbfd on;")}`,
		},
		async provoke(world, ledger) {
			await world.speaker.control(`disable up "${EVIL.replaceAll(" ", "_")}"`);
			const { peers } = await loses(world);
			ledger.holds(
				peers[0]?.neighbor_address === network.speaker.address,
				`a description made its neighbor ${peers[0]?.neighbor_address}`,
			);
			await world.daemon.untilStatus("a diagnosis", ({ peers }) => peers[0]?.diagnosis !== "healthy", {
				timeout: 30_000,
			});
		},
	},
	{
		name: "of services",
		async before({ router }) {
			await FakeUbus.start(router);
		},
		async provoke({ lab: { router }, daemon }) {
			const lines = [`firewall${EVIL}`, "__proto__", "constructor", EVIL].flatMap((service) => {
				const data = JSON.stringify({ service, instance: EVIL, exit_code: 1 });
				return [`{ "service.stop": ${data} }`, `{ "instance.fail": ${data} }`, EVIL];
			});
			const last = '{ "service.start": {"service":"firewall"} }';
			const input = { stdin: `${[...lines, last].join("\n")}\n` };
			await router.run(["sh", "-c", "cat 1<>/run/fake-ubus/changes"], input);
			await daemon.process.says(/service firewall /);
		},
	},
	{
		name: "of rules and chains that are in the way",
		async provoke(world) {
			await world.lab.router.nft(
				`table inet evil { chain pre { type filter hook prerouting priority mangle; policy accept;
tcp dport 179 counter drop comment "${EVIL}"
}
}
`,
			);
			await world.speaker.control("restart up");
			await loses(world);
			await world.daemon.untilStatus("hijacked", ({ peers }) => peers[0]?.diagnosis === "hijacked", {
				timeout: 30_000,
			});
		},
	},
];

export const TEXTS: readonly Play[] = KINDS.map((kind) => ({
	group: "names",
	name: kind.name,
	quick: kind.quick === true,
	run: (ledger: Ledger) => play(kind, ledger),
}));

async function play(kind: Kind, ledger: Ledger): Promise<void> {
	let broker: Mosquitto | undefined;
	const before = async (lab: World["lab"]) => {
		await kind.before?.(lab);
		broker = await startMosquitto(lab.broker, { log: ["error", "information"] });
	};
	await inWorld(ledger, { ...kind.options, broker: true, before }, async (world) => {
		if (!broker) return;
		const seen = await broker.subscribe();
		await kind.provoke?.(world, ledger);
		await look(seen.messages, world, ledger);
	});
}

/** Changes the ruleset under another name, from a shell whose command line is no better. */
async function change(router: Host, name: string, argv: readonly string[]): Promise<void> {
	const program = `/tmp/${name}`;
	await router.run(["ln", "-sf", "/usr/sbin/nft", program]);
	await router.run(["sh", "-c", '"$@" 2>/dev/null; :', EVIL, program, ...argv]);
}

async function wipedBy(world: World, ledger: Ledger): Promise<void> {
	for (const name of PROCESSES) {
		await change(world.lab.router, name, ["add", "table", "inet", "other"]);
		await change(world.lab.router, name, ["delete", "table", ...TABLE]);
		ledger.repairs([await untilTable(world)], `by ${JSON.stringify(name)} `);
		// A table that is still away would hide what the next one does.
		await world.warden.cli(["ensure"]);
	}
}

async function look(
	messages: readonly { topic: string; payload: string }[],
	world: World,
	ledger: Ledger,
): Promise<void> {
	const { daemon, warden, lab } = world;
	const outputs: (readonly [string, string])[] = [
		["the log", daemon.process.lines.join("\n")],
		...["status.json", "events.jsonl"].map(
			(file) => [file, lab.router.read(`/var/run/bgpwarden/${file}`) ?? ""] as const,
		),
	];
	for (const verb of [
		"status",
		"status --json",
		"peers",
		"peers --json",
		"events",
		"doctor",
		"doctor --json",
		"check",
	]) {
		const { stdout, stderr } = await warden.cli(verb.split(" "));
		outputs.push([`bgpwarden ${verb}`, stdout + stderr]);
	}
	for (const { topic, payload } of messages) outputs.push([`MQTT ${topic}`, `${topic} ${payload}`]);
	for (const [where, text] of outputs) {
		ledger.clean(where, text);
		// What a reader of JSON makes of it reaches terminals and pages too.
		for (const line of text.split("\n")) for (const string of strings(line)) ledger.clean(where, string);
	}
	ledger.note(`${outputs.length} outputs`);
	ledger.lines(linesOf(world).length, 15);
	ledger.cost(world.meter.read(), "quiet");
	await stops(world, ledger);
}

/** Every string of a line that is JSON, or has JSON at its end. */
function strings(line: string): string[] {
	const start = line.indexOf("{");
	if (start < 0) return [];
	const found: string[] = [];
	try {
		JSON.parse(line.slice(start), (key, value) => {
			found.push(key);
			if (typeof value === "string") found.push(value);
			return value;
		});
	} catch {
		// No JSON.
	}
	return found;
}
